"""Sending a message to an address: one URL of apprise."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote

import apprise

from pipeline.sinks.base import DeliveryError
from pipeline.sinks.digest.message import Message

# It writes addresses into its log, and secrets with them.
_LOGGER = logging.getLogger("apprise")
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

_SHORTEST_SECRET: Final = 4  # characters; what is shorter may stand in any sentence


def send(variable: str, url: str, message: Message) -> None:
    """Send *message*.

    Args:
        variable: By what people know the address, which is secret.

    Raises:
        DeliveryError: it was not taken.
    """
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise DeliveryError(f"{variable} holds no URL that apprise knows")
    # HTML that has to be cut is none any more; and marks of Markdown might be anybody's.
    long = len(message.html) > service.body_maxlen
    if service.notify_format != apprise.NotifyFormat.HTML or long:
        service.notify_format = apprise.NotifyFormat.TEXT
    html = service.notify_format == apprise.NotifyFormat.HTML
    service.overflow_mode = apprise.OverflowMode.SPLIT
    with _heard() as warnings:
        taken = service.notify(
            title=message.title,
            body=message.html if html else message.text,
            body_format=service.notify_format,
        )
    if not taken:
        said = _without(url, "; ".join(warnings) or "no reason was given")
        raise DeliveryError(f"{variable} did not take the message: {said}")


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:  # other sinks are sending, too
            self.messages.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What apprise warns of meanwhile."""
    handler = _Heard()
    _LOGGER.addHandler(handler)
    try:
        yield handler.messages
    finally:
        _LOGGER.removeHandler(handler)


def _without(url: str, text: str) -> str:
    """*text* without anything that stands in *url*."""
    pieces = {*re.split(r"[^\w.%-]+", url), *re.split(r"[^\w.-]+", unquote(url))}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _SHORTEST_SECRET:
            text = text.replace(piece, "***")
    return text
