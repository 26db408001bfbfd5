"""Digests: what is told first, what waits and is said to wait, when, and how it reads."""

import email
import email.policy
import json
import logging
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import ValidationError

from pipeline.config import PipelineConfig
from pipeline.deliveries import deliver, outgoing
from pipeline.feeds.outcomes import FeedReport
from pipeline.feeds.state import Problem
from pipeline.history import History
from pipeline.ledger import Ledger
from pipeline.manifest import FEEDS
from pipeline.runs import CompleteRun, run_key
from pipeline.sinks import base
from pipeline.sinks.base import Delivery, DeliveryError
from pipeline.sinks.digest import DigestSettings
from pipeline.sinks.digest.message import Message
from pipeline.sinks.digest.sink import Digest
from pipeline.sinks.run_files import json_line
from tests.articles import hit, told
from tests.sinks.made_runs import NOW, about, dead_letter, evidence, make_run
from tests.sinks.receiver import Reply, receiving
from transforms.errors import ConfigError, Reason
from transforms.records import Alert, AlertArticle, AlertStory, Origin

# On Python 3.11 and 3.12 apprise imports a module that 3.13 has not.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

HOUR = timedelta(hours=1)


def alert(number: int, theme: str = "migration", **changes: Any) -> Alert:
    """An alert on a story of its own; `sources` are how many have it."""
    sources = changes.pop("sources", 1)
    article = {
        "article_id": f"1{number:032x}",
        "url": f"https://paper.example/{number}",
        "title": f"Law {number}",
        "source": "Paper",
        "language": "en",
        "authors": (),
        "published_at": NOW - HOUR,
        "published_from": "feed",
        "seen_at": NOW,
        "text_hash": "0" * 64,
        "origin": Origin(path="feed"),
    } | changes.pop("article", {})
    values: dict[str, Any] = {
        "alert_id": f"{theme}-{number}-{changes.get('kind', 'alert')}",
        "theme": theme,
        "theme_version": "0123456789abcdef",
        "codes": {},
        "level": "focus",
        "score": 3.0,
        "backfill": False,
        "story": AlertStory(
            story_id=f"2{number:032x}",
            articles=sources,
            sources=tuple(f"Paper {n}" for n in range(sources)),
            article_ids=(f"1{number:032x}",),
        ),
        "article": AlertArticle(**article),
        "evidence": (evidence("The asylum law is new.", "asylum law"),),
    }
    if changes.get("kind") == "cancel":
        values["evidence"] = ()
    if changes.get("kind", "alert") != "alert":
        values["refers_to"] = f"{theme}-{number}-alert"
    return Alert(**(values | changes))


class Team:
    """A monitor with digests for one team, whose clock is in the hands of the test."""

    def __init__(self, out: Path, **settings: Any) -> None:
        self.out = out
        self.now = NOW + timedelta(minutes=1)
        self.messages: list[Message] = []
        self.variables: list[tuple[str, str]] = []
        self.failing = ""
        self.set(**settings)

    def set(self, **settings: Any) -> None:
        values = {
            "kind": "digest",
            "name": "digest",
            "routes": [{"name": "team", "to": ["$TEAM_MAIL"]}],
        }
        self.settings = DigestSettings.model_validate(values | settings)

    def run(self, sequence: int, *alerts: Alert, **made: Any) -> CompleteRun:
        return make_run(self.out, alerts=alerts, sequence=sequence, **made)

    def _send(self, variable: str, url: str, message: Message) -> None:
        if self.failing:
            raise DeliveryError(self.failing)
        self.variables.append((variable, url))
        self.messages.append(message)

    def deliver(self, run: CompleteRun, part: str = "team/TEAM_MAIL") -> list[Message]:
        """The messages that a delivery sends."""
        digest = Digest(
            self.settings,
            self.out,
            environ={"TEAM_MAIL": "mailto://team", "OTHER": "json://other"},
            now=lambda: self.now,
            send=self._send,
        )
        before = len(self.messages)
        digest.deliver(Delivery(run, part, History(self.out), "", lambda _: None))
        digest.close()
        return self.messages[before:]

    def wait(self, run: CompleteRun) -> timedelta:
        """How long a delivery has to wait."""
        with pytest.raises(DeliveryError) as caught:
            self.deliver(run)
        assert caught.value.again
        return caught.value.after


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "out")


def titles(message: Message) -> list[str]:
    """What stands in a text, in order."""
    lines = message.text.splitlines()
    return [line.partition(". ")[2] for line in lines if line[:1].isdigit() and ". " in line]


# --- What is told, and in which order


def test_a_message_as_it_reads(team: Team) -> None:
    run = team.run(
        1,
        alert(1, sources=3),
        alert(1, "encryption", level="mention", score=1.0, sources=3),
        dead_letters=[dead_letter(1), dead_letter(2)],
        plain=5,
    )
    team.set(time_zone="Europe/Brussels")
    (message,) = team.deliver(run)
    assert message.title == "team: 1 story, 1 new, on encryption, migration"
    assert message.text == (
        "team: 1 story, 1 new, on encryption, migration\n"
        "\n"
        "1. Law 1\n"
        "   Paper, 24 November 2026, 06:00 CET, 3 sources\n"
        "   https://paper.example/1\n"
        "   migration: focus, new\n"
        '   "The *asylum law* is new."\n'
        "   encryption: mention, new\n"
        '   "The *asylum law* is new."\n'
        "\n"
        "1 run: 7 articles read, 5 classified.\n"
        "Dead letters: malformed_json 2.\n"
    )
    assert '<a href="https://paper.example/1">Law 1</a>' in message.html
    assert 'The <mark style="background: #ffe8a3">asylum law</mark> is new.' in message.html
    assert team.variables == [("$TEAM_MAIL", "mailto://team")]


def test_the_order_of_stories(team: Team) -> None:
    run = team.run(
        1,
        alert(1, kind="cancel"),
        alert(2, kind="update", change="rose_to_focus"),
        alert(3, level="mention", score=9.0, sources=9),
        alert(4, score=5.0),
        alert(5, sources=2),
        alert(6, score=6.0),
        alert(7, kind="update", change="gained_theme", level="mention"),
    )
    (message,) = team.deliver(run)
    assert titles(message) == [f"Law {number}" for number in (5, 6, 4, 3, 2, 7, 1)]
    assert "migration: focus, is about it now" in message.text
    assert "migration: mention, has the theme now" in message.text
    assert "migration: taken back" in message.text


def test_a_theme_that_another_article_shows_says_which(team: Team) -> None:
    other = {"source": "Blatt", "url": "https://blatt.example/", "title": "Ein Gesetz"}
    run = team.run(1, alert(1, "encryption", article=other, score=1.0), alert(1))
    (message,) = team.deliver(run)
    assert titles(message) == ["Law 1"]
    assert "   encryption: focus, new (Blatt)\n" in message.text
    assert "</em> (Blatt)" in message.html


def test_nothing_is_sent_where_there_is_nothing(team: Team) -> None:
    assert team.deliver(team.run(1)) == []
    (message,) = team.deliver(team.run(2, alert(1)))
    assert "2 runs:" in message.text  # the first one, too, is spoken of


def test_a_sign_of_life(team: Team) -> None:
    team.set(even_empty=True)
    run = team.run(1, plain=3)
    (message,) = team.deliver(run)
    assert message.title == "team: no stories"
    assert "1 run: 3 articles read, 3 classified." in message.text
    assert team.deliver(run) == []


def test_routes(team: Team) -> None:
    team.set(
        routes=[
            {"name": "team", "to": ["$TEAM_MAIL", "$OTHER"], "only": {"themes": ["migration"]}},
            {"name": "alarm", "to": ["$OTHER"], "only": {"sources": ["Blatt"]}},
        ]
    )
    assert team.settings.parts == ["team/TEAM_MAIL", "team/OTHER", "alarm/OTHER"]
    run = team.run(1, alert(1), alert(2, "encryption", article={"source": "Blatt"}))
    found = {part: titles(*team.deliver(run, part)) for part in team.settings.parts}
    assert found == {
        "team/TEAM_MAIL": ["Law 1"],
        "team/OTHER": ["Law 1"],
        "alarm/OTHER": ["Law 2"],
    }
    assert team.variables[1:] == [("$OTHER", "json://other")] * 2


def test_what_was_old_when_it_was_first_seen_is_counted(team: Team) -> None:
    run = team.run(1, alert(1), alert(2, backfill=True), alert(3, backfill=True))
    (message,) = team.deliver(run)
    assert titles(message) == ["Law 1"]
    assert "Not listed: 2, because they were old when they were first seen.\n" in message.text


def test_what_was_old_is_told_where_that_is_wanted(team: Team) -> None:
    team.set(routes=[{"name": "team", "to": ["$TEAM_MAIL"], "backfill": True}])
    (message,) = team.deliver(team.run(1, alert(2, backfill=True)))
    assert titles(message) == ["Law 2"]
    assert "Not listed" not in message.text


def report(url: str, outcome: str, failures: int, name: str | None = None) -> FeedReport:
    failed = outcome == "failed"
    return FeedReport.model_validate(
        {
            "url": url,
            "name": name,
            "tags": (),
            "outcome": outcome,
            "status": None,
            "seconds": 0.1,
            "problem": Problem(reason=Reason.TIMED_OUT, detail="it fell silent")
            if failed
            else None,
            "failures": failures,
            "format": None,
            "entries": 0,
            "new_entries": 0,
            "pages": 0,
            "pages_failed": 0,
            "identity": None,
            "oddities": (),
            "moved_to": None,
            "silent_since": None,
            "next_at": NOW,
        }
    )


def test_feeds_that_fail(team: Team) -> None:
    first = team.run(1)
    second = team.run(2, alert(1))
    reports = [
        [report("https://a.example/", "failed", 1), report("https://b.example/", "failed", 3)],
        [report("https://a.example/", "read", 0)],
    ]
    for run, said in zip((first, second), reports, strict=True):
        lines = b"".join(json_line(one) + b"\n" for one in said)
        (run.folder / FEEDS).write_bytes(lines)
    (message,) = team.deliver(first)
    assert "Feeds that fail: 1.\n- https://b.example/, 3 in a row: timed_out\n" in message.text
    assert "<br>https://b.example/, 3 in a row: timed_out" in message.html


# --- The budget


def test_what_is_over_the_budget_waits_for_the_next_message(team: Team) -> None:
    team.set(most_stories=2)
    run = team.run(1, *(alert(number, score=float(number)) for number in range(1, 6)))
    (first,) = team.deliver(run)
    assert titles(first) == ["Law 5", "Law 4"]
    why = "because a message has at most 2 stories."
    assert f"Held back: 3, {why} The next message has them.\n" in first.text
    assert f"Held back: 3, {why}" in first.html
    assert team.deliver(run) == []

    (second,) = team.deliver(team.run(2, alert(6, score=2.5)))
    assert titles(second) == ["Law 3", "Law 6"]  # by rank, whether they are new or have waited
    assert f"Held back before, and in this message: 1, {why}\n" in second.text
    assert f"Held back: 2, {why}" in second.text

    (third,) = team.deliver(team.run(3))
    assert titles(third) == ["Law 2", "Law 1"]
    assert f"Held back before, and in this message: 2, {why}" in third.text
    assert "Held back: " not in third.text
    assert team.deliver(team.run(4)) == []


def test_the_budget_of_a_day(team: Team) -> None:
    team.set(most_stories=2, most_a_day=3, time_zone="Europe/Brussels")
    (first,) = team.deliver(team.run(1, *map(alert, (1, 2, 3, 4, 5))))
    assert "Held back: 3, because a message has at most 2 stories." in first.text
    (second,) = team.deliver(team.run(2))
    assert titles(second) == ["Law 3"]
    assert "Held back: 2, because at most 3 stories are told a day." in second.text

    third = team.run(3, alert(6, sources=2))
    assert team.now + team.wait(third) == datetime(2026, 11, 24, 23, tzinfo=UTC)  # there, midnight
    team.now = datetime(2026, 11, 24, 23, tzinfo=UTC)
    (message,) = team.deliver(third)
    assert titles(message) == ["Law 6", "Law 4"]
    assert (
        "Held back before, and in this message: 1, because at most 3 stories are told a day."
        in message.text
    )


def test_what_has_waited_too_long_is_let_go_and_that_is_said(team: Team) -> None:
    team.set(most_stories=1, wait_at_most="2d")
    team.deliver(team.run(1, *map(alert, (1, 2, 3))))
    team.now += timedelta(days=2)
    (message,) = team.deliver(team.run(2, alert(4, level="mention")))
    assert titles(message) == ["Law 4"]
    assert "Let go: 2, because they had waited for more than 2d." in message.text


def test_what_was_never_held_back_is_not_let_go(team: Team) -> None:
    team.set(wait_at_most="2d")
    run = team.run(1, alert(1))
    team.now += timedelta(days=9)  # nobody could send for so long
    assert titles(*team.deliver(run)) == ["Law 1"]


# --- What supersedes what


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({"kind": "update", "change": "rose_to_focus"}, "migration: focus, new"),
        ({"kind": "update", "change": "lost_ground", "level": "mention"}, "mention, new"),
    ],
)
def test_an_update_of_what_was_not_told_is_new(team: Team, later: Any, said: str) -> None:
    team.set(most_stories=1)
    team.deliver(team.run(1, alert(1), alert(2, level="mention")))
    changed = alert(2, **later, article={"title": "Law 2, corrected"})
    (message,) = team.deliver(team.run(2, changed))
    assert titles(message) == ["Law 2, corrected"]
    assert said in message.text
    assert message.title == "team: 1 story, 1 new, on migration"


def test_what_is_taken_back_before_it_was_told_is_counted(team: Team) -> None:
    team.set(most_stories=1)
    team.deliver(team.run(1, alert(1), alert(2, level="mention")))
    (message,) = team.deliver(team.run(2, alert(2, kind="cancel"), alert(3)))
    assert titles(message) == ["Law 3"]
    assert "Taken back before they were told: 1." in message.text


def test_one_of_two_themes_is_taken_back_before_it_was_told(team: Team) -> None:
    team.set(most_stories=1)
    team.deliver(team.run(1, alert(1), alert(2, score=1.0), alert(2, "encryption", score=1.0)))
    (message,) = team.deliver(team.run(2, alert(2, kind="cancel")))
    assert message.title == "team: 1 story, 1 new, on encryption"
    assert "Taken back" not in message.text


# --- When


def test_quiet_hours(team: Team) -> None:
    team.set(quiet=[{"start": "20:00", "end": "07:00"}], time_zone="Europe/Brussels")
    team.now = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
    first, second = team.run(1, alert(1)), team.run(2, alert(2))
    assert team.wait(first) == timedelta(minutes=30)
    team.now += timedelta(minutes=30)
    (message,) = team.deliver(first)
    assert titles(message) == ["Law 1", "Law 2"]
    assert team.deliver(second) == []  # it was in the first one's message


def test_quiet_days(team: Team) -> None:
    quiet = [
        {"start": "00:00", "end": "00:00", "days": ["sat", "sun"]},
        {"start": "20:00", "end": "08:00"},
    ]
    team.set(quiet=quiet, time_zone="Europe/Brussels")
    team.now = datetime(2026, 11, 27, 21, tzinfo=UTC)  # a Friday
    run = team.run(1, alert(1))
    assert team.now + team.wait(run) == datetime(2026, 11, 30, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-29T00:59Z", "2026-03-29T01:00Z"),  # clocks jump from 2 to 3, to the end
        ("2026-10-25T00:30Z", "2026-10-25T02:00Z"),  # it is 2.30 twice
        ("2026-10-25T01:30Z", "2026-10-25T02:00Z"),
    ],
)
def test_quiet_hours_when_clocks_change(team: Team, now: str, until: str) -> None:
    team.set(quiet=[{"start": "01:00", "end": "03:00"}], time_zone="Europe/Brussels")
    team.now = datetime.fromisoformat(now)
    assert team.now + team.wait(team.run(1, alert(1))) == datetime.fromisoformat(until)


def test_a_message_a_day(team: Team) -> None:
    team.set(every="day", at="07:30", time_zone="Europe/Brussels")
    first = team.run(1, alert(1))  # it ended at 7.00 there
    second = team.run(2, alert(2))
    assert team.now + team.wait(first) == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    team.now = datetime(2026, 11, 24, 6, 31, tzinfo=UTC)
    assert titles(*team.deliver(first)) == ["Law 1", "Law 2"]
    assert team.deliver(second) == []
    third = team.run(13, alert(3))  # at 8.00
    assert team.now + team.wait(third) == datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    team.now = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    assert titles(*team.deliver(third)) == ["Law 3"]


# --- What a crash, or a service that is down, leaves


def test_what_was_not_taken_is_sent_the_next_time(team: Team) -> None:
    team.set(most_stories=1)
    first = team.run(1, alert(1), alert(2, level="mention"))
    team.failing = "$TEAM_MAIL did not take the message"
    with pytest.raises(DeliveryError, match="did not take"):
        team.deliver(first)
    team.failing = ""
    (message,) = team.deliver(first)
    assert titles(message) == ["Law 1"]
    assert "1 run:" in message.text
    assert "Held back before" not in message.text


def test_what_was_given_up_is_in_the_next_message(team: Team) -> None:
    first = team.run(1, alert(1))
    team.failing = "no"
    with pytest.raises(DeliveryError):
        team.deliver(first)
    # The outbox has given it up, and keep_runs has removed it.
    second = team.run(2, alert(2))
    shutil.rmtree(first.folder)
    team.failing = ""
    assert titles(*team.deliver(second)) == ["Law 1", "Law 2"]


def test_a_crash_after_sending_repeats_one_message_and_loses_none(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.set(most_stories=1)
    run = team.run(1, alert(1), alert(2, level="mention"))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.sinks.digest.sink.after_message", crash)
        with pytest.raises(KeyboardInterrupt):
            team.deliver(run)
    team.deliver(run)
    team.deliver(team.run(2))
    assert [titles(message) for message in team.messages] == [["Law 1"], ["Law 1"], ["Law 2"]]


def test_a_memory_that_cannot_be_read_is_a_failed_delivery(team: Team) -> None:
    run = team.run(1, alert(1))
    team.deliver(run)
    (path,) = (team.out / "digests").rglob("*.json")
    assert path == team.out / "digests" / "digest" / "team" / "TEAM_MAIL.json"
    path.write_text("{")
    with pytest.raises(DeliveryError, match=r"TEAM_MAIL\.json cannot be read"):
        team.deliver(run)


def test_a_sink_that_is_added_later_begins_with_its_first_run(team: Team) -> None:
    for number in range(1, 4):
        run = team.run(number, alert(number))
    (message,) = team.deliver(run)
    assert titles(message) == ["Law 3"]
    assert "1 run:" in message.text


# --- What others wrote


HOSTILE = (
    '</a><script>alert("1")</script> [Click](http://evil.example) @everyone <!channel>\n\u202egnp'
)


def test_what_others_wrote_is_text(team: Team) -> None:
    words = evidence(f"The <b>law</b> {HOSTILE}", "<b>law</b>")
    article = {"title": HOSTILE, "source": HOSTILE, "url": "javascript:alert(1)"}
    (message,) = team.deliver(team.run(1, alert(1, article=article, evidence=(words,))))
    assert "<script" not in message.html
    assert "&lt;script&gt;" in message.html
    assert "<b>" not in message.html
    assert "javascript:" not in message.html + message.text
    for command in ("@everyone", "<!channel>", "](http", "\u202e"):
        assert command not in message.text
    assert "Click" not in message.title
    assert len(titles(message)) == 1


def test_a_long_sentence_is_cut_around_the_words(team: Team) -> None:
    long = evidence(f"{'a ' * 2000}asylum law{' z' * 2000}", "asylum law")
    (message,) = team.deliver(team.run(1, alert(1, evidence=(long,))))
    assert "a *asylum law* z" in message.text
    assert len(message.text) < 1200


# --- Settings


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"routes": []}, "at least 1"),
        ({"routes": [{"name": "a", "to": []}]}, "at least 1"),
        ({"routes": [{"name": "a", "to": ["mailto://hush"]}]}, "pattern"),
        ({"routes": [{"name": "a", "to": ["$A"]}] * 2}, "two routes are called 'a'"),
        ({"time_zone": "Brussels"}, "no time zone"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
        ({"at": "7:30", "every": "day"}, "pattern"),
        ({"at": "07:30"}, "need one another"),
        ({"every": "day"}, "need one another"),
        ({"quiet": [{"start": 1200, "end": "07:00"}]}, "string"),
        ({"quiet": [{"start": "20:00", "end": "24:00"}]}, "pattern"),
        ({"quiet": [{"start": "00:00", "end": "00:00"}]}, "have no end"),
        ({"most_stories": 0}, "greater"),
    ],
)
def test_settings_that_cannot_be(team: Team, changes: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        team.set(**changes)


def test_settings_as_a_manifest_has_them(team: Team) -> None:
    team.set(quiet=[{"start": "20:00", "end": "07:00"}], wait_at_most="2d")
    dumped = team.settings.model_dump(mode="json")
    assert DigestSettings.model_validate(dumped) == team.settings


def test_a_variable_that_is_not_set(team: Team) -> None:
    team.set(routes=[{"name": "team", "to": ["$NOWHERE"]}])
    with pytest.raises(ConfigError, match="NOWHERE is not set"):
        team.deliver(team.run(1, alert(1)), "team/NOWHERE")


def test_what_has_to_be_installed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pipeline.sinks.digest.sink")
    monkeypatch.delitem(sys.modules, "pipeline.sinks.digest.target")
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"^digests need apprise: install policywire\[notify\]$"):
        team.settings.open(team.out)


# --- Over the network of this machine


class Mailbox:
    """A mail server; `refuse` is what it says instead of taking a message."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 # aiosmtpd's
        if self.refuse:
            return self.refuse
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        return "250 OK"


class _MailServer(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # it asks for itself there
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    server = _MailServer(box, hostname="127.0.0.1", port=0)
    server.start()
    who = "from=us@example.org&to=team@example.org"
    yield box, f"mailto://127.0.0.1:{server.port}?mode=insecure&{who}"
    server.stop()


def send(out: Path, run: CompleteRun, variable: str) -> None:
    settings = DigestSettings.model_validate(
        {"kind": "digest", "name": "d", "routes": [{"name": "team", "to": [f"${variable}"]}]}
    )
    digest = settings.open(out)
    digest.deliver(Delivery(run, f"team/{variable}", History(out), "", lambda _: None))


def test_a_mail(team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    box, url = mailbox
    monkeypatch.setenv("TEAM_MAIL", url)
    article = {"title": "Über Grenzen <b>&</b>"}
    send(team.out, team.run(1, alert(1, article=article)), "TEAM_MAIL")
    (mail,) = box.messages
    assert mail["Subject"] == "team: 1 story, 1 new, on migration"
    assert mail["To"] == "team@example.org"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "Über Grenzen &lt;b&gt;&amp;&lt;/b&gt;</a>" in html.get_content()
    assert '<mark style="background: #ffe8a3">asylum law</mark>' in html.get_content()
    assert "Über Grenzen <b>&</b>" in text.get_content()
    assert "asylum law" in text.get_content()


def test_a_mail_in_plain_text(team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    box, url = mailbox
    monkeypatch.setenv("TEAM_MAIL", f"{url}&format=text")
    send(team.out, team.run(1, alert(1)), "TEAM_MAIL")
    (mail,) = box.messages
    assert mail.get_content_type() == "text/plain"
    assert "https://paper.example/1" in mail.get_content()
    assert '"The *asylum law* is new."' in mail.get_content()


def test_a_mail_that_is_refused(team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    box, url = mailbox
    box.refuse = "554 not for hushword"
    monkeypatch.setenv("TEAM_MAIL", url + "&reply=hushword@example.org")
    with pytest.raises(DeliveryError) as caught:
        send(team.out, team.run(1, alert(1)), "TEAM_MAIL")
    assert str(caught.value).startswith("$TEAM_MAIL did not take the message: Sending email to ")
    for secret in ("hushword", "team@", "example.org"):
        assert secret not in str(caught.value)


def test_what_apprise_says_is_not_logged(
    team: Team, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = logging.StreamHandler()
    logging.getLogger().addHandler(heard)
    monkeypatch.setenv("TEAM_CHAT", "json://127.0.0.1:1/hushword")
    try:
        with pytest.raises(DeliveryError):
            send(team.out, team.run(1, alert(1)), "TEAM_CHAT")
    finally:
        logging.getLogger().removeHandler(heard)
    assert capfd.readouterr().err == ""


def test_a_service_that_is_posted_to(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    run = team.run(1, alert(1))
    with receiving(Reply(500), Reply()) as receiver:
        monkeypatch.setenv("TEAM_CHAT", f"json://127.0.0.1:{receiver.port}/hush?:a=hush")
        with pytest.raises(DeliveryError) as caught:
            send(team.out, run, "TEAM_CHAT")
        send(team.out, run, "TEAM_CHAT")
    assert "500" in str(caught.value)
    assert "hush" not in str(caught.value)
    refused, taken = (json.loads(one.body) for one in receiver.posted)
    assert refused == taken
    assert taken["title"] == "team: 1 story, 1 new, on migration"
    assert '"The *asylum law* is new."' in taken["message"]


def test_html_that_would_have_to_be_cut_is_sent_as_text(
    team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.email.base import NotifyEmail

    box, url = mailbox
    monkeypatch.setattr(NotifyEmail, "body_maxlen", 1000)
    monkeypatch.setattr(NotifyEmail, "request_rate_per_sec", 0)
    monkeypatch.setenv("TEAM_MAIL", url)
    send(team.out, team.run(1, *map(alert, range(20))), "TEAM_MAIL")
    assert len(box.messages) > 2
    assert {mail.get_content_type() for mail in box.messages} == {"text/plain"}
    whole = "".join("".join(mail.get_content().split()) for mail in box.messages)
    assert all(f"Law{number}Paper" in whole for number in range(20))


def test_what_is_no_address(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_CHAT", "hush://hush")
    with pytest.raises(DeliveryError, match=r"^\$TEAM_CHAT holds no URL that apprise knows$"):
        send(team.out, team.run(1, alert(1)), "TEAM_CHAT")


def test_out_of_the_outbox(
    team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each address by itself: one that fails holds up no other."""
    box, url = mailbox
    monkeypatch.setitem(base.KINDS, "digest", "pipeline.sinks.digest:DigestSettings")
    monkeypatch.setenv("TEAM_MAIL", url)
    monkeypatch.setenv("TEAM_CHAT", "hush://hush")
    routes = [{"name": "team", "to": ["$TEAM_CHAT", "$TEAM_MAIL"]}]
    sink = {"kind": "digest", "name": "d", "routes": routes}
    config = PipelineConfig.model_validate({"sinks": [sink]})
    articles = told(about(1, hit("migration")))
    run = make_run(team.out, articles)
    key = run_key(run.manifest)
    with Ledger.open(config.ledger.url_below(team.out), create=True) as ledger:
        ledger.apply(key, 1, NOW, (), outgoing(config.sinks, key, 1, NOW))
    (outcome,) = deliver(config, team.out)
    assert outcome.delivered == 1
    assert [one.part for one in outcome.failed] == ["team/TEAM_CHAT"]
    assert len(box.messages) == 1


def test_what_waits_for_its_hour_has_not_failed(
    team: Team, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(base.KINDS, "digest", "pipeline.sinks.digest:DigestSettings")
    monkeypatch.setenv("TEAM_MAIL", mailbox[1])
    now = datetime.now(UTC)
    hours = {
        "start": f"{now - timedelta(hours=1):%H:%M}",
        "end": f"{now + timedelta(hours=2):%H:%M}",
    }
    sink = {
        "kind": "digest",
        "name": "d",
        "routes": [{"name": "team", "to": ["$TEAM_MAIL"]}],
        "quiet": [hours],
        "time_zone": "UTC",
    }
    deliveries = {"attempts": 1}
    config = PipelineConfig.model_validate({"sinks": [sink], "deliveries": deliveries})
    run = make_run(team.out, told(about(1, hit("migration"))))
    key = run_key(run.manifest)
    with Ledger.open(config.ledger.url_below(team.out), create=True) as ledger:
        ledger.apply(key, 1, NOW, (), outgoing(config.sinks, key, 1, NOW))
        (outcome,) = deliver(config, team.out)
        assert (outcome.delivered, outcome.failed, outcome.problem) == (0, (), "")
        (waiting,) = ledger.outbox.pending("d", "team/TEAM_MAIL")
        assert waiting.attempts == 0
        assert waiting.next_at > now + timedelta(hours=1)
    assert mailbox[0].messages == []
