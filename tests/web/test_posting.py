"""What is posted arrives once, where it was meant to, or an error says why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx
import pytest

from pipeline.web import FetchError, FetchSettings, Poster
from tests.sinks.receiver import Receiver, Reply, receiving
from transforms.errors import Reason

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_authorities = cache(httpx.create_ssl_context)


@contextmanager
def posting(allowed: tuple[str, ...] = ("127.0.0.0/8",), **options: object) -> Iterator[Poster]:
    settings = FetchSettings(user_agent="policywire/9", allowed=allowed, **options)  # type: ignore[arg-type]
    poster = Poster(settings, ssl_context=_authorities(), now=lambda: NOON)
    try:
        yield poster
    finally:
        poster.close()


def failing(poster: Poster, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        poster.post(url, b"{}", {})
    return caught.value


@pytest.mark.parametrize("status", [200, 202, 204])
def test_what_is_taken(status):
    with receiving(Reply(status)) as receiver, posting() as poster:
        poster.post(receiver.url("/hook?key=7"), b'{"a": "\xc3\xa4"}', {"webhook-id": "msg_1"})
        poster.post(receiver.url(), b"", {})
    first, second = receiver.posted
    assert (first.path, first.body) == ("/hook?key=7", b'{"a": "\xc3\xa4"}')
    assert first.headers["webhook-id"] == "msg_1"
    assert first.headers["user-agent"] == "policywire/9"
    assert (second.path, second.body) == ("/hook", b"")
    assert len(set(receiver.connections)) == 1  # it is kept


@pytest.mark.parametrize(
    ("status", "reason", "passing"),
    [
        (400, Reason.HTTP_ERROR, False),
        (404, Reason.HTTP_ERROR, False),
        (410, Reason.GONE, False),
        (429, Reason.HTTP_ERROR, True),
        (500, Reason.HTTP_ERROR, True),
    ],
)
def test_what_is_refused(status, reason, passing):
    reply = Reply(status, {"Retry-After": "90"}, b"secret page")
    with receiving(reply) as receiver, posting() as poster:
        error = failing(poster, receiver.url())
    assert (error.status, error.reason, error.passing) == (status, reason, passing)
    assert error.retry_after == NOON + timedelta(seconds=90)
    assert str(error) == f"127.0.0.1 answered {status}"
    assert len(receiver.posted) == 1  # trying again is for those who know what it is about


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    with receiving() as elsewhere:
        there = Reply(status, {"Location": elsewhere.url()})
        with receiving(there) as receiver, posting() as poster:
            error = failing(poster, receiver.url())
    assert (error.status, error.passing) == (status, False)
    assert not elsewhere.posted


def test_an_answer_that_breaks_off_after_its_status():
    # The status says that it was taken.
    reply = Reply(200, {"Content-Length": "9", "Connection": "close"})
    with receiving(reply) as receiver, posting() as poster:
        poster.post(receiver.url(), b"{}", {})
        poster.post(receiver.url(), b"{}", {})
    assert len(set(receiver.connections)) == 2


def test_an_answer_without_end_is_not_read_to_it():
    with receiving(Reply(200, body=b"x" * 10_000_000)) as receiver, posting() as poster:
        poster.post(receiver.url(), b"{}", {})
        poster.post(receiver.url(), b"{}", {})
    assert len(receiver.posted) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::1]:{}"])
def test_private_addresses_are_for_those_who_are_allowed_to(url):
    with receiving() as receiver, posting(allowed=("10.0.0.0/8",)) as poster:
        error = failing(poster, url.format(receiver.port))
    assert (error.reason, error.passing) == (Reason.FORBIDDEN_ADDRESS, False)
    assert not receiver.posted


def test_a_host_by_its_name_alone():
    with receiving() as receiver, posting(allowed=("localhost",)) as poster:
        poster.post(f"http://localhost:{receiver.port}/", b"{}", {})
        assert failing(poster, receiver.url()).reason is Reason.FORBIDDEN_ADDRESS
    assert len(receiver.posted) == 1


def test_nobody_is_there():
    receiver = Receiver()
    with receiving() as gone:
        receiver.port = gone.port
    with posting() as poster:
        error = failing(poster, receiver.url())
    assert (error.reason, error.passing, error.status) == (Reason.UNREACHABLE, True, None)


def test_an_answer_that_does_not_come():
    with receiving(Reply(after=1.0)) as receiver, posting(read_timeout=0.1) as poster:
        error = failing(poster, receiver.url())
    assert (error.reason, error.passing, error.status) == (Reason.TIMED_OUT, True, None)


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://u:p@example.org/", "http://", "x"])
def test_what_is_no_url(url):
    with posting() as poster:
        assert failing(poster, url).reason is Reason.BAD_URL


def test_a_header_that_no_request_may_have():
    with posting() as poster, pytest.raises(ValueError, match="no header"):
        poster.post("http://127.0.0.1/", b"", {"webhook-id": "a\r\nb: c"})
