"""Changes with sensible defaults."""

from datetime import UTC, datetime, timedelta

from transforms.records import (
    AlertChange,
    KnownAlert,
    Level,
    SeenAgain,
    SeenArticles,
    StoryArticle,
    ToldChange,
)

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_id(number: int) -> str:
    return f"1{number:032x}"


def a_hash(number: int) -> str:
    return f"{number:032x}"


def seen(*numbers: int, at: datetime = NOW, text: int = 0) -> SeenArticles:
    """Articles published number seconds after 1970."""
    return SeenArticles(
        seen_at=at,
        article_ids=tuple(map(an_id, numbers)),
        text_hashes=(a_hash(text),) * len(numbers),
        published=numbers,
        published_from=("feed",) * len(numbers),
    )


def again(*numbers: int, at: datetime = NOW) -> SeenAgain:
    return SeenAgain(seen_at=at, article_ids=tuple(map(an_id, numbers)))


def told(
    number: int,
    story: int,
    *,
    at: datetime = NOW,
    published_at: datetime = NOW - HOUR,
    text: int = 0,
    keys: tuple[int, ...] = (),
    signature: bytes = b"signature",
    levels: dict[str, Level] | None = None,
) -> ToldChange:
    return ToldChange(
        seen_at=at,
        story_id=an_id(story),
        article=StoryArticle(
            article_id=an_id(number),
            source="The Example",
            published_at=published_at,
            published_from="page",
            seen_at=at,
            levels={"migration": "focus"} if levels is None else levels,
        ),
        text_hash=a_hash(text),
        themes="0123456789abcdef",
        signature=signature,
        keys=keys,
    )


def alert(
    story: int, theme: str = "migration", *, level: Level = "focus", cancelled: bool = False
) -> AlertChange:
    return AlertChange(
        story_id=an_id(story),
        alert=KnownAlert(
            alert_id=an_id(story + 1000),
            theme=theme,
            level=level,
            article_id=an_id(story),
            cancelled=cancelled,
        ),
    )
