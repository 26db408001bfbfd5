"""What was fetched is read again as it was."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.feeds import spool
from pipeline.feeds.spool import Spool, Unread, read_spooled, spooled_files
from pipeline.sources.files import spooled_spans
from pipeline.sources.readers import Limits, read_span
from transforms.errors import Reason
from transforms.records import FeedContext, Mark, Origin, Page, RawDocument

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
numbers = st.integers(min_value=0, max_value=2**48)

documents = st.builds(
    RawDocument,
    origin=st.builds(Origin, path=st.text(min_size=1)),
    format=st.just("feed"),
    payload=st.binary(max_size=200),
    encoding=st.sampled_from([None, "utf-8"]),
    seen_at=st.just(NOW),
    feed=st.builds(
        FeedContext,
        url=st.text(),
        base_url=st.text(),
        known=st.lists(
            st.builds(Mark, guid=numbers, link=numbers, text=numbers, time=st.none() | numbers),
            max_size=3,
        ).map(tuple),
        pages=st.lists(
            st.builds(Page, url=st.text(), payload=st.none() | st.binary(max_size=20)), max_size=2
        ).map(tuple),
    ),
)
unread = st.builds(
    Unread,
    origin=st.builds(Origin, path=st.text(min_size=1)),
    reason=st.sampled_from(Reason),
    detail=st.text(),
    excerpt=st.binary(max_size=20),
)


@given(st.lists(documents | unread, max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_spooled_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, items: list[RawDocument | Unread]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with Spool(folder) as opened:
        for item in items:
            opened.add(item)
    assert [item for path in spooled_files(folder) for item in read_spooled(path)] == items


def test_files_are_cut_to_share_them_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_FILE_BYTES", 1000)
    with Spool(tmp_path) as opened:
        for number in range(10):
            opened.add(
                RawDocument(
                    origin=Origin(path=str(number)), format="feed", payload=b"x" * 600, seen_at=NOW
                )
            )
    spans = spooled_spans(tmp_path)
    assert [span.name for span in spans] == [f"inputs/feeds/000{n}.jsonl.zst" for n in range(1, 6)]
    read = [one for span in spans for one in read_span(span, Limits(1, 1), NOW)]
    assert [one.origin.path for one in read if isinstance(one, RawDocument)] == list("0123456789")


def test_what_could_not_be_had_becomes_an_error(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        gone = Unread(origin=Origin(path="https://x"), reason=Reason.GONE, detail="answered 410")
        opened.add(gone)
    (span,) = spooled_spans(tmp_path)
    ((origin, error, _),) = read_span(span, Limits(1, 1), NOW)
    assert (origin.path, error.reason) == ("https://x", Reason.GONE)


def test_nothing_fetched_makes_no_files(tmp_path: Path) -> None:
    with Spool(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
