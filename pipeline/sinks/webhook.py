"""Webhooks: alerts as CloudEvents 1.0, in batches that are signed as Standard Webhooks are."""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, Field

from pipeline import __version__
from pipeline.feeds.model import checked_url
from pipeline.quantities import PositiveSpan, Size
from pipeline.sinks.base import Delivery, DeliveryError, SinkSettings
from pipeline.sinks.selection import Selection
from pipeline.sinks.variables import Variable, value_of
from transforms.errors import ConfigError
from transforms.records import SCHEMA_VERSION, Alert, BurstAlert

if TYPE_CHECKING:  # a configuration is checked without them
    from pipeline.runs import CompleteRun
    from pipeline.web import Poster

_CONTENT_TYPE: Final = "application/cloudevents-batch+json; charset=utf-8"
_SCHEMA: Final = f"urn:policywire:{{}}:{SCHEMA_VERSION}"
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)  # what the specification of Standard Webhooks allows
_BACKOFF: Final = 1.0  # seconds before the first retry; doubles with each
_LONGEST_WAIT: Final = 10.0  # seconds; for more the delivery is tried another time
_GONE: Final = 410


def _host_or_network(value: str) -> str:
    from pipeline.web.addresses import Guard

    Guard([value])
    return value


class WebhookSettings(SinkSettings):
    """One endpoint.

    Attributes:
        url: Where to, or the environment variable that holds it.
        secrets: Variables with `whsec_` and a key in base64; each signs, so that one can be
            replaced by another without a gap.
        source: What the events say that they come from.
    """

    kind: Literal["webhook"]
    url: Variable | Annotated[str, AfterValidator(checked_url)]
    secrets: Annotated[tuple[Variable, ...], Field(min_length=1)]
    only: Selection = Selection()
    source: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")] = "urn:policywire"
    most_events: Annotated[int, Field(ge=1, le=10_000)] = 100
    most_bytes: Size = 256_000
    timeout: PositiveSpan = timedelta(seconds=20)
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    allow_private: tuple[Annotated[str, AfterValidator(_host_or_network)], ...] = ()

    def open(self, out: Path) -> "Webhook":
        from pipeline.web import FetchSettings, Poster

        url = self.url
        if url.startswith("$"):
            try:
                url = checked_url(value_of(url, os.environ))
            except ValueError:
                raise ConfigError(f"{self.url} holds no URL") from None  # which is secret
        keys = [_key(secret, os.environ) for secret in self.secrets]
        seconds = self.timeout.total_seconds()
        settings = FetchSettings(
            user_agent=f"policywire/{__version__}",
            connect_timeout=min(10.0, seconds),
            read_timeout=seconds,
            whole_timeout=seconds,
            allowed=self.allow_private,
        )
        return Webhook(self, url, keys, Poster(settings))

    def without_secrets(self) -> Self:
        """As it may be shown: without path and query, in which some services have a secret."""
        if self.url.startswith("$"):
            return self
        parts = urlsplit(self.url)
        return self.model_copy(update={"url": f"{parts.scheme}://{parts.netloc}/***"})


def _key(variable: str, environ: Mapping[str, str]) -> bytes:
    secret = value_of(variable, environ)
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ConfigError(
            f"{variable} holds no secret: that is {_PREFIX} and 24 to 64 bytes in base64"
        )
    return key


class Batch(NamedTuple):
    """Events that are sent together.

    Attributes:
        end: How many of the run's alerts, from the first on, are done with when it was taken.
    """

    body: bytes
    end: int

    @property
    def message_id(self) -> str:
        """What the receiver knows it by: the same whenever it is sent."""
        return f"msg_{hashlib.sha256(self.body).hexdigest()[:32]}"


class Webhook:
    """Sends each run's alerts, in the order of its files, and then its bursts.

    After each batch that was taken it is noted how far it has come. What is noted are
    alerts, not batches: those may be cut differently the next time.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        url: str,
        keys: Sequence[bytes],
        poster: "Poster",
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._url = url
        self._keys = keys
        self._poster = poster
        self._sleep = sleep

    def deliver(self, delivery: Delivery, /) -> None:
        done = int(delivery.progress or 0)
        for batch in batches(delivery.run, self._settings, done):
            self._send(batch)
            delivery.note(str(batch.end))

    def _send(self, batch: Batch) -> None:
        from pipeline.web import FetchError

        for retry in range(self._settings.retries + 1):
            try:
                self._poster.post(self._url, batch.body, self._headers(batch))
                return
            except FetchError as failed:
                error = failed
            if error.status == _GONE:
                raise DeliveryError(f"{error.detail}: the endpoint is gone", again=False)
            wait, after = min(_BACKOFF * 2.0**retry, _LONGEST_WAIT), timedelta()
            if error.retry_after is not None:
                after = max(after, error.retry_after - datetime.now(UTC))
                wait = after.total_seconds()
            last = retry == self._settings.retries
            if last or not error.passing or wait > _LONGEST_WAIT:
                raise DeliveryError(error.detail, after=after)
            self._sleep(wait)

    def _headers(self, batch: Batch) -> dict[str, str]:
        """Each attempt is signed anew: receivers refuse what is older than some minutes."""
        timestamp = int(time.time())
        signatures = (sign(key, batch.message_id, timestamp, batch.body) for key in self._keys)
        return {
            "Content-Type": _CONTENT_TYPE,
            "webhook-id": batch.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }

    def close(self) -> None:
        self._poster.close()


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message by Standard Webhooks, version 1."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(key, signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def batches(run: "CompleteRun", settings: WebhookSettings, done: int) -> Iterator[Batch]:
    """The events of a run that are selected, without its first *done* alerts.

    An event that is larger than a batch may be is sent alone.
    """
    from pipeline.burst_alerts import bursts_of
    from pipeline.history import alerts_of

    events: list[bytes] = []
    size = end = 0
    said: Iterator[Alert | BurstAlert] = chain(alerts_of(run), bursts_of(run))
    for number, alert in enumerate(said, 1):
        if number <= done or not settings.only.takes(alert):
            continue
        event = cloud_event(alert, run.manifest.as_of, settings.source)
        full = len(events) == settings.most_events
        if events and (full or size + len(event) + 2 > settings.most_bytes):
            yield _batch(events, end)
            events, size = [], 0
        events.append(event)
        size += len(event) + 1
        end = number
    if events:
        yield _batch(events, end)


def _batch(events: Sequence[bytes], end: int) -> Batch:
    return Batch(b"[" + b",".join(events) + b"]", end)


def cloud_event(alert: Alert | BurstAlert, as_of: datetime, source: str) -> bytes:
    """An alert as an event in JSON: the alert itself is in it as it is in its file."""
    schema = "burst" if isinstance(alert, BurstAlert) else "alert"
    event = {
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": source,
        "type": f"org.policywire.{alert.kind}.v{alert.schema_version}",
        "subject": alert.theme,
        "time": as_of,
        "datacontenttype": "application/json",
        "dataschema": _SCHEMA.format(schema),
        "data": orjson.Fragment(alert.model_dump_json()),
    }
    return orjson.dumps(event, option=orjson.OPT_UTC_Z)
