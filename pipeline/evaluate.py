"""How well the themes find what labelled articles say is there."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.sources.streams import open_bytes
from transforms.errors import ConfigError, RecordError
from transforms.logic.text import clean_text, html_to_text, looks_like_html
from transforms.records import ThemeHit


class Labelled(BaseModel):
    """An article with the themes that a person found in it.

    For a theme in `unsure` either answer is fair: the article does not count for it.
    """

    model_config = ConfigDict(frozen=True)

    title: str = ""
    text: str = ""
    themes: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    id: str | None = None


class Wrong(NamedTuple):
    """An article that was labelled one way and classified the other."""

    article: str
    theme: str
    kind: str  # 'missed' or 'false alarm'
    score: float
    words: tuple[str, ...]


class Figures(NamedTuple):
    """Precision, recall and F1, 0.0 where nothing was found or there was nothing to find.

    Support is the number of articles that have the theme. Where there is nothing to
    find and nothing was found, all three are 1.0: there is no mistake.
    """

    precision: float
    recall: float
    f1: float
    support: int


class Evaluation(NamedTuple):
    """Figures a theme; micro over all decisions, macro as the plain mean over the themes."""

    themes: dict[str, Figures]
    micro: Figures
    macro: Figures
    wrong: tuple[Wrong, ...]

    def as_json(self) -> dict[str, object]:
        """The figures as plain data."""
        return {
            "themes": {name: figures._asdict() for name, figures in self.themes.items()},
            "micro": self.micro._asdict(),
            "macro": self.macro._asdict(),
        }


def figures(found: int, missed: int, false: int) -> Figures:
    """The figures of so many articles found rightly, missed, and found wrongly."""
    if found + missed + false == 0:
        return Figures(1.0, 1.0, 1.0, 0)
    precision = found / (found + false) if found + false else 0.0
    recall = found / (found + missed) if found + missed else 0.0
    f1 = 2 * found / (2 * found + missed + false)
    return Figures(precision, recall, f1, found + missed)


def evaluate(
    articles: Iterable[Labelled],
    themes: Iterable[str],
    hits: Callable[[str, str], tuple[ThemeHit, ...]],
) -> Evaluation:
    """Classify *articles* with *hits* and compare with their labels, a theme at a time."""
    tallies = {theme: [0, 0, 0] for theme in themes}
    wrong: list[Wrong] = []
    for article in articles:
        title, text = _plain(article.title).replace("\n", " "), _plain(article.text)
        by_theme = {hit.theme: hit for hit in hits(title, text)}
        for theme, tally in tallies.items():
            hit, labelled = by_theme.get(theme), theme in article.themes
            if theme in article.unsure or (hit is None and not labelled):
                continue
            if hit is not None and labelled:
                tally[0] += 1
                continue
            tally[1 if hit is None else 2] += 1
            wrong.append(
                Wrong(
                    article=" ".join(filter(None, (article.id, title or text[:60]))),
                    theme=theme,
                    kind="missed" if hit is None else "false alarm",
                    score=hit.score if hit else 0.0,
                    words=tuple(evidence.words for evidence in hit.evidence) if hit else (),
                )
            )
    each = {theme: figures(*tally) for theme, tally in tallies.items()}
    return Evaluation(
        each, figures(*map(sum, zip(*tallies.values(), strict=True))), _mean(each), tuple(wrong)
    )


def _mean(each: Mapping[str, Figures]) -> Figures:
    columns = list(zip(*each.values(), strict=True))
    means = [sum(column) / len(each) for column in columns[:3]]
    return Figures(means[0], means[1], means[2], sum(columns[3]))


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
