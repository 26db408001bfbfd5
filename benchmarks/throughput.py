"""Articles a second of the main job, as ratios against simpler programs in the same run.

    python -m benchmarks.throughput --articles 300000

Needs the dependency group `bench` (psutil, and spaCy for the last peer).
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

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
        corpus = Path(folder) / "corpus.jsonl"
        write_corpus(corpus, articles)
        small = Path(folder) / "small.jsonl"
        write_corpus(small, max(articles // 10, 1))
        print(f"corpus: {articles:,} articles, {corpus.stat().st_size / articles:,.0f} bytes each")

        floor = _rate(lambda: _floor(corpus, loaded), articles)
        loop = _rate(lambda: _loop(corpus, loaded, _LOOP_ARTICLES), min(articles, _LOOP_ARTICLES))
        run, peak = _measured_run(corpus, Path(folder) / "out", articles)
        _, small_peak = _measured_run(small, Path(folder) / "out", max(articles // 10, 1))
        spacy = _spacy_rate(corpus, loaded)

    workers = min(psutil.cpu_count() or 1, 2)
    growth = (peak - small_peak) / (articles * 0.9)
    print(f"floor (read, parse, one automaton pass; one core)  {floor:>9,.0f} articles/s")
    print(f"plain loop over the stage functions (one core)     {loop:>9,.0f} articles/s")
    print(f"policywire run                                     {run:>9,.0f} articles/s")
    print(f"run / floor                                        {run / floor:>9.2f}")
    print(f"run a core / plain loop                            {run / workers / loop:>9.2f}")
    if spacy is None:
        print("spaCy PhraseMatcher                                not installed")
    else:
        print(f"spaCy PhraseMatcher on the same terms              {spacy:>9,.0f} articles/s")
        print(f"run / spaCy                                        {run / spacy:>9.1f}")
    print(f"peak memory of all processes                       {peak / 2**20:>9,.0f} MiB")
    print(f"memory growth an article                           {growth / 1e3:>9.2f} kB")


def _rate(program: Callable[[], None], articles: int) -> float:
    start = time.perf_counter()
    program()
    return articles / (time.perf_counter() - start)


def _literals(loaded: LoadedConfig) -> list[str]:
    return list(ThemeMatcher(loaded.themes).literals)


def _floor(corpus: Path, loaded: LoadedConfig) -> None:
    automaton = ahocorasick_rs.AhoCorasick(
        _literals(loaded), implementation=ahocorasick_rs.Implementation.DFA, store_patterns=False
    )
    with corpus.open("rb") as file:
        for line in file:
            automaton.find_matches_as_indexes(orjson.loads(line)["text"].lower(), overlapping=True)


def _loop(corpus: Path, loaded: LoadedConfig, most: int) -> None:
    matcher, detector, fields = ThemeMatcher(loaded.themes), LanguageDetector(), FieldNames()
    for document in itertools.islice(_documents(corpus), most):
        for entry in parse_document(document, fields):
            classify(normalise(entry, detector), matcher)


def _documents(corpus: Path) -> Iterator[RawDocument]:
    span = Span(path=str(corpus), name=str(corpus), size=0, kind="jsonl")
    for read in read_span(span, Limits(10**7, 10**12), datetime.now(UTC)):
        assert isinstance(read, RawDocument)
        yield read


def _measured_run(corpus: Path, out: Path, articles: int) -> tuple[float, int]:
    command = [sys.executable, "-m", "pipeline", "run", "--input", str(corpus)]
    command += ["--out", str(out), "--as-of", _AS_OF, "--quiet"]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    peak = [0]
    watcher = threading.Thread(target=_follow_memory, args=(process.pid, peak), daemon=True)
    watcher.start()
    assert process.wait() == 0
    seconds = time.perf_counter() - start
    watcher.join()
    return articles / seconds, peak[0]


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
            time.sleep(0.2)
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
        texts = [orjson.loads(next(file))["text"] for _ in range(_PEER_ARTICLES)]
    return _rate(
        lambda: [matcher(language.make_doc(text)) for text in texts][:0] or None, len(texts)
    )


if __name__ == "__main__":
    main()
