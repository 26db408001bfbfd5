"""The numbers of the page, counted from its stories."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import Final, NamedTuple

from pipeline.history import History
from pipeline.report.stories import Member, ToldStory
from transforms.logic.bursts import BASELINE, Judged, judge_days
from transforms.logic.rising import Risen, risen

SHOWN: Final = timedelta(days=42)
"""How far back charts go, and tables that count."""
RECENT: Final = timedelta(days=7)
"""Which stories' terms are compared with those before."""

_MOST_ROWS = 12  # of a matrix
_MOST_TERMS = 12

_WORD = re.compile(r"[^\W\d_]{3,}")


class News(NamedTuple):
    """How many stories of a theme are news, by how long ago that was said."""

    theme: str
    newest_run: int
    day: int
    week: int
    stories: int  # all that are kept


class Matrix(NamedTuple):
    """Distinct stories by two things; rows and columns by their names."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]
    left_out: int  # rows


class Term(NamedTuple):
    """A term that rose, and the themes of the recent stories that it stands in."""

    risen: Risen
    themes: tuple[str, ...]


class Terms(NamedTuple):
    """What rose, and the numbers of stories that were compared."""

    words: tuple[Term, ...]  # that were found as evidence
    headlines: tuple[Term, ...]
    recent: int
    before: int


def count_news(
    stories: Sequence[ToldStory], themes: Iterable[str], run_id: str, now: datetime
) -> list[News]:
    """Count what is news of each theme; what is backfill is none."""
    counts = {theme: [0, 0, 0, 0] for theme in themes}
    for story in stories:
        for hit in story.hits:
            tally = counts[hit.theme]
            tally[3] += 1
            if not hit.backfill:
                tally[0] += hit.run_id == run_id
                tally[1] += now - hit.told_at < timedelta(days=1)
                tally[2] += now - hit.told_at < timedelta(days=7)
    return [News(theme, *tally) for theme, tally in counts.items()]


def last_day(stories: Sequence[ToldStory], now: datetime) -> date:
    """The day that the page ends with: that of the newest run, or, of an archive, its last."""
    days = [member.day for story in stories for member in story.members]
    return min(max(days, default=now.date()), now.date())


def judge_themes(
    stories: Iterable[ToldStory],
    themes: Sequence[str],
    monitored: Mapping[date, int],
    last: date,
) -> dict[str, list[Judged]]:
    """Judge the days of each theme; a story counts on each day on which an article tells it."""
    counts: dict[str, Counter[date]] = {theme: Counter() for theme in themes}
    for story in stories:
        told = {(theme, member.day) for member in story.members for theme in member.themes}
        for theme, day in told:
            counts[theme][day] += 1
    days = [last - timedelta(days=back) for back in reversed(range(SHOWN.days))]
    return {theme: list(judge_days(counts[theme], monitored, days)) for theme in themes}


def monitored_by_day(history: History) -> dict[date, int]:
    """How many articles were classified of each day."""
    counts: Counter[date] = Counter()
    table = history.monitored("day").select(["bucket_start", "articles"])
    for start, articles in zip(*(column.to_pylist() for column in table.columns), strict=True):
        counts[start.date()] += articles
    return dict(counts)


def count_by(
    what: Callable[[Member], str], stories: Iterable[ToldStory], themes: Sequence[str], last: date
) -> Matrix:
    """Distinct stories by theme, and by *what* of the articles that tell them.

    The busiest rows come first; few stories make a row that is left out where there are many.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for story in stories:
        shown = (member for member in story.members if _is_shown(member.day, last))
        counts.update({(what(member), theme) for member in shown for theme in member.themes})
    totals: Counter[str] = Counter()
    for (row, _), stories_told in counts.items():
        totals[row] += stories_told
    rows = sorted(totals, key=lambda row: (-totals[row], row))
    return Matrix(tuple(rows[:_MOST_ROWS]), tuple(themes), counts, len(rows[_MOST_ROWS:]))


def count_pairs(stories: Iterable[ToldStory], themes: Sequence[str], last: date) -> Matrix:
    """Stories that two themes share; a theme with itself stands for all of its stories."""
    counts: Counter[tuple[str, str]] = Counter()
    for story in stories:
        if any(_is_shown(member.day, last) for member in story.members):
            names = [hit.theme for hit in story.hits]
            counts.update(product(names, names))
    return Matrix(tuple(themes), tuple(themes), counts, 0)


def _is_shown(day: date, last: date) -> bool:
    return last - SHOWN < day <= last


def risen_terms(stories: Iterable[ToldStory], last: date) -> Terms:
    """The words in evidence and headlines that rose in the last seven days."""
    recent, before = [], []
    for story in stories:
        day = story.published_at.date()
        if last - RECENT < day <= last:
            recent.append(story)
        elif last - RECENT - BASELINE < day <= last - RECENT:
            before.append(story)
    return Terms(
        words=_risen(_evidence_words, recent, before),
        headlines=_risen(_headline_words, recent, before),
        recent=len(recent),
        before=len(before),
    )


_Found = Callable[[ToldStory], Iterable[tuple[str, str]]]


def _risen(
    found_in: _Found, recent: Sequence[ToldStory], before: Sequence[ToldStory]
) -> tuple[Term, ...]:
    themes: defaultdict[str, set[str]] = defaultdict(set)
    for story in recent:
        for term, theme in found_in(story):
            themes[term].add(theme)

    def terms(stories: Sequence[ToldStory]) -> Iterator[set[str]]:
        return ({term for term, _ in found_in(story)} for story in stories)

    strongest = risen(terms(recent), terms(before))[:_MOST_TERMS]
    return tuple(Term(one, tuple(sorted(themes[one.term]))) for one in strongest)


def _evidence_words(story: ToldStory) -> Iterator[tuple[str, str]]:
    return ((hit.words.casefold(), hit.theme) for hit in story.hits)


def _headline_words(story: ToldStory) -> Iterator[tuple[str, str]]:
    words = _WORD.findall(story.title.casefold())
    return product(words, [hit.theme for hit in story.hits])
