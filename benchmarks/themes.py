"""Articles a second through classification: the default themes, and very many.

    python -m benchmarks.themes --articles 2000
    python -m benchmarks.themes --articles 2000 --corpus articles.jsonl --gdelt gkg_themes.xml

Without --corpus the articles are generated; with it they are the titles and texts of a JSON
Lines file, cut or joined to the same length. With --gdelt the categories of GDELT's Global
Knowledge Graph are measured too. Times are those of the processor, the best of three: other
programs disturb them less. Needs the dependency group `bench` (spaCy, for the peer).
"""

import argparse
import itertools
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.corpus import write_corpus
from pipeline.config import load_config
from pipeline.sources.streams import open_bytes
from pipeline.themes.gdelt import import_gdelt
from pipeline.themes.imported import Importing, write_themes
from transforms.logic.classify import classify
from transforms.logic.identity import text_hash
from transforms.logic.language import LanguageDetector
from transforms.logic.themes.expressions import Expression, Term, children
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Head, Theme, merge
from transforms.records import Article, FreshArticle, Origin

_BYTES = 2_400  # of title and text
_PEER_ARTICLES = 300  # spaCy is too slow for more
_PATTERNS_A_THEME = 35
_NOW = datetime(2026, 11, 24, tzinfo=UTC)


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
    peer = _peer_rate(themes, articles[:_PEER_ARTICLES])
    if peer is None:
        print("spaCy is not installed")
    else:
        print(f"{'spaCy, the same terms, no queries':<44}{peer:>10,.0f} articles/s")
        print(f"{'the default themes / spaCy':<44}{ours / peer:>10.1f}")
    if options.gdelt:
        _measure("GDELT's categories", _gdelt(options.gdelt), articles)
    _measure("850 themes, 30,000 patterns", _invented(850, 30_000, words), articles)
    rates = [
        _measure(f"{patterns:,} patterns", _invented(-(-patterns // 35), patterns, words), articles)
        for patterns in (300, options.most_patterns)
    ]
    print(f"{f'300 / {options.most_patterns:,} patterns':<44}{rates[0] / rates[1]:>10.1f}")


def _measure(name: str, themes: Sequence[Theme], articles: Sequence[FreshArticle]) -> float:
    """Articles a second, printed with what is behind them."""
    start = time.process_time()
    matcher = ThemeMatcher(themes)
    detector = LanguageDetector()
    hits = [classify(article, matcher, detector).hits for article in articles[:100]]
    compiled = time.process_time() - start
    rate = _rate(lambda: [classify(one, matcher, detector) for one in articles], len(articles))
    rules = sum(len(theme.rules) for theme in themes)
    found = sum(map(len, hits)) / len(hits)
    print(
        f"{name:<44}{rate:>10,.0f} articles/s  ({len(themes):,} themes, {rules:,} rules, "
        f"compiled in {compiled:.1f} s, {found:.1f} hits an article)"
    )
    return rate


def _rate(program: Callable[[], object], articles: int) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        program()
        best = min(best, time.process_time() - start)
    return articles / best


def _articles(corpus: Path | None, number: int) -> Iterator[FreshArticle]:
    """Articles in English, as they come to classification."""
    with tempfile.TemporaryDirectory() as folder:
        if corpus is None:
            corpus = Path(folder) / "corpus.jsonl"
            write_corpus(corpus, number)
        with open_bytes(str(corpus)) as (file, _):
            records = [orjson.loads(line) for line in file]
    texts = "\n".join(record["text"] for record in records)
    titles = itertools.cycle(record["title"] for record in records)
    for position in itertools.count(step=_BYTES - 60):
        title, at = next(titles), position % max(len(texts) - _BYTES, 1)
        text = texts[at : at + _BYTES - len(title)].strip()
        article = Article(
            article_id=f"{position:x}",
            url=None,
            canonical_url=None,
            guid=None,
            title=title,
            text=text,
            language="en",
            published_at=_NOW,
            published_from="file",
            published_raw=None,
            updated_at=None,
            seen_at=_NOW,
            source="Paper",
            authors=(),
            origin=Origin(path="corpus.jsonl", record=1),
        )
        yield FreshArticle(article=article, text_hash=text_hash(title, text), known=None)


def _vocabulary(articles: Sequence[FreshArticle]) -> list[str]:
    """The words of the articles, the common ones first."""
    counted: dict[str, int] = {}
    for fresh in articles:
        for word in re.findall(r"[a-z]{3,}", fresh.article.text.lower()):
            counted[word] = counted.get(word, 0) + 1
    return sorted(counted, key=lambda word: (-counted[word], word))


def _invented(themes: int, patterns: int, words: Sequence[str]) -> list[Theme]:
    """Themes of words, phrases and beginnings of words that stand in the articles, or could.

    Like a person's, they avoid the commonest words, and have more phrases than words.
    """
    chance = random.Random(1)  # noqa: S311 # no secret
    words = words[len(words) // 20 :]
    invented: dict[str, None] = {}
    while len(invented) < patterns:
        kind = chance.random()
        drawn = " ".join(chance.choices(words, k=1 if kind < 0.3 else 2 if kind < 0.8 else 3))
        if kind < 0.15 or len(invented) > len(words) / 3:
            # With a suffix no article has: as most words of a large vocabulary.
            drawn += chance.choice(("", "ware", "istic", "hood", "esque"))
        invented[drawn + "*" * (chance.random() < 0.2)] = None
    return [
        merge(
            Head.model_validate(
                {"theme": f"t{number}", "title": f"T{number}", "terms": {2: terms, 4: others}}
            )
        )
        for number in range(themes)
        for terms, others in [_halves(list(invented)[number::themes])]
    ]


def _halves(terms: list[str]) -> tuple[list[str], list[str]]:
    return terms[::2], terms[1::2]


def _gdelt(path: Path) -> Sequence[Theme]:
    importing = Importing()
    import_gdelt(path, importing)
    with tempfile.TemporaryDirectory() as folder:
        write_themes(importing, Path(folder) / "themes", path.name)
        config = Path(folder) / "pipeline.yaml"
        config.write_text("themes: [themes/*.yaml]\n")
        return load_config(config).themes


def _peer_rate(themes: Sequence[Theme], articles: Sequence[FreshArticle]) -> float | None:
    """What spaCy does with the terms alone: it has no NEAR, and no scores."""
    try:
        import spacy
        from spacy.matcher import Matcher, PhraseMatcher
    except ImportError:
        return None
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

    def find() -> None:
        for fresh in articles:
            document = language.make_doc(f"{fresh.article.title}\n{fresh.article.text}")
            phrases(document)
            patterns(document)

    return _rate(find, len(articles))


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
