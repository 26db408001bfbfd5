"""The stories that wait to be told: how they are put in, ranked, held back and let go."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from transforms.records import Alert, Change, Level, Record

Kind: TypeAlias = Literal["alert", "update", "cancel"]
Because: TypeAlias = Literal["message", "day"]
_KINDS: tuple[Kind, ...] = ("alert", "update", "cancel")


class Piece(Record):
    """A theme of a story, and the article that shows it."""

    theme: str
    kind: Kind = Field(description="alert as long as nothing was told of it before.")
    change: Change | None
    level: Level
    score: float
    words: str = Field(description="Of the best evidence; empty for a cancel.")
    sentence: str
    title: str
    url: str | None
    source: str
    published_at: datetime

    @property
    def rank(self) -> tuple[int, bool, float, str]:
        """Sorts what says most of its story to the front."""
        return _KINDS.index(self.kind), self.level != "focus", -self.score, self.theme


class Waiting(Record):
    """A story that is to be told."""

    story_id: str
    sources: int = Field(description="How many have it.")
    since: datetime = Field(description="When the run was done that brought it first.")
    pieces: tuple[Piece, ...] = Field(description="By rank.")
    because: Because | None = Field(
        default=None, description="Of which limit it was held back; None as long as it is new."
    )

    @property
    def lead(self) -> Piece:
        """Its first piece: the story is new, or in focus, where this is."""
        return self.pieces[0]

    @property
    def rank(self) -> tuple[int, bool, int, float, datetime, str]:
        """Sorts what is to be told first to the front."""
        kind, mentioned, score, _ = self.lead.rank
        return kind, mentioned, -self.sources, score, self.since, self.story_id


class Memory(Record):
    """What is remembered of one address between two messages.

    The runs up to number `taken` are in it, and those up to `told` were in a message.
    """

    taken: int
    told: int
    waiting: tuple[Waiting, ...] = Field(default=(), description="By story_id.")
    day: date | None = Field(default=None, description="Of the last message.")
    told_that_day: int = Field(default=0, description="How many stories.")
    backfill: int = Field(default=0, description="Alerts since then that are no news.")
    withdrawn: int = Field(default=0, description="Stories since then, gone before they were told.")
    let_go: int = Field(default=0, description="Stories since then that had waited too long.")


def put_in(memory: Memory, alerts: Iterable[Alert], moment: datetime) -> Memory:
    """Put a run's alerts in; what was said of a theme before is superseded.

    What is taken back before it was told is not told at all.

    Args:
        moment: From which on they wait.
    """
    stories = {story.story_id: story for story in memory.waiting}
    withdrawn = memory.withdrawn
    for alert in alerts:
        before = stories.get(alert.story.story_id)
        pieces = {piece.theme: piece for piece in before.pieces} if before else {}
        known = pieces.get(alert.theme)
        untold = known is not None and known.kind == "alert"
        if alert.kind == "cancel" and untold:
            del pieces[alert.theme]
        else:
            pieces[alert.theme] = _piece(alert, "alert" if untold else alert.kind)
        if not pieces:
            withdrawn += 1
            del stories[alert.story.story_id]
            continue
        stories[alert.story.story_id] = Waiting(
            story_id=alert.story.story_id,
            sources=len(alert.story.sources),
            since=before.since if before else moment,
            pieces=tuple(sorted(pieces.values(), key=lambda piece: piece.rank)),
            because=before.because if before else None,
        )
    waiting = tuple(stories[story_id] for story_id in sorted(stories))
    return memory.model_copy(update={"waiting": waiting, "withdrawn": withdrawn})


def _piece(alert: Alert, kind: Kind) -> Piece:
    evidence = alert.evidence[0] if alert.evidence else None
    article = alert.article
    return Piece(
        theme=alert.theme,
        kind=kind,
        change=alert.change,
        level=alert.level,
        score=alert.score,
        words=evidence.words if evidence else "",
        sentence=evidence.sentence if evidence else "",
        title=article.title,
        url=article.url,
        source=article.source,
        published_at=article.published_at,
    )


def let_go(memory: Memory, before: datetime) -> Memory:
    """Give up what was held back, and has waited since before then."""
    kept = tuple(s for s in memory.waiting if s.because is None or s.since >= before)
    gone = len(memory.waiting) - len(kept)
    return memory.model_copy(update={"waiting": kept, "let_go": memory.let_go + gone})


class Choice(NamedTuple):
    """What a message tells, and what waits for the next one, both by rank."""

    told: tuple[Waiting, ...]
    held: tuple[Waiting, ...]


def choose(memory: Memory, today: date, most_stories: int, most_a_day: int | None) -> Choice:
    """Divide what waits by what may be told now."""
    ranked = sorted(memory.waiting, key=lambda story: story.rank)
    room, because = most_stories, "message"
    if most_a_day is not None:
        left = most_a_day - (memory.told_that_day if memory.day == today else 0)
        if left < room:
            room, because = max(left, 0), "day"
    held = (story.model_copy(update={"because": because}) for story in ranked[room:])
    return Choice(tuple(ranked[:room]), tuple(held))


def after_message(memory: Memory, choice: Choice, today: date) -> Memory:
    """What is remembered when a message was sent."""
    that_day = memory.told_that_day if memory.day == today else 0
    return Memory(
        taken=memory.taken,
        told=memory.taken,
        waiting=tuple(sorted(choice.held, key=lambda story: story.story_id)),
        day=today,
        told_that_day=that_day + len(choice.told),
    )
