"""Alerts as signed batches of events: what is in them, and what becomes of those not taken."""

import base64
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import standardwebhooks
from pydantic import ValidationError

from pipeline.burst_alerts import BURSTS
from pipeline.config import PipelineConfig
from pipeline.deliveries import deliver, outgoing
from pipeline.history import History, alerts_of
from pipeline.ledger import Ledger
from pipeline.manifest import alert_file
from pipeline.runs import CompleteRun, run_key
from pipeline.sinks import base
from pipeline.sinks.base import Delivery, DeliveryError
from pipeline.sinks.webhook import Webhook, WebhookSettings, sign
from tests.articles import hit, told
from tests.sinks.made_runs import NOW, about, make_run
from tests.sinks.receiver import Posted, Receiver, Reply, receiving
from transforms.errors import ConfigError
from transforms.records import Baseline, BurstAlert

OLD = "whsec_" + base64.b64encode(b"the old key, of 32 bytes, we say").decode()
NEW = "whsec_" + base64.b64encode(b"the new key, of 32 bytes, we say").decode()

_AUTHORITIES = httpx.create_ssl_context()  # takes longer than most tests


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: _AUTHORITIES)
    monkeypatch.setenv("HOOK_OLD", OLD)
    monkeypatch.setenv("HOOK_NEW", NEW)


@pytest.fixture
def run(tmp_path: Path) -> CompleteRun:
    """Five alerts: one on encryption, then four on migration."""
    both = (hit("encryption", level="mention", score=1.5), hit("migration"))
    stories = [
        told(about(1, *both, source="The Paper", tags=("press", "uk"))),
        told(about(2, language="de", source="Blatt")),
        told(about(3, hours=500)),
        told(about(4, hit(level="mention", score=1.0))),
    ]
    return make_run(tmp_path / "out", [article for story in stories for article in story])


def settings(url: str, **changes: Any) -> WebhookSettings:
    values = {
        "kind": "webhook",
        "name": "hook",
        "url": url,
        "secrets": ["$HOOK_OLD"],
        "allow_private": ["127.0.0.1"],
    }
    return WebhookSettings.model_validate(values | changes)


class Attempts:
    """Deliveries of one run to one webhook; what is noted is kept from one to the next."""

    def __init__(self, run: CompleteRun, chosen: WebhookSettings) -> None:
        self.run = run
        self.settings = chosen
        self.progress = ""
        self.waits: list[float] = []

    def deliver(self, **changes: Any) -> None:
        def note(progress: str) -> None:
            self.progress = progress

        chosen = self.settings.model_copy(update=changes)
        webhook = chosen.open(self.run.folder)
        assert isinstance(webhook, Webhook)
        webhook._sleep = self.waits.append
        history = History(self.run.folder.parent.parent)
        try:
            webhook.deliver(Delivery(self.run, "", history, self.progress, note))
        finally:
            webhook.close()

    def fail(self, **changes: Any) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            self.deliver(**changes)
        return caught.value


def lines(run: CompleteRun) -> list[bytes]:
    names = [alert_file(theme) for theme in run.manifest.alerts]
    return [line for name in names for line in (run.folder / name).read_bytes().splitlines()]


def events(*posted: Posted) -> list[dict[str, Any]]:
    return [event for one in posted for event in orjson.loads(one.body)]


def sent(run: CompleteRun, **changes: Any) -> list[Posted]:
    with receiving() as receiver:
        Attempts(run, settings(receiver.url(), **changes)).deliver()
    return receiver.posted


# --- What is sent


def test_an_event_holds_the_alert_as_its_file_has_it(run):
    (posted,) = sent(run)
    assert posted.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
    in_files = lines(run)
    assert len(in_files) == 5
    for event, line in zip(events(posted), in_files, strict=True):
        assert line in posted.body
        assert event.pop("data") == orjson.loads(line)
        assert event == {
            "specversion": "1.0",
            "id": orjson.loads(line)["alert_id"],
            "source": "urn:policywire",
            "type": "org.policywire.alert.v1",
            "subject": orjson.loads(line)["theme"],
            "time": "2026-11-24T06:00:00Z",
            "datacontenttype": "application/json",
            "dataschema": "urn:policywire:alert:1",
        }
    assert len({event["id"] for event in events(posted)}) == 5


def test_updates_and_cancels_are_events_of_their_own_types(run, tmp_path):
    first, second, *_ = alerts_of(run)
    update = second.model_copy(update={"kind": "update", "refers_to": "a", "alert_id": "b"})
    cancel = first.model_copy(update={"kind": "cancel", "evidence": (), "alert_id": "c"})
    later = make_run(tmp_path / "later", alerts=[update, cancel])
    found = [(event["type"], event["id"]) for event in events(*sent(later))]
    assert found == [("org.policywire.cancel.v1", "c"), ("org.policywire.update.v1", "b")]


BURST = BurstAlert(
    alert_id="b1",
    theme="migration",
    by="language",
    group="en",
    bucket_start=datetime(2026, 11, 23, tzinfo=UTC),
    bucket_end=datetime(2026, 11, 24, tzinfo=UTC),
    stories=9,
    monitored=90,
    baseline=Baseline(compared_with="weekday", expected=2.5, low=0, high=6),
    told=(),
)


@pytest.mark.parametrize(
    ("only", "is_sent"),
    [
        ({"kinds": ["burst"]}, True),
        ({"kinds": ["burst"], "themes": ["migration"], "languages": ["en"]}, True),
        ({"kinds": ["burst"], "levels": ["focus"], "sources": ["Paper"]}, True),
        ({"kinds": ["burst"], "themes": ["encryption"]}, False),
        ({"kinds": ["burst"], "languages": ["de"]}, False),
        ({"kinds": ["cancel"]}, False),
    ],
)
def test_bursts_are_events_after_the_alerts(tmp_path, only, is_sent):
    run = make_run(tmp_path / "out")
    (run.folder / BURSTS).write_text(BURST.model_dump_json() + "\n")
    found = events(*sent(run, only=only))
    assert [(one["type"], one["id"], one["dataschema"]) for one in found] == (
        [("org.policywire.burst.v1", "b1", "urn:policywire:burst:1")] if is_sent else []
    )
    assert all(BurstAlert.model_validate(one["data"]) == BURST for one in found)


def test_a_run_without_alerts_sends_nothing(tmp_path):
    assert sent(make_run(tmp_path / "out")) == []


def test_the_published_example_of_a_signature():
    # Of the tests of https://github.com/standard-webhooks/standard-webhooks.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("known", [OLD, NEW])
def test_whoever_knows_one_of_the_secrets_can_verify(run, known):
    (posted,) = sent(run, secrets=["$HOOK_OLD", "$HOOK_NEW"])
    found = standardwebhooks.Webhook(known).verify(posted.body, dict(posted.headers))
    assert found == events(posted)
    assert len(posted.headers["webhook-signature"].split(" ")) == 2


def test_whoever_knows_another_one_cannot(run):
    (posted,) = sent(run)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(NEW).verify(posted.body, dict(posted.headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(OLD).verify(posted.body + b" ", dict(posted.headers))


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (5, [5]), (6, [5])]
)
def test_batches_of_so_many_events(run, most, sizes):
    posted = sent(run, most_events=most)
    assert [len(events(one)) for one in posted] == sizes
    assert [event["data"] for event in events(*posted)] == list(map(orjson.loads, lines(run)))


def test_batches_of_so_many_bytes(run):
    (whole,) = sent(run)
    alone = max(len(one.body) for one in sent(run, most_events=1))
    assert [len(events(one)) for one in sent(run, most_bytes=len(whole.body))] == [5]
    assert len(sent(run, most_bytes=len(whole.body) - 1)) == 2
    for most in (alone, 2 * alone, 3 * alone):
        posted = sent(run, most_bytes=most)
        assert all(len(one.body) <= most for one in posted)
        assert len(events(*posted)) == 5
    # An event is never left out for its size.
    assert [len(events(one)) for one in sent(run, most_bytes=10)] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("only", "numbers"),
    [
        ({}, [1, 1, 2, 3, 4]),
        ({"themes": ["encryption"]}, [1]),
        ({"themes": ["migration"], "levels": ["focus"]}, [1, 2, 3]),
        ({"levels": ["mention"]}, [1, 4]),
        ({"languages": ["de", "fr"]}, [2]),
        ({"sources": ["the paper", "BLATT"]}, [1, 1, 2]),
        ({"tags": ["uk", "eu"]}, [1, 1]),
        ({"kinds": ["update", "cancel"]}, []),
    ],
)
def test_what_is_selected(run, only, numbers):
    titles = [event["data"]["article"]["title"] for event in events(*sent(run, only=only))]
    assert titles == [f"Law {number}" for number in numbers]


# --- What becomes of what is not taken


def test_what_was_taken_is_not_sent_again(run):
    replies = [Reply(), Reply(400), Reply()]
    with receiving(*replies) as receiver:
        attempts = Attempts(run, settings(receiver.url(), most_events=2))
        error = attempts.fail()
        assert (str(error), error.again) == ("127.0.0.1 answered 400", True)
        attempts.deliver()
    first, refused, again, last = receiver.posted
    assert refused.body == again.body
    assert refused.headers["webhook-id"] == again.headers["webhook-id"]
    assert [len(events(one)) for one in (first, again, last)] == [2, 2, 1]


def test_batches_of_another_size_go_on_where_the_first_ended(run):
    with receiving(Reply(), Reply(500), Reply()) as receiver:
        attempts = Attempts(run, settings(receiver.url(), most_events=2, retries=0))
        attempts.fail()
        attempts.deliver(most_events=1)
    taken = [receiver.posted[0], *receiver.posted[2:]]
    assert [event["data"] for event in events(*taken)] == list(map(orjson.loads, lines(run)))


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again_at_once(run, status):
    with receiving(Reply(status), Reply(status), Reply()) as receiver:
        attempts = Attempts(run, settings(receiver.url()))
        attempts.deliver()
    assert attempts.waits == [1.0, 2.0]
    assert len({one.headers["webhook-id"] for one in receiver.posted}) == 1
    for one in receiver.posted:
        standardwebhooks.Webhook(OLD).verify(one.body, dict(one.headers))


def test_in_the_end_it_is_left_to_the_next_attempt(run):
    with receiving(Reply(503)) as receiver:
        error = Attempts(run, settings(receiver.url(), retries=1)).fail()
    assert (str(error), error.again, error.after) == (
        "127.0.0.1 answered 503",
        True,
        timedelta(),
    )
    assert len(receiver.posted) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422])
def test_what_does_not_pass_is_not_tried_again_at_once(run, status):
    with receiving(Reply(status)) as receiver:
        attempts = Attempts(run, settings(receiver.url()))
        error = attempts.fail()
    assert (error.again, len(receiver.posted), attempts.progress) == (True, 1, "")


def test_an_endpoint_that_is_gone_is_not_asked_again(run):
    with receiving(Reply(410)) as receiver:
        error = Attempts(run, settings(receiver.url())).fail()
    assert not error.again
    assert len(receiver.posted) == 1


def test_a_short_retry_after_is_waited_for(run):
    with receiving(Reply(429, {"Retry-After": "7"}), Reply()) as receiver:
        attempts = Attempts(run, settings(receiver.url()))
        attempts.deliver()
    assert len(attempts.waits) == 1
    assert 5 < attempts.waits[0] <= 7


@pytest.mark.parametrize("as_date", [False, True])
def test_a_long_retry_after_is_for_the_next_attempt(run, as_date):
    moment = datetime.now(UTC) + timedelta(hours=1)
    value = format_datetime(moment, usegmt=True) if as_date else "3600"
    with receiving(Reply(503, {"Retry-After": value})) as receiver:
        attempts = Attempts(run, settings(receiver.url()))
        error = attempts.fail()
    assert timedelta(minutes=59) < error.after <= timedelta(hours=1)
    assert (len(receiver.posted), attempts.waits) == (1, [])


def test_private_addresses_are_for_those_who_are_allowed_to(run):
    with receiving() as receiver:
        error = Attempts(run, settings(receiver.url(), allow_private=[])).fail()
    assert "not of the public internet" in str(error)
    assert not receiver.posted


# --- Secrets


def test_the_address_may_be_secret(run, monkeypatch):
    with receiving() as receiver:
        monkeypatch.setenv("HOOK_URL", receiver.url("/hook?token=hush"))
        Attempts(run, settings("$HOOK_URL")).deliver()
    assert [one.path for one in receiver.posted] == ["/hook?token=hush"]


def test_no_secret_is_told(run, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    with receiving(Reply(500)) as receiver:
        monkeypatch.setenv("HOOK_URL", receiver.url("/hook?token=hush"))
        attempts = Attempts(run, settings("$HOOK_URL", retries=0))
        error = attempts.fail()
    said = [str(error), repr(error), caplog.text, repr(attempts.settings)]
    for secret in ("hush", OLD, OLD.removeprefix("whsec_")):
        assert not [one for one in said if secret in one]
    assert "whsec" not in receiver.posted[0].headers["webhook-signature"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("$HOOK_URL", "$HOOK_URL"),
        ("https://hooks.example:8443/T00/B00/hush?a=hush", "https://hooks.example:8443/***"),
    ],
)
def test_settings_as_they_are_shown(url, shown):
    masked = settings(url).without_secrets()
    assert masked.url == shown
    assert WebhookSettings.model_validate(masked.model_dump(mode="json")) == masked


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not*base64*but*long*enough*for*that",
        OLD.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_secret_that_is_none(monkeypatch, tmp_path, secret):
    if secret is None:
        monkeypatch.delenv("HOOK_OLD")
    else:
        monkeypatch.setenv("HOOK_OLD", secret)
    with pytest.raises(ConfigError, match="HOOK_OLD") as caught:
        settings("https://hooks.example/").open(tmp_path)
    held = (secret or "").removeprefix("whsec_")
    assert not held or held not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://hush.example/", "hush", "https://u:hush@hooks.example/"])
def test_an_address_in_the_environment_that_is_none(monkeypatch, tmp_path, url):
    monkeypatch.setenv("HOOK_URL", url)
    with pytest.raises(ConfigError, match=r"^\$HOOK_URL holds no URL$"):
        settings("$HOOK_URL").open(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "hooks.example"},
        {"url": "$HOOK-URL"},
        {"secrets": []},
        {"secrets": [OLD]},
        {"most_events": 0},
        {"allow_private": ["10.0.0.1/8"]},
        {"only": {"levels": ["high"]}},
        {"source": "two words"},
        {"timeout": "0s"},
    ],
)
def test_settings_that_cannot_be(changes):
    with pytest.raises(ValidationError) as caught:
        settings(**({"url": "https://hooks.example/"} | changes))
    assert caught.value.errors()[0]["loc"][0] == next(iter(changes))


# --- Out of the outbox


@pytest.fixture
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.KINDS, "webhook", "pipeline.sinks.webhook:WebhookSettings")


def put_out(run: CompleteRun, config: PipelineConfig) -> None:
    out = run.folder.parent.parent
    key = run_key(run.manifest)
    with Ledger.open(config.ledger.url_below(out), create=True) as ledger:
        ledger.apply(key, 1, NOW, (), outgoing(config.sinks, key, 1, NOW))


@pytest.mark.usefixtures("_kind")
def test_from_a_configuration_to_an_endpoint(run):
    out = run.folder.parent.parent
    with receiving() as receiver:
        sink = settings(receiver.url()).model_dump(mode="json")
        config = PipelineConfig.model_validate({"sinks": [sink]})
        put_out(run, config)
        (first,) = deliver(config, out)
        (second,) = deliver(config, out)
    assert (first.delivered, first.problem, second.delivered) == (1, "", 0)
    assert len(events(*receiver.posted)) == 5


@pytest.mark.usefixtures("_kind")
def test_an_endpoint_that_is_gone_is_a_dead_delivery(run):
    out = run.folder.parent.parent
    with receiving(Reply(410)) as receiver:
        sink = settings(receiver.url()).model_dump(mode="json")
        config = PipelineConfig.model_validate({"sinks": [sink]})
        put_out(run, config)
        (outcome,) = deliver(config, out)
    (dead,) = outcome.failed
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert "the endpoint is gone" in dead.error


def test_a_receiver_that_is_not_there(run):
    receiver = Receiver()
    with receiving() as gone:
        receiver.port = gone.port
    error = Attempts(run, settings(receiver.url(), retries=0)).fail()
    assert error.again
    assert "127.0.0.1" in str(error)
