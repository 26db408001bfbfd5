"""Articles a second of the main job, as ratios against simpler programs in the same run.

    python -m benchmarks.throughput --articles 300000

Needs the dependency group `bench` (psutil, and spaCy for the last peer).
"""

import argparse
import functools
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ahocorasick_rs
import orjson
import psutil

from benchmarks.corpus import write_corpus
from pipeline.config import LoadedConfig, load_config
from pipeline.sources.readers import Limits, Span, read_span
from transforms.logic.classify import classify
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.language import LanguageDetector
from transforms.logic.normalise import normalise
from transforms.logic.seen import fresh
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.records import RawDocument

_PEER_ARTICLES = 3_000  # spaCy is too slow for more
_LOOP_ARTICLES = 30_000
_AS_OF = "2026-11-24T06:00:00Z"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=300_000)
    articles: int = parser.parse_args().articles
    loaded = load_config(None)
    with tempfile.TemporaryDirectory() as folder:
        corpus, third = Path(folder) / "corpus.jsonl", Path(folder) / "third.jsonl"
        write_corpus(corpus, articles)
        write_corpus(third, articles // 3)
        print(f"corpus: {articles:,} articles, {corpus.stat().st_size / articles:,.0f} bytes each")
        floor = _rate(lambda: _floor(corpus, loaded, ahocorasick_rs.AhoCorasick), articles)
        table = functools.partial(
            ahocorasick_rs.AhoCorasick, implementation=ahocorasick_rs.Implementation.DFA
        )
        fast_floor = _rate(lambda: _floor(corpus, loaded, table), articles)
        looped = min(articles, _LOOP_ARTICLES)
        loop = _rate(lambda: _loop(corpus, loaded, looped), looped)
        run, peak, runner = _measured_run(corpus, Path(folder) / "out", articles)
        same = (
            f"--direct_running_mode={runner['mode']}",
            f"--direct_num_workers={runner['workers']}",
        )
        _, third_peak, _ = _measured_run(third, Path(folder) / "out", articles // 3, same)
        spacy = _spacy_rate(corpus, loaded)

    workers = runner["workers"]
    growth = (peak - third_peak) / (articles - articles // 3)
    figures: list[tuple[str, float | None, str]] = [
        ("floor: read, parse, one automaton pass; one core", floor, ",.0f articles/s"),
        ("the same with a table of all transitions", fast_floor, ",.0f articles/s"),
        ("plain loop over the stage functions; one core", loop, ",.0f articles/s"),
        (f"policywire run; {workers} workers, {runner['mode']}", run, ",.0f articles/s"),
        ("run / floor", run / floor, ".2f"),
        ("run / floor with a table", run / fast_floor, ".2f"),
        ("run a core / plain loop", run / workers / loop, ".2f"),
        ("spaCy PhraseMatcher on the same terms; one core", spacy, ",.0f articles/s"),
        ("run / spaCy", spacy and run / spacy, ".1f"),
        ("peak memory of all processes", peak / 2**20, ",.0f MiB"),
        ("memory growth an article", growth / 1e3, ".2f kB"),
    ]
    for name, value, form in figures:
        number, _, unit = form.partition(" ")
        print(f"{name:<52}", "not installed" if value is None else f"{value:{number}} {unit}")


def _rate(program: Callable[[], None], articles: int) -> float:
    start = time.perf_counter()
    program()
    return articles / (time.perf_counter() - start)


def _literals(loaded: LoadedConfig) -> list[str]:
    return list(ThemeMatcher(loaded.themes).literals)


def _floor(corpus: Path, loaded: LoadedConfig, build: Callable[..., Any]) -> None:
    automaton = build(_literals(loaded), store_patterns=False)
    with corpus.open("rb") as file:
        for line in file:
            automaton.find_matches_as_indexes(orjson.loads(line)["text"].lower(), overlapping=True)


def _loop(corpus: Path, loaded: LoadedConfig, most: int) -> None:
    matcher, detector, fields = ThemeMatcher(loaded.themes), LanguageDetector(), FieldNames()
    for document in itertools.islice(_documents(corpus), most):
        for entry in parse_document(document, fields):
            article = fresh(normalise(entry), None, "")
            assert article is not None
            classify(article, matcher, detector)


def _documents(corpus: Path) -> Iterator[RawDocument]:
    span = Span(path=str(corpus), name=str(corpus), size=0, kind="jsonl")
    for read in read_span(span, Limits(10**7, 10**12), datetime.now(UTC)):
        assert isinstance(read, RawDocument)
        yield read


def _measured_run(
    corpus: Path, out: Path, articles: int, options: Sequence[str] = ()
) -> tuple[float, int, dict[str, Any]]:
    """Articles a second, the most memory in bytes, and what the manifest says of the runner."""
    command = [sys.executable, "-m", "pipeline", "run", "--input", str(corpus)]
    command += ["--out", str(out), "--as-of", _AS_OF, "--quiet", "--", *options]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    peak = [0]
    watcher = threading.Thread(target=_follow_memory, args=(process.pid, peak), daemon=True)
    watcher.start()
    assert process.wait() == 0
    seconds = time.perf_counter() - start
    watcher.join()
    latest = orjson.loads((out / "latest.json").read_bytes())
    manifest = orjson.loads((out / latest["path"] / "manifest.json").read_bytes())
    return articles / seconds, peak[0], manifest["runner"]


def _follow_memory(pid: int, peak: list[int]) -> None:
    """The most that the process and all below it held together, shared pages counted once."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in [root, *root.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(0.5)
    except psutil.NoSuchProcess:
        return


def _spacy_rate(corpus: Path, loaded: LoadedConfig) -> float | None:
    try:
        import spacy
        from spacy.matcher import PhraseMatcher
    except ImportError:
        return None
    language = spacy.blank("en")
    matcher = PhraseMatcher(language.vocab, attr="LOWER")
    matcher.add("terms", [language.make_doc(literal) for literal in _literals(loaded)])
    with corpus.open("rb") as file:
        texts = [orjson.loads(line)["text"] for line in itertools.islice(file, _PEER_ARTICLES)]
    return _rate(
        lambda: [matcher(language.make_doc(text)) for text in texts][:0] or None, len(texts)
    )


if __name__ == "__main__":
    main()
