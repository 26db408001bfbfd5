"""How well the themes find what labelled articles say is there, and how sure that is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pipeline.sources.streams import open_bytes
from transforms.errors import ConfigError, RecordError
from transforms.logic.language import LanguageDetector, normalise_code
from transforms.logic.text import clean_text, html_to_text, looks_like_html
from transforms.records import Level, ThemeHit

_Z = 1.959964  # of the normal distribution: 95 % lie between it and its negative
_RESAMPLES = 2_000
_SEED = 1  # the same file and themes give the same figures

# What can come of an article and a theme, and what that adds to found, missed and false.
_Decision = Literal["found", "missed", "false alarm", "nothing"]
_NOTHING: _Decision = "nothing"
_TALLIES: dict[_Decision, tuple[int, int, int]] = {
    "found": (1, 0, 0),
    "missed": (0, 1, 0),
    "false alarm": (0, 0, 1),
    _NOTHING: (0, 0, 0),
}
_MISTAKES = ("missed", "false alarm")
_Outcome = tuple[_Decision, ...]  # of all themes
_Array = npt.NDArray[Any]


class Labelled(BaseModel):
    """An article with the themes that a person found in it.

    For a theme in `unsure` either answer is fair: the article does not count for it.
    """

    model_config = ConfigDict(frozen=True)

    title: str = ""
    text: str = ""
    themes: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    levels: dict[str, Level] = {}
    language: str | None = None
    source: str = ""
    id: str | None = None

    @model_validator(mode="after")
    def _levels_are_of_themes(self) -> Self:
        for theme in self.levels:
            if theme not in self.themes:
                raise ValueError(f"levels has {theme!r}, which is not among the themes")
        return self


class PlainArticle(NamedTuple):
    """A labelled article cleaned as in a run, with its language: as stated, else as found."""

    labelled: Labelled
    title: str
    text: str
    language: str

    @property
    def name(self) -> str:
        """What people know it by: its id, and its title or the beginning of its text."""
        return " ".join(filter(None, (self.labelled.id, self.title or self.text[:60])))


class Finder(Protocol):
    """What finds themes: the `hits` of a `ThemeMatcher`."""

    def __call__(
        self, title: str, text: str, *, language: str, source: str
    ) -> tuple[ThemeHit, ...]: ...


class Wrong(NamedTuple):
    """An article that was labelled one way and classified the other."""

    article: str
    theme: str
    kind: str  # 'missed', 'false alarm', 'focus, not mention' or 'mention, not focus'
    score: float
    words: tuple[str, ...]


class Interval(NamedTuple):
    """Where a figure lies with 95 % confidence."""

    low: float
    high: float


class Intervals(NamedTuple):
    """How sure figures are.

    Those of precision and recall are Wilson's; macro has none. That of F1 is found by
    drawing the articles again and again: a percentile bootstrap, with a fixed seed.
    It knows nothing of mistakes that no article shows: where there is none, it is 1 to 1.
    """

    precision: Interval | None
    recall: Interval | None
    f1: Interval


class Figures(NamedTuple):
    """Precision, recall and F1, 0.0 where nothing was found or there was nothing to find.

    Support is the number of articles that have the theme. Where there is nothing to
    find and nothing was found, all three are 1.0: there is no mistake.
    """

    precision: float
    recall: float
    f1: float
    support: int
    intervals: Intervals | None = None

    def as_json(self) -> dict[str, object]:
        """The figures as plain data; an interval is its two ends."""
        named = self.intervals._asdict() if self.intervals else {}
        return self._asdict() | {
            "intervals": {name: one and list(one) for name, one in named.items()}
        }


class Levels(NamedTuple):
    """Among the articles found whose level is labelled: how many there are, how many right."""

    stated: int
    right: int


class FiguresByTheme(NamedTuple):
    """Figures a theme; micro over all decisions, macro as the plain mean over the themes."""

    themes: dict[str, Figures]
    micro: Figures
    macro: Figures

    def rows(self) -> dict[str, Figures]:
        """All of them by name."""
        return {**self.themes, "micro": self.micro, "macro": self.macro}

    def as_json(self) -> dict[str, object]:
        """The figures as plain data."""
        return {
            "themes": {name: figures.as_json() for name, figures in self.themes.items()},
            "micro": self.micro.as_json(),
            "macro": self.macro.as_json(),
        }


class Evaluation(NamedTuple):
    """How well themes are found: over all articles, and a language at a time."""

    every: FiguresByTheme
    languages: dict[str, FiguresByTheme]
    levels: dict[str, Levels]  # by theme, where any is stated
    wrong: tuple[Wrong, ...]

    @property
    def themes(self) -> dict[str, Figures]:
        """The figures of each theme over all articles."""
        return self.every.themes

    @property
    def micro(self) -> Figures:
        """The figures over all decisions."""
        return self.every.micro

    @property
    def macro(self) -> Figures:
        """The plain mean of the figures of the themes."""
        return self.every.macro

    def as_json(self) -> dict[str, object]:
        """The figures as plain data."""
        return self.every.as_json() | {
            "languages": {language: one.as_json() for language, one in self.languages.items()},
            "levels": {name: levels._asdict() for name, levels in self.levels.items()},
            "wrong": [one._asdict() for one in self.wrong],
        }


def figures(found: int, missed: int, false: int) -> Figures:
    """The figures of so many articles found rightly, missed, and found wrongly."""
    if found + missed + false == 0:
        return Figures(1.0, 1.0, 1.0, 0)
    precision = found / (found + false) if found + false else 0.0
    recall = found / (found + missed) if found + missed else 0.0
    f1 = 2 * found / (2 * found + missed + false)
    return Figures(precision, recall, f1, found + missed)


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a share; all is possible where nothing was tried."""
    if trials == 0:
        return Interval(0.0, 1.0)
    share, z2 = successes / trials, _Z * _Z
    middle = share + z2 / (2 * trials)
    reach = _Z * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    low, high = (middle - reach) / (1 + z2 / trials), (middle + reach) / (1 + z2 / trials)
    return Interval(low if successes else 0.0, high if successes < trials else 1.0)


def evaluate(articles: Iterable[Labelled], themes: Sequence[str], hits: Finder) -> Evaluation:
    """Classify *articles* with *hits* and compare with their labels, a theme at a time."""
    outcomes: dict[str, Counter[_Outcome]] = {}
    levels = dict.fromkeys(themes, Levels(0, 0))
    wrong: list[Wrong] = []
    for article in plain_articles(articles):
        labelled = article.labelled
        found = hits(article.title, article.text, language=article.language, source=labelled.source)
        by_theme = {hit.theme: hit for hit in found}
        decisions = []
        for theme in themes:
            hit, level = by_theme.get(theme), labelled.levels.get(theme)
            decisions.append(_decision(theme, labelled, hit))
            kind: str | None = decisions[-1] if decisions[-1] in _MISTAKES else None
            if hit and level and decisions[-1] == "found":
                stated, right = levels[theme]
                levels[theme] = Levels(stated + 1, right + (hit.level == level))
                kind = None if hit.level == level else f"{hit.level}, not {level}"
            if kind:
                words = tuple(evidence.words for evidence in hit.evidence) if hit else ()
                wrong.append(Wrong(article.name, theme, kind, hit.score if hit else 0.0, words))
        outcomes.setdefault(article.language, Counter())[tuple(decisions)] += 1
    return Evaluation(
        every=_figures_of(themes, sum(outcomes.values(), Counter())),
        languages={
            language: _figures_of(themes, counted) for language, counted in sorted(outcomes.items())
        },
        levels={theme: one for theme, one in levels.items() if one.stated},
        wrong=tuple(wrong),
    )


def _decision(theme: str, labelled: Labelled, hit: ThemeHit | None) -> _Decision:
    wanted = theme in labelled.themes
    if theme in labelled.unsure or (hit is None and not wanted):
        return _NOTHING
    if hit is None:
        return "missed"
    return "found" if wanted else "false alarm"


def _figures_of(themes: Sequence[str], outcomes: Counter[_Outcome]) -> FiguresByTheme:
    # Articles with the same outcome are the same to a figure: their number is what is drawn.
    # In order, so that the order of the articles makes no difference.
    rows = sorted(outcomes.items()) or [((_NOTHING,) * len(themes), 1)]
    counts = np.array([count for _, count in rows])
    tallies = np.array([[_TALLIES[decision] for decision in outcome] for outcome, _ in rows])
    total = np.tensordot(counts, tallies, 1)
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(counts.sum(), counts / counts.sum(), _RESAMPLES)
    resampled = np.tensordot(drawn, tallies, 1)
    f1 = _f1(resampled)
    named = {
        theme: _with_intervals(total[number], f1[:, number]) for number, theme in enumerate(themes)
    }
    columns = list(zip(*(one[:4] for one in named.values()), strict=True))
    means = [sum(column) / len(themes) for column in columns[:3]]
    of_means = Intervals(None, None, _percentiles(f1.mean(axis=1)))
    return FiguresByTheme(
        themes=named,
        micro=_with_intervals(total.sum(axis=0), _f1(resampled.sum(axis=1))),
        macro=Figures(means[0], means[1], means[2], sum(columns[3]), of_means),
    )


def _with_intervals(tally: _Array, f1: _Array) -> Figures:
    found, missed, false = map(int, tally)
    intervals = Intervals(
        precision=wilson(found, found + false),
        recall=wilson(found, found + missed),
        f1=_percentiles(f1) if tally.any() else Interval(0.0, 1.0),
    )
    return figures(found, missed, false)._replace(intervals=intervals)


def _f1(tallies: _Array) -> _Array:
    """F1 of each tally along the last axis."""
    found, mistakes = tallies[..., 0], tallies[..., 1] + tallies[..., 2]
    whole = 2 * found + mistakes
    return np.where(whole == 0, 1.0, 2 * found / np.maximum(whole, 1))


def _percentiles(values: _Array) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(float(low), float(high))


def plain_articles(articles: Iterable[Labelled]) -> Iterator[PlainArticle]:
    """Labelled articles, cleaned as in a run."""
    detector = LanguageDetector()
    for article in articles:
        title, text = _plain(article.title).replace("\n", " "), _plain(article.text)
        language = normalise_code(article.language) or detector.detect(title, text)
        yield PlainArticle(article, title, text, language)


def _plain(text: str) -> str:
    return html_to_text(text) if looks_like_html(text) else clean_text(text)


def read_labelled(path: Path, themes: frozenset[str]) -> Iterator[Labelled]:
    """The articles of a JSON Lines file, compressed or not.

    Raises:
        ConfigError: the file cannot be read, or a line is no labelled article or
            names a theme that is not in *themes*; says which.
    """
    try:
        with open_bytes(str(path)) as (stream, _):
            for number, line in enumerate(stream, start=1):
                if line.isspace():
                    continue
                try:
                    article = Labelled.model_validate(orjson.loads(line))
                except ValidationError as error:
                    fault = error.errors()[0]
                    field = ".".join(map(str, fault["loc"])) or "line"
                    raise ConfigError(f"{path}:{number}: {field}: {fault['msg']}") from error
                except ValueError as error:
                    raise ConfigError(f"{path}:{number}: no JSON: {error}") from error
                for theme in (*article.themes, *article.unsure):
                    if theme not in themes:
                        known = ", ".join(sorted(themes))
                        raise ConfigError(f"{path}:{number}: no theme {theme!r}; known: {known}")
                yield article
    except RecordError as error:
        raise ConfigError(error.detail) from error
