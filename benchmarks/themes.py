"""Articles a second in which themes are found: the default ones, and very many.

    python -m benchmarks.themes --articles 2000
    python -m benchmarks.themes --articles 2000 --corpus articles.jsonl --gdelt gkg_themes.xml

Without --corpus the articles are generated; with it they are the titles and texts of a JSON
Lines file, cut or joined to the same length. With --gdelt the categories of GDELT's Global
Knowledge Graph are measured too. Times are those of the processor, the best of three: other
programs disturb them less. Needs the dependency group `bench` (spaCy, for the peer).
"""

import argparse
import functools
import itertools
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.corpus import write_corpus
from pipeline.config import load_config
from pipeline.sources.streams import open_bytes
from pipeline.themes.gdelt import import_gdelt
from pipeline.themes.imported import Importing, write_themes
from transforms.logic.classify import classify
from transforms.logic.language import LanguageDetector
from transforms.logic.normalise import normalise
from transforms.logic.seen import fresh
from transforms.logic.themes.expressions import Expression, Term, children
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Head, Theme, merge
from transforms.records import Entry, FreshArticle, Origin

_CHARACTERS = 2_350  # of title and text: with its other fields a record has about 2.4 kB
_PEER_ARTICLES = 100  # spaCy is too slow for more


class Article(NamedTuple):
    """What of an article is looked at."""

    title: str
    text: str
    source: str = "Paper"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=2_000)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--gdelt", type=Path)
    parser.add_argument("--most-patterns", type=int, default=100_000)
    options = parser.parse_args()
    articles = list(itertools.islice(_articles(options.corpus, options.articles), options.articles))
    words = _vocabulary(articles)

    themes = load_config(None).themes
    ours = _measure("the default themes", themes, articles)
    for name, peer in _peer_rates(themes, articles[:_PEER_ARTICLES]):
        print(f"{name:<44}{peer:>10,.0f} articles/s")
        print(f"{'the default themes / that':<44}{ours / peer:>10.1f}")
    if options.gdelt:
        _measure("GDELT's categories", _gdelt(options.gdelt), articles)
    unheard = _unheard(words)
    # Half of the words are in no article: so one pattern is found as often as one of GDELT's.
    large = [*_invented(425, 15_000, words), *_invented(425, 15_001, unheard)]
    _measure("850 themes, 30,000 patterns", large, articles)
    few = _measure("300 patterns", _invented(9, 300, words), articles)
    most: int = options.most_patterns
    many = [*_invented(9, 300, words), *_invented(most // 35, most - 300, unheard)]
    rate = _measure(f"the same and {most - 300:,} that no article has", many, articles)
    print(f"{f'300 / {most:,} patterns':<44}{few / rate:>10.1f}")


def _measure(name: str, themes: Sequence[Theme], articles: Sequence[Article]) -> float:
    """Articles a second: matching, scoring and evidence, in a language that is known.

    Printed beside that is the rate of all that is done to classify an article: finding its
    language, and the hash, signature and record that travel on, too.
    """
    start = time.process_time()
    matcher = ThemeMatcher(themes)
    matcher.hits("", "", language="en")
    compiled = time.process_time() - start
    counts: list[int] = []

    def find() -> None:
        counts[:] = [
            len(matcher.hits(one.title, one.text, language="en", source=one.source))
            for one in articles
        ]

    rate = _rate(find, len(articles))
    detector, unseen = LanguageDetector(), [_fresh(one) for one in articles]

    def classify_all() -> None:
        for one in unseen:
            classify(one, matcher, detector)  # and let go, as the stage does

    whole = _rate(classify_all, len(articles))
    rules = sum(len(theme.rules) for theme in themes)
    print(
        f"{name:<44}{rate:>10,.0f} articles/s  ({len(themes):,} themes, {rules:,} rules, "
        f"compiled in {compiled:.1f} s, {sum(counts) / len(counts):.1f} hits an article)"
    )
    print(f"{'    classified as a whole':<44}{whole:>10,.0f} articles/s")
    return rate


def _fresh(article: Article) -> FreshArticle:
    moment = datetime(2026, 11, 24, 6, tzinfo=UTC)
    entry = Entry(
        origin=Origin(path="corpus"),
        seen_at=moment,
        title=article.title,
        text=article.text,
        markup="plain",
        source=article.source,
    )
    found = fresh(normalise(entry), None, "")
    assert found is not None
    return found


def _rate(program: Callable[[], object], articles: int) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        program()
        best = min(best, time.process_time() - start)
    return articles / best


def _articles(corpus: Path | None, number: int) -> Iterator[Article]:
    """Articles in English of the same length, without end."""
    with tempfile.TemporaryDirectory() as folder:
        if corpus is None:
            corpus = Path(folder) / "corpus.jsonl"
            write_corpus(corpus, number)
        with open_bytes(str(corpus)) as (file, _):
            records = [orjson.loads(line) for line in file]
    texts = "\n".join(record["text"] for record in records)
    titles = itertools.cycle(record["title"] for record in records)
    for position in itertools.count(step=_CHARACTERS):
        title, at = next(titles), position % max(len(texts) - _CHARACTERS, 1)
        yield Article(title, texts[at : at + _CHARACTERS - len(title)].strip())


def _vocabulary(articles: Sequence[Article]) -> list[str]:
    """The words of the articles, the common ones first."""
    counted = Counter(
        word for article in articles for word in re.findall(r"[a-z]{3,}", article.text.lower())
    )
    return sorted(counted, key=lambda word: (-counted[word], word))


def _unheard(words: Sequence[str]) -> list[str]:
    """Words that look like *words* and stand in no article."""
    return [f"{word}q{ending}" for ending in ("", "a", "e", "o") for word in words]


def _invented(themes: int, patterns: int, words: Sequence[str]) -> list[Theme]:
    """Themes of words, phrases and beginnings of words.

    Like a person's, they avoid the commonest words, and have more phrases than words.
    """
    chance = random.Random(1)  # noqa: S311 # no secret
    words = words[len(words) // 20 :]
    invented: dict[str, None] = {}
    while len(invented) < patterns:
        length = chance.choice((1, 2, 2, 3))
        drawn = " ".join(chance.choices(words, k=length))
        invented[drawn + "*" * (chance.random() < 0.2)] = None
    terms = list(invented)
    return [
        merge(Head.model_validate({"theme": name, "title": name, "terms": {2: terms[at::themes]}}))
        for at in range(themes)
        for name in [f"t{len(words)}_{at}"]
    ]


def _gdelt(path: Path) -> Sequence[Theme]:
    importing = Importing()
    import_gdelt(path, importing)
    with tempfile.TemporaryDirectory() as folder:
        write_themes(importing, Path(folder) / "themes", path.name)
        config = Path(folder) / "pipeline.yaml"
        config.write_text("themes: [themes/*.yaml]\n")
        return load_config(config).themes


def _peer_rates(
    themes: Sequence[Theme], articles: Sequence[Article]
) -> Iterator[tuple[str, float]]:
    """What spaCy does with the terms alone, without operators and scores."""
    try:
        import spacy
        from spacy.matcher import Matcher, PhraseMatcher
    except ImportError:
        print("spaCy is not installed")
        return
    language = spacy.blank("en")
    phrases, patterns = PhraseMatcher(language.vocab, attr="LOWER"), Matcher(language.vocab)
    for theme in themes:
        terms = {
            term.words
            for rule in theme.rules
            if rule.language in (None, "en")
            for term in _terms(rule.expression)
        }
        plain = {term for term in terms if "*" not in term and "?" not in term}
        phrases.add(theme.theme, [language.make_doc(term) for term in sorted(plain)])
        patterns.add(theme.theme, [_pattern(term) for term in sorted(terms - plain)])
    for name, matchers in (
        ("spaCy, PhraseMatcher, no wildcards", (phrases,)),
        ("spaCy, PhraseMatcher and Matcher", (phrases, patterns)),
    ):
        yield name, _rate(functools.partial(_find, language, matchers, articles), len(articles))


def _find(language: Any, matchers: Sequence[Any], articles: Sequence[Article]) -> None:
    for article in articles:
        document = language.make_doc(f"{article.title}\n{article.text}")
        for matcher in matchers:
            matcher(document)


def _pattern(term: str) -> list[dict[str, object]]:
    """A term with wildcards for spaCy's Matcher."""
    expressions = (
        re.escape(word).replace(r"\*", r"\w*").replace(r"\?", r"\w") for word in term.split()
    )
    return [{"LOWER": {"REGEX": f"^{expression}$"}} for expression in expressions]


def _terms(expression: Expression) -> Iterator[Term]:
    if isinstance(expression, Term):
        yield expression
    for child in children(expression):
        yield from _terms(child)


if __name__ == "__main__":
    main()
