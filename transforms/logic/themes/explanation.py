"""What `ThemeMatcher.explain` says of an article: every theme, found or not, and why."""

from pydantic import Field

from transforms.records import Evidence, Level, Record


class QueryExplanation(Record):
    """What one query found in an article, or nearly found."""

    query: str
    weight: float
    points: float = Field(description="What it adds to the theme's score.")
    matches: tuple[Evidence, ...] = Field(description="All that count, in text order.")
    covered: int = Field(description="Matches that lost to a longer one of the same theme.")
    near_misses: tuple[str, ...] = Field(description="What kept it from matching.")


class ThemeExplanation(Record):
    """How an article scores on one theme."""

    theme: str
    score: float
    level: Level | None
    mention: float = Field(description="The score that a mention needs.")
    focus: float = Field(description="The score that focus needs.")
    stands_out: bool = Field(
        description="Whether the theme is in the title, in the lead or all over the text: "
        "focus needs that too."
    )
    queries: tuple[QueryExplanation, ...] = Field(
        description="Those that matched or nearly did; most points first."
    )
    near_misses: tuple[str, ...] = Field(description="What kept it from the next level.")
