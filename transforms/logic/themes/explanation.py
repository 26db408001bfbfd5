"""What `ThemeMatcher.explain` says of an article: every theme, found or not, and why."""

from pydantic import Field

from transforms.records import Evidence, Level, Record


class RuleExplanation(Record):
    """What one rule found in an article, or nearly found."""

    query: str = Field(description="Id of the rule in its theme, as in evidence.")
    text: str = Field(description="The term or query as the file has it.")
    weight: float
    points: float = Field(description="What it adds to the theme's score.")
    title: int = Field(description="Matches in the title.")
    lead: int = Field(description="Matches in the lead.")
    rest: int = Field(description="Matches in the rest of the text.")
    matches: tuple[Evidence, ...] = Field(description="All that count, in text order.")
    covered: int = Field(description="Matches that lost to a longer one of another rule.")
    near_misses: tuple[str, ...] = Field(description="What kept it from matching.")


class ThemeExplanation(Record):
    """How an article scores on one theme."""

    theme: str
    score: float
    level: Level | None
    mention: float = Field(description="The score that a mention needs.")
    focus: float = Field(description="The score that focus needs.")
    title_weight: float = Field(description="For how many a match in the title counts.")
    lead_weight: float = Field(description="For how many a match in the lead counts.")
    stands_out: bool = Field(
        description="Whether the theme is in the title, in the lead or all over the text: "
        "focus needs that too."
    )
    queries: tuple[RuleExplanation, ...] = Field(
        description="The rules that matched or nearly did; most points first."
    )
    near_misses: tuple[str, ...] = Field(description="What kept it from the next level.")
