"""What is not wrong in themes, but hardly meant: rules that do nothing, or too much."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pipeline.themes.sample import SampleArticle
from transforms.logic.themes.expressions import And, AndNot, Expression, Or, Stated, Term
from transforms.logic.themes.folding import fold
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Rule, Theme, Thresholds, meaning_of
from transforms.logic.themes.spelling import spellings
from transforms.logic.themes.terms import covers

Kind = Literal["unreachable", "covered", "broad", "hasty", "weaker", "repeated", "unused"]
#: What should be mended; the others are hints.
PROBLEMS = frozenset({"unreachable", "covered", "broad", "hasty"})

# A word that alone makes a mention should not be in more articles than this.
_COMMON = 0.01
# In fewer articles than this a share says little.
_ENOUGH = 50
# So few letters before a wildcard may be the beginning of anything.
_FEW_LETTERS = 3


class Finding(NamedTuple):
    """Something that is hardly meant, in a theme or one of its rules."""

    theme: str
    rule: str | None
    kind: Kind
    what: str


class RuleHits(NamedTuple):
    """In how many articles of the sample a rule counts; the theme as a whole has no rule."""

    theme: str
    rule: str | None
    hits: int
    of: int  # articles in the rule's language

    @property
    def share(self) -> float:
        """Hits an article."""
        return self.hits / self.of if self.of else 0.0


def lint(themes: Sequence[Theme]) -> list[Finding]:
    """What can be seen in the files alone."""
    return [
        finding
        for theme in themes
        for check in (_unreachable, _covered, _repeated, _hasty)
        for finding in check(theme)
    ]


def _unreachable(theme: Theme) -> Iterator[Finding]:
    for rule in theme.rules:
        if rule.weight == 0:
            yield Finding(theme.theme, rule.id, "unreachable", "its weight is 0: it adds nothing")
        if rule.language and not _may_be(rule.expression, rule.language):
            what = f"it stands in the part for {rule.language} and wants another lang:"
            yield Finding(theme.theme, rule.id, "unreachable", what)


def _may_be(expression: Expression, language: str) -> bool:
    """Whether articles in a language can match."""
    match expression:
        case Stated("lang", pattern):
            return pattern == language
        case And(parts):
            return all(_may_be(part, language) for part in parts)
        case Or(parts):
            return any(_may_be(part, language) for part in parts)
        case AndNot(wanted, Stated("lang", pattern)) if pattern == language:
            return False
        case AndNot(wanted):
            return _may_be(wanted, language)
        case _:
            return True


def _covered(theme: Theme) -> Iterator[Finding]:
    """Rules of words that are never found without those of another one."""
    patterns = [
        _Pattern(rule, _as_compared(term, theme))
        for rule in theme.rules
        for term in _alternatives(rule.expression)
    ]
    for rule in theme.rules:
        terms = [_as_compared(term, theme) for term in _alternatives(rule.expression)]
        if not terms or (
            isinstance(rule.expression, Or) and len(terms) < len(rule.expression.parts)
        ):
            continue
        found = [next(_covering(rule, words, patterns), None) for words in terms]
        others = {other.rule.id: other for other in found if other}
        by = ", ".join(_said(other.rule) for other in others.values())
        said = _said(rule)
        if not all(found):
            continue
        # Of two matches the longer one counts, so that a longer term may take weight away.
        if all(_takes_away(rule, other) for other in others.values()):
            yield Finding(theme.theme, rule.id, "weaker", f"{said} counts in place of {by}")
        else:
            yield Finding(theme.theme, rule.id, "covered", f"{said} is found by {by} anyway")


def _said(rule: Rule) -> str:
    """A term as it is written, a query by its id, with the weight."""
    name = repr(rule.query) if isinstance(rule.expression, Term) else rule.id
    return f"{name} ({rule.weight:g})"


def _takes_away(rule: Rule, other: "_Pattern") -> bool:
    shortest = min(len(term.words.split()) for term in _alternatives(rule.expression))
    return abs(rule.weight) < abs(other.rule.weight) and shortest > len(other.words.split())


class _Pattern:
    """A term that is enough for its rule to match, as it is compared."""

    def __init__(self, rule: Rule, words: str) -> None:
        self.rule = rule
        self.words = words
        # One of these must be in whatever it covers: faster to see than the rest.
        self.literals = [
            max(re.split(r"[*?]", spelling), key=len).strip() for spelling in spellings(words)
        ]


def _covering(rule: Rule, words: str, patterns: Iterable[_Pattern]) -> Iterator[_Pattern]:
    for other in patterns:
        if (
            other.rule is not rule
            and other.rule.weight * rule.weight > 0
            and abs(other.rule.weight) >= abs(rule.weight)
            and other.rule.language in (None, rule.language)
            and any(literal in words for literal in other.literals)
            and covers(other.words, words)
        ):
            yield other


def _alternatives(expression: Expression) -> list[Term]:
    """The terms of which each alone makes a match, in any case."""
    parts = expression.parts if isinstance(expression, Or) else (expression,)
    return [part for part in parts if isinstance(part, Term) and part.exact is None]


def _as_compared(term: Term, theme: Theme) -> str:
    return fold(term.words, accents=theme.accents == "exact")


def _repeated(theme: Theme) -> Iterator[Finding]:
    """Rules that several parts have, and the head could have once."""
    same: dict[str, list[Rule]] = {}
    for rule in theme.rules:
        if rule.language:
            same.setdefault(json.dumps([rule.weight, meaning_of(rule.expression)]), []).append(rule)
    for rules in same.values():
        if len(rules) > 1:
            languages = ", ".join(rule.language or "" for rule in rules)
            what = f"{rules[0].query!r} stands in the parts for {languages}: the head may have it"
            yield Finding(theme.theme, rules[0].id, "repeated", what)


def _hasty(theme: Theme) -> Iterator[Finding]:
    for rule in _single_words(theme):
        if re.fullmatch(rf"\w{{1,{_FEW_LETTERS}}}\*", rule.query):
            what = f"{rule.query!r} alone makes a mention, and may be the beginning of anything"
            yield Finding(theme.theme, rule.id, "hasty", what)


def _single_words(theme: Theme) -> Iterator[Rule]:
    """Rules of one word that alone make a mention."""
    for rule in theme.rules:
        if (
            isinstance(rule.expression, Term)
            and " " not in rule.expression.words
            and rule.weight >= theme.thresholds.mention
        ):
            yield rule


def count_hits(themes: Sequence[Theme], sample: Iterable[SampleArticle]) -> list[RuleHits]:
    """In how many articles each theme is found, and each rule has a match that counts."""
    matcher = ThemeMatcher(themes)
    # Every match shows, whatever the weight of its rule.
    rules_alone = ThemeMatcher([_showing_all(theme) for theme in themes])
    hits: Counter[tuple[str, str | None]] = Counter()
    articles: Counter[str | None] = Counter()
    for one in sample:
        articles.update((None, one.language))
        hits.update((hit.theme, None) for hit in one.hits(matcher))
        hits.update(
            (hit.theme, count.query) for hit in one.hits(rules_alone) for count in hit.queries
        )
    return [
        RuleHits(theme.theme, name, hits[theme.theme, name], articles[language])
        for theme in themes
        for name, language in (
            (None, None),
            *((rule.id, rule.language) for rule in theme.rules),
        )
    ]


def _showing_all(theme: Theme) -> Theme:
    return replace(
        theme,
        thresholds=Thresholds(mention=1e-6, focus=1e9),
        rules=tuple(replace(rule, weight=1.0) for rule in theme.rules),
    )


def lint_hits(
    themes: Sequence[Theme], counted: Sequence[RuleHits], *, too_broad: float
) -> list[Finding]:
    """What a sample shows: rules that are too broad, too common, or of no use in it.

    Args:
        too_broad: The share of articles above which a rule or theme is too broad.
    """
    findings = []
    singles = {(theme.theme, rule.id) for theme in themes for rule in _single_words(theme)}
    for one in counted:
        shown = f"in {one.hits:,} of {one.of:,} articles ({one.share:.1%})"
        subject = "the theme is" if one.rule is None else "it is"
        if one.hits and one.of < _ENOUGH:
            continue
        if one.share > too_broad:
            findings.append(Finding(one.theme, one.rule, "broad", f"{subject} {shown}"))
        elif one.share > _COMMON and (one.theme, one.rule) in singles:
            what = f"one word that alone makes a mention, and {shown}"
            findings.append(Finding(one.theme, one.rule, "hasty", what))
        elif one.of and not one.hits:
            findings.append(Finding(one.theme, one.rule, "unused", f"{subject} {shown}"))
    return findings
