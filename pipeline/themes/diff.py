"""What another version of the themes would find: hits gained, lost and changed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from pipeline.console import printable
from pipeline.themes.sample import SampleArticle
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.records import Article, ThemeHit

Kind = Literal["gained", "lost", "changed"]
KINDS: tuple[Kind, ...] = ("gained", "lost", "changed")


class Change(NamedTuple):
    """A hit that the two versions do not have alike: `changed` is one of another level."""

    kind: Kind
    theme: str
    language: str
    article: Article
    old: ThemeHit | None
    new: ThemeHit | None

    @property
    def evidence(self) -> str:
        """The sentence that speaks for the hit: of the new one, else of the old one."""
        hit = self.new or self.old
        assert hit is not None  # noqa: S101 # one of them there is
        return hit.evidence[0].sentence

    @property
    def strength(self) -> float:
        """The score of the new hit, else of the old one."""
        hit = self.new or self.old
        return hit.score if hit else 0.0


class DiffRow(NamedTuple):
    """The hits of a theme in a language, before and after."""

    theme: str
    language: str
    old: int
    new: int
    gained: int
    lost: int
    changed: int


class ThemesDiff(NamedTuple):
    """What changes between two versions of the themes, on the same articles."""

    articles: int
    rows: tuple[DiffRow, ...]
    changes: tuple[Change, ...]


def diff_themes(
    old: Sequence[Theme], new: Sequence[Theme], sample: Iterable[SampleArticle]
) -> ThemesDiff:
    """Find the themes of each article by both versions; the strongest changes come first."""
    matchers = ThemeMatcher(old), ThemeMatcher(new)
    articles = 0
    before: Counter[tuple[str, str]] = Counter()
    after: Counter[tuple[str, str]] = Counter()
    changes: list[Change] = []
    for one in sample:
        articles += 1
        then, now = ({hit.theme: hit for hit in one.hits(matcher)} for matcher in matchers)
        before.update((theme, one.language) for theme in then)
        after.update((theme, one.language) for theme in now)
        changes += _changes(one, then, now)
    counts = Counter((one.kind, one.theme, one.language) for one in changes)
    rows = tuple(
        DiffRow(
            theme,
            language,
            before[theme, language],
            after[theme, language],
            *(counts[kind, theme, language] for kind in KINDS),
        )
        for theme, language in sorted({*before, *after})
    )
    changes.sort(
        key=lambda one: (one.theme, KINDS.index(one.kind), -one.strength, one.article.article_id)
    )
    return ThemesDiff(articles, rows, tuple(changes))


def _changes(
    one: SampleArticle, then: dict[str, ThemeHit], now: dict[str, ThemeHit]
) -> Iterator[Change]:
    for theme in sorted({*then, *now}):
        old, new = then.get(theme), now.get(theme)
        if old and new and old.level == new.level:
            continue
        kind: Kind = "gained" if old is None else "lost" if new is None else "changed"
        yield Change(kind, theme, one.language, one.article, old, new)


def as_markdown(diff: ThemesDiff, most: int) -> str:
    """The difference as a comment on a proposed change: a table, and up to *most* examples each."""
    lines = [
        f"### Themes on {diff.articles:,} articles",
        "",
        "| theme | language | before | after | gained | lost | other level |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {row.theme} | {row.language} | {row.old} | {row.new} | {row.gained} | {row.lost} "
            f"| {row.changed} |"
            for row in diff.rows
        ),
    ]
    for theme, kind, changes in grouped(diff.changes):
        lines += ["", f"#### {theme}: {kind} {len(changes)}", ""]
        lines += [
            f"- {level_change(one)} **{_markdown(one.article.title or one.article.text[:80])}** "
            f"({_markdown(one.article.source)}, {one.language}): {_markdown(one.evidence)}"
            for one in changes[:most]
        ]
        if len(changes) > most:
            lines.append(f"- … and {len(changes) - most} more")
    return "\n".join(lines) + "\n"


def grouped(changes: Iterable[Change]) -> list[tuple[str, Kind, list[Change]]]:
    """The changes of each theme and kind, in the order of *changes*."""
    groups: dict[tuple[str, Kind], list[Change]] = {}
    for one in changes:
        groups.setdefault((one.theme, one.kind), []).append(one)
    return [(theme, kind, those) for (theme, kind), those in groups.items()]


def level_change(change: Change) -> str:
    """The level, or both with an arrow."""
    levels = [hit.level for hit in (change.old, change.new) if hit]
    return " → ".join(levels)


def _markdown(text: str) -> str:
    """*text* of others, so that none of it is markup, names a person or links to an issue."""
    escaped = re.sub(r"([\\`*_{}\[\]()+!|<>~&-])", r"\\\1", printable(text))
    return " ".join(re.sub("([@#])", r"\1<!-- -->", escaped).split())
