"""A digest as people read it: as plain text, and as HTML."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import jinja2

from pipeline.feeds.outcomes import FeedReport
from pipeline.history import feed_reports_of
from pipeline.quantities import write_span
from pipeline.quoting import marked, one_line, web_link
from pipeline.runs import CompleteRun
from pipeline.sinks.digest.queue import Because, Choice, Memory, Waiting
from pipeline.sinks.digest.settings import DigestSettings

_TITLE: Final = 300  # characters
_SENTENCE: Final = 600
_MOST_FEEDS: Final = 10  # that are named
_CHANGES: Final = {
    "gained_theme": "has the theme now",
    "rose_to_focus": "is about it now",
    "lost_ground": "is no longer about it as it was",
}

# What services take for a mention of somebody, a command of theirs or a link.
_MEANT = re.compile(r"(?<=[<@])(?=\S)|(?<=\])(?=\()")
_WORD_JOINER: Final = "\u2060"  # is not seen


class Message(NamedTuple):
    """One message. Its title holds nothing that others wrote."""

    title: str
    text: str
    html: str


class Covered(NamedTuple):
    """What the runs did that a message is about."""

    runs: int
    read: int
    classified: int
    dead_letters: dict[str, int]
    failing: tuple[FeedReport, ...]

    @classmethod
    def of(cls, runs: Iterable[CompleteRun]) -> Self:
        """Sum *runs* up, the oldest first; of each feed its newest report counts."""
        manifests = []
        dead_letters: Counter[str] = Counter()
        feeds: dict[str, FeedReport] = {}
        for run in runs:
            manifests.append(run.manifest)
            dead_letters.update({str(k): n for k, n in run.manifest.dead_letters.items()})
            feeds |= {report.url: report for report in feed_reports_of(run)}
        failing = (feeds[url] for url in sorted(feeds) if feeds[url].outcome == "failed")
        return cls(
            runs=len(manifests),
            read=sum(manifest.counts.read for manifest in manifests),
            classified=sum(manifest.counts.classified for manifest in manifests),
            dead_letters=dict(sorted(dead_letters.items())),
            failing=tuple(failing),
        )


def compose(
    team: str, choice: Choice, memory: Memory, covered: Covered, settings: DigestSettings
) -> Message:
    """Write a message."""
    title = _title(team, choice.told)
    values = {
        "title": title,
        "stories": choice.told,
        "notes": list(_notes(choice, memory, settings)),
        "covered": covered,
        "zone": settings.zone,
    }
    return Message(
        title,
        _TEXT.get_template("message.txt").render(values).strip() + "\n",
        _HTML.get_template("message.html").render(values),
    )


def _title(team: str, stories: tuple[Waiting, ...]) -> str:
    if not stories:
        return f"{team}: no stories"
    themes = sorted({piece.theme for story in stories for piece in story.pieces})
    new = sum(story.lead.kind == "alert" for story in stories)
    what = "1 story" if len(stories) == 1 else f"{len(stories)} stories"
    return f"{team}: {what}, {new} new, on {', '.join(themes)}"


def _notes(choice: Choice, memory: Memory, settings: DigestSettings) -> Iterable[str]:
    """What is not in the message, or was not in the last one, and why."""
    a_day = _stories(settings.most_a_day) if settings.most_a_day else "some"
    limits: dict[Because, str] = {
        "message": f"a message has at most {_stories(settings.most_stories)}",
        "day": f"at most {a_day} are told a day",
    }
    for because, number in _reasons(choice.told):
        yield f"Held back before, and in this message: {number}, because {limits[because]}."
    for because, number in _reasons(choice.held):
        yield f"Held back: {number}, because {limits[because]}. The next message has them."
    if memory.let_go:
        span = _span(settings.wait_at_most)
        yield f"Let go: {memory.let_go}, because they had waited for more than {span}."
    if memory.withdrawn:
        yield f"Taken back before they were told: {memory.withdrawn}."
    if memory.backfill:
        yield f"Not listed: {memory.backfill}, because they were old when they were first seen."


def _stories(number: int) -> str:
    return "1 story" if number == 1 else f"{number} stories"


def _reasons(stories: Iterable[Waiting]) -> list[tuple[Because, int]]:
    return sorted(Counter(story.because for story in stories if story.because).items())


def _span(span: timedelta) -> str:
    return write_span(span) if not span % timedelta(seconds=1) else str(span)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """As in '24 November 2026, 19:20 CET'."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M %Z}"


def _marked(piece: Any) -> tuple[str, str, str]:
    return marked(piece.sentence, piece.words, _SENTENCE)


def _plain(text: str) -> str:
    """*text* of others on one line."""
    return one_line(text, _TITLE)


def _meaningless(text: str) -> str:
    """*text* of others such that no service takes it for anything but text."""
    return _MEANT.sub(_WORD_JOINER, text)


def _environment(*, html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=html,  # noqa: S701 # plain text has nothing to escape
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        local=_local, marked=_marked, plain=_plain, meaningless=_meaningless, web_link=web_link
    )
    environment.globals.update(changes=_CHANGES, most_feeds=_MOST_FEEDS)
    return environment


_TEXT: Final = _environment(html=False)
_HTML: Final = _environment(html=True)
