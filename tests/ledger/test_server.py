"""A server that stops, and comes back; and what is said of one that is not there."""

import traceback
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.engine import make_url

from pipeline.ledger import Ledger, LedgerBusy, LedgerError, RunChange, hold
from tests.ledger.samples import NOW, an_id, seen
from tests.ledger.server import Server

PASSWORD = "ge/heim@ß"  # noqa: S105 # of nobody
WRITTEN = "ge%2Fheim%40%C3%9F"


def test_a_ledger_works_again_when_its_server_does(own_server: Server) -> None:
    url = own_server.url
    with Ledger.open(url, create=True) as ledger, hold(url, "run 1", timedelta()) as held:
        first = ledger.next_sequence()
        ledger.apply(f"before {first}", first, NOW, [seen(1)])
        held.check()
        own_server.stop()
        try:
            with pytest.raises(LedgerError, match="cannot read the ledger"):
                ledger.known_articles([an_id(1)])
            with pytest.raises(LedgerError, match="cannot change the ledger"):
                ledger.apply("meanwhile", first + 1, NOW, [seen(2)])
            with pytest.raises(LedgerError, match="cannot open the ledger"):
                Ledger.open(url)
            with pytest.raises(LedgerError, match="cannot hold"), hold(url, "run", timedelta()):
                pytest.fail("there is nothing to hold")
            with pytest.raises(LedgerError, match="hold"):
                held.check()
        finally:
            own_server.start()
        with pytest.raises(LedgerError, match="not held any longer"):
            held.check()
        assert set(ledger.known_articles([an_id(1), an_id(2)])) == {an_id(1)}
        assert ledger.apply(f"after {first}", first + 1, NOW, [seen(2)])
    with hold(url, "run 2", timedelta()) as held:
        held.check()


def test_a_server_that_stops_in_the_middle_of_changes_has_none(own_server: Server) -> None:
    with Ledger.open(own_server.url, create=True) as ledger:
        before = list(ledger.export())
        sequence = ledger.next_sequence()

        def changes() -> Iterator[RunChange]:
            yield seen(*range(1000, 1010))
            own_server.stop()
            yield seen(2000)

        try:
            with pytest.raises(LedgerError):
                ledger.apply(f"torn {sequence}", sequence, NOW, changes())
        finally:
            own_server.start()
        assert list(ledger.export()) == before
        assert ledger.apply(f"torn {sequence}", sequence, NOW, [seen(3000)])


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://policywire:{WRITTEN}@127.0.0.1:1/news",
        f"postgresql://policywire:{WRITTEN}@127.0.0.1:1/news",
        f"postgresql+psycopg://policywire@127.0.0.1:1/news?password={WRITTEN}",
        f"postgresql+psycopg://policywire:{WRITTEN}@127.0.0.1:port/news",
        f"postgresql+psycopg://policywire:{PASSWORD}@[::1:1/news",
        f"mysql://policywire:{WRITTEN}@127.0.0.1:1/news",
        f"sqlite://policywire:{WRITTEN}@host/news",
    ],
)
def test_no_error_tells_a_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for use in (lambda: Ledger.open(url), lambda: hold(url, "run", timedelta()).__enter__()):
        with pytest.raises(LedgerError) as caught:
            use()
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
        assert not any(secret in told for secret in (PASSWORD, WRITTEN, "heim"))


def test_nothing_else_tells_a_password(postgres_url: str) -> None:
    url = make_url(postgres_url).set(password=PASSWORD).render_as_string(hide_password=False)
    assert WRITTEN in url
    said: list[object] = []
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    said.append(caught.value)
    with Ledger.open(url, create=True) as ledger:
        said += [ledger, ledger.database]
        ledger.apply("a", 1, NOW, [])
        with pytest.raises(LedgerError) as caught:
            ledger.apply("b", 1, NOW, [])
        said.append(caught.value)
    with (
        hold(url, "run 1", timedelta()),
        pytest.raises(LedgerBusy) as busy,
        hold(url, "run 2", timedelta()),
    ):
        pytest.fail("it is held")
    said.append(busy.value)
    assert "heim" not in repr(said)
    assert "***" in str(busy.value)
