"""Which themes are told together."""

from itertools import combinations
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.stats.counting import Question
from pipeline.stats.facts import Key, Told, count_monitored, read_facts, rows_of
from transforms.logic.association import jaccard, npmi


class Pair(NamedTuple):
    """Two themes; theme_a sorts before theme_b.

    Attributes:
        articles: That have both, copies included.
        stories: That have both, in one of their articles or in two.
        stories_a: That have the one, with the other or without it.
        jaccard: Of the stories that have either, the share that has both.
        npmi: Of articles, among all that were monitored; None where these are not known.
    """

    theme_a: str
    theme_b: str
    articles: int
    stories: int
    stories_a: int
    stories_b: int
    jaccard: float
    npmi: float | None


def pairs(told: Told, question: Question) -> list[Pair]:
    """All pairs of the themes that were told, what goes together most first."""
    facts = read_facts(told, question.period, question.selection)
    articles = _together(facts, "article_id")
    stories = _together(facts, "story_id")
    monitored = 0
    if question.selection.fits_monitored:
        watched = count_monitored(told, question.period, question.selection, (), question.zone)
        monitored = watched.get((), 0)
    themes = sorted({theme for pair in stories for theme in pair})
    found = []
    for a, b in combinations(themes, 2):
        of_stories = stories.get((a, b), 0), stories[a, a], stories[b, b]
        of_articles = articles.get((a, b), 0), articles[a, a], articles[b, b]
        together = npmi(*of_articles, monitored) if monitored else None
        found.append(Pair(a, b, of_articles[0], *of_stories, jaccard(*of_stories), together))
    return sorted(found, key=lambda pair: (-pair.jaccard, pair))


def _together(facts: pa.Table, unit: str) -> dict[Key, int]:
    """How many units have both of two themes, and with itself, how many have the one."""
    distinct = facts.group_by([unit, "theme"]).aggregate([])
    both = distinct.join(
        distinct, unit, join_type="inner", left_suffix="_a", right_suffix="_b"
    ).filter(pc.less_equal(pc.field("theme_a"), pc.field("theme_b")))
    counts = both.group_by(["theme_a", "theme_b"]).aggregate([(unit, "count")])
    return {key: numbers[0] for key, numbers in rows_of(counts, ("theme_a", "theme_b"))}
