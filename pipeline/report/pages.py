"""The pages of a report: what is on them, and how stories are divided among them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from pipeline.feeds.outcomes import FeedReport
from pipeline.history import DeadLetterCount, History
from pipeline.quoting import marked, one_line
from pipeline.report.charts import days_chart, matrix_chart
from pipeline.report.figures import (
    SHOWN,
    Matrix,
    News,
    count_by,
    count_news,
    count_pairs,
    judge_themes,
    last_day,
    monitored_by_day,
    risen_terms,
)
from pipeline.report.rendering import language_name, render, render_part
from pipeline.report.stories import ToldStory, read_stories
from transforms.logic.bursts import Judged

REPORT: Final = "report.html"
MOST_STORIES: Final = 5_000
"""On one page."""
MOST_BYTES: Final = 4_300_000
"""Of the stories of one page: with all else it stays under 5 MB."""
MOST_PAGES: Final = 60

_COLOURS = 8  # that style.css has for themes
_SENTENCE = 280  # characters of it that are shown
_SOURCE = 60
_TOP = 5  # stories named with a theme
_NEWEST = 30  # stories of the newest run that are listed
_FAILURES = 3  # of a feed, before somebody should look at it


class Page(NamedTuple):
    """One file of the report; its name is a path below the output folder."""

    name: str
    content: str


class Theme(NamedTuple):
    """A theme as pages show it."""

    name: str
    title: str
    number: int
    colour: int


class Card(NamedTuple):
    """A story, and its HTML."""

    story: ToldStory
    html: Markup

    @property
    def day(self) -> date:
        """The day under which it stands."""
        return self.story.published_at.date()


class Part(NamedTuple):
    """The stories that stand on one page."""

    name: str
    title: str
    cards: Sequence[Card]

    @property
    def days(self) -> list[tuple[date, list[Card]]]:
        """Its stories by day, the newest first."""
        return [(day, list(cards)) for day, cards in groupby(self.cards, lambda card: card.day)]


class ThemeView(NamedTuple):
    """What is said of a theme at a glance."""

    theme: Theme
    news: News
    days: Sequence[Judged]
    chart: Markup
    top: Sequence[ToldStory]

    @property
    def today(self) -> Judged:
        """The last day."""
        return self.days[-1]

    @property
    def bursts(self) -> list[Judged]:
        """Those of the last seven days, the newest first."""
        return [one for one in reversed(self.days[-7:]) if one.burst]


class MatrixView(NamedTuple):
    """Counts, as a chart and as a table."""

    title: str
    heading: str
    matrix: Matrix
    rows: Mapping[str, str]
    chart: Markup


def pages_of(history: History, titles: Mapping[str, str]) -> Iterator[Page]:
    """The pages of the report, the report itself last. They depend on the runs alone.

    Args:
        titles: What themes are called, by their names; others are called by their names.
    """
    if not history.runs:
        yield Page(REPORT, render("empty.html", description="There is no run yet"))
        return
    newest = history.runs[-1].manifest
    stories, cancels = read_stories(history)
    names = {hit.theme for story in stories for hit in story.hits} | newest.themes.keys()
    themes = name_themes(names, titles)
    order = tuple(themes)
    sources = sorted({source for story in stories for source in story.sources})
    numbers = {source: number for number, source in enumerate(sources)}
    parts, left_out = divide([_card(story, themes, numbers) for story in stories])
    common = {"themes": themes, "parts": parts, "now": newest.as_of, "newest": newest.run_id}
    for part in parts[1:]:
        content = render("part.html", root="../", **_choices(part, numbers), **common)
        yield Page(part.name, content)

    feeds = [state.report for state in history.feeds()]
    last = last_day(stories, newest.as_of)
    days = judge_themes(stories, order, monitored_by_day(history), last)
    news = [
        story
        for story in stories
        if any(hit.run_id == newest.run_id and not hit.backfill for hit in story.hits)
    ]
    content = render(
        "report.html",
        root="",
        run=newest,
        runs=history.runs,
        last=last,
        shown=SHOWN.days,
        views=[
            ThemeView(themes[one.theme], one, days[one.theme], days_chart(days[one.theme]), top)
            for one in count_news(stories, order, newest.run_id, newest.as_of)
            for top in [_top(stories, one.theme)]
        ],
        news=news[:_NEWEST],
        news_left_out=len(news[_NEWEST:]),
        cancels=cancels,
        places={card.story.story_id: part.name for part in parts for card in part.cards},
        total=len(stories),
        left_out=left_out,
        matrices=list(_matrices(stories, themes, last)),
        terms=risen_terms(stories, last),
        feeds=feeds,
        troubled=[feed for feed in feeds if _is_troubled(feed)],
        reasons=count_reasons(history.dead_letters(), newest.run_id, newest.as_of),
        **_choices(parts[0], numbers),
        **common,
    )
    yield Page(REPORT, content)


def name_themes(names: Iterable[str], titles: Mapping[str, str]) -> dict[str, Theme]:
    """Themes by name, in the order of their names; no two are called the same."""
    ordered = sorted(names)
    called = Counter(titles.get(name, name) for name in ordered)
    themes = {}
    for number, name in enumerate(ordered):
        title = titles.get(name, name)
        title = title if called[title] == 1 else f"{title} ({name})"
        themes[name] = Theme(name, one_line(title, _SOURCE), number, number % _COLOURS)
    return themes


def _card(story: ToldStory, themes: Mapping[str, Theme], sources: Mapping[str, int]) -> Card:
    hits = [
        (themes[hit.theme], hit, marked(hit.sentence, hit.words, _SENTENCE)) for hit in story.hits
    ]
    numbers = [sources[source] for source in story.sources]
    return Card(story, render_part("card.html", "card", story, hits, numbers))


def divide(cards: Sequence[Card]) -> tuple[list[Part], int]:
    """Divide stories among pages, and say how many find no place.

    All are in the report itself where they fit. Else it has the newest days that do, and
    each older day has a page of its own; a day that is too much for one has several.
    """
    if _fits(cards):
        return [Part(REPORT, "", cards)], 0
    first: list[Card] = []
    pages: list[Part] = []
    for day, of_day in groupby(cards, lambda card: card.day):
        pieces = list(_pieces(list(of_day)))
        if not pages and len(pieces) == 1 and _fits([*first, *pieces[0]]):
            first += pieces[0]
            continue
        if not pages and not first:
            first += pieces.pop(0)
        for number, piece in enumerate(pieces):
            tail = f"-{number + 1}" if len(pieces) > 1 else ""
            pages.append(Part(f"report/{day.isoformat()}{tail}.html", f"{day}{tail}", piece))
    kept = pages[: MOST_PAGES - 1]
    left_out = sum(len(part.cards) for part in pages[len(kept) :])
    return [Part(REPORT, "", first), *kept], left_out


def _fits(cards: Sequence[Card]) -> bool:
    return len(cards) <= MOST_STORIES and sum(map(_size, cards)) <= MOST_BYTES


def _size(card: Card) -> int:
    return len(card.html.encode())


def _pieces(cards: Sequence[Card]) -> Iterator[list[Card]]:
    piece: list[Card] = []
    size = 0
    for card in cards:
        if piece and (len(piece) == MOST_STORIES or size + _size(card) > MOST_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(card)
        size += _size(card)
    yield piece


def _choices(part: Part, sources: Mapping[str, int]) -> dict[str, Any]:
    """What the filters of a page offer: only what is on it."""
    stories = [card.story for card in part.cards]
    counts = Counter(hit.theme for story in stories for hit in story.hits)
    by_source = Counter(source for story in stories for source in story.sources)
    by_language = Counter(language for story in stories for language in story.languages)
    return {
        "part": part,
        "theme_counts": counts,
        "sources": [
            (sources[source], one_line(source, _SOURCE), number)
            for source, number in sorted(by_source.items(), key=lambda one: one[0].casefold())
        ],
        "languages": sorted(
            (language_name(code), code, number) for code, number in by_language.items()
        ),
    }


def _top(stories: Sequence[ToldStory], theme: str) -> list[ToldStory]:
    found = (story for story in stories if any(hit.theme == theme for hit in story.hits))
    return [story for story, _ in zip(found, range(_TOP), strict=False)]


def _matrices(
    stories: Sequence[ToldStory], themes: Mapping[str, Theme], last: date
) -> Iterator[MatrixView]:
    titles = {name: theme.title for name, theme in themes.items()}
    order = tuple(themes)
    sources = count_by(lambda member: member.source, stories, order, last)
    languages = count_by(lambda member: member.language, stories, order, last)
    pairs = count_pairs(stories, order, last)
    for title, heading, matrix, rows in (
        ("Who tells it", "Source", sources, {name: _label(name) for name in sources.rows}),
        ("In which language", "Language", languages, {c: language_name(c) for c in languages.rows}),
        ("Which themes meet", "Theme", pairs, titles),
    ):
        if matrix.counts:
            yield MatrixView(title, heading, matrix, rows, matrix_chart(matrix, rows, titles))


def _label(source: str) -> str:
    return one_line(source, _SOURCE)


def _is_troubled(feed: FeedReport) -> bool:
    return feed.failures >= _FAILURES or feed.silent_since is not None


class ReasonCount(NamedTuple):
    """Dead letters of one reason."""

    reason: str
    newest_run: int
    week: int
    kept: int


def count_reasons(
    counts: Iterable[DeadLetterCount], run_id: str, now: datetime
) -> list[ReasonCount]:
    """Dead letters by reason, those of the newest run and of most first."""
    newest, week, kept = Counter[str](), Counter[str](), Counter[str]()
    for one in counts:
        kept[one.reason.value] += one.dead_letters
        week[one.reason.value] += one.dead_letters * (now - one.as_of < timedelta(days=7))
        newest[one.reason.value] += one.dead_letters * (one.run_id == run_id)
    found = [ReasonCount(reason, newest[reason], week[reason], kept[reason]) for reason in kept]
    return sorted(found, key=lambda one: (-one.newest_run, -one.kept, one.reason))
