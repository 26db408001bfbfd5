"""What remembering costs: runs on an empty and on a full ledger, and what was seen before.

    python -m benchmarks.scheduled --rows 5000000

prints, from one run of this program: how long a run of 1,000 new articles takes on a full
ledger against an empty one; how much faster a run is where everything was seen; and what
stories and the ledger take of the throughput of the main job.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from unittest import mock

from benchmarks.corpus import write_corpus
from benchmarks.ledger import fill
from pipeline.config import load_config
from pipeline.console import LoggedProgress
from pipeline.ledger import Ledger
from pipeline.run import run

_NEW = 1_000
_SEEN = 100_000
_SHARE = 40_000
_REPEATS = 3
_OPTIONS = ("--", "--direct_running_mode=in_memory", "--direct_num_workers=1")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--seen", type=int, default=_SEEN)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_corpus(folder / "new.jsonl", _NEW, seed=2)
        full = folder / "full"
        full.mkdir()
        with Ledger.open(f"sqlite:///{full / 'ledger.sqlite'}", create=True) as ledger:
            fill(ledger, arguments.rows)
        empty_seconds = [
            _seconds(folder / "new.jsonl", folder / f"empty{number}") for number in range(_REPEATS)
        ]
        full_seconds = []
        for number in range(_REPEATS):
            write_corpus(folder / "new.jsonl", _NEW, seed=10 + number)
            full_seconds.append(_seconds(folder / "new.jsonl", full))
        shutil.rmtree(full)
        on_empty, on_full = statistics.median(empty_seconds), statistics.median(full_seconds)

        write_corpus(folder / "seen.jsonl", arguments.seen)
        nothing_seen = _seconds(folder / "seen.jsonl", folder / "seen")
        all_seen = _seconds(folder / "seen.jsonl", folder / "seen")

        write_corpus(folder / "share.jsonl", _SHARE)
        remembering = _in_process(folder / "share.jsonl", folder / "share")
        with _without_memory():
            forgetting = _in_process(folder / "share.jsonl", folder / "without")

    rows = f"{arguments.rows:,} rows"
    print(f"{_NEW:,} new articles, empty ledger           {on_empty:8.2f} s")
    print(f"{_NEW:,} new articles, ledger of {rows:<14}{on_full:8.2f} s")
    print(f"full / empty                              {on_full / on_empty:8.2f}")
    print(f"{arguments.seen:,} articles, nothing seen         {nothing_seen:8.2f} s")
    print(f"{arguments.seen:,} articles, everything seen      {all_seen:8.2f} s")
    print(f"nothing seen / everything seen            {nothing_seen / all_seen:8.2f}")
    print(f"share of stories and ledger in a run      {1 - forgetting / remembering:8.2f}")


def _seconds(corpus: Path, out: Path) -> float:
    command = [sys.executable, "-m", "pipeline", "run", "--quiet"]
    command += ["--input", str(corpus), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def _in_process(corpus: Path, out: Path) -> float:
    start = time.perf_counter()
    run(
        load_config(None),
        inputs=[str(corpus)],
        out=out,
        as_of=datetime.now(UTC),
        beam_arguments=_OPTIONS[1:],
        progress=LoggedProgress(),
    )
    return time.perf_counter() - start


@contextmanager
def _without_memory() -> Iterator[None]:
    """Runs compute no signatures and tell the ledger nothing."""
    with (
        mock.patch("transforms.logic.classify.signature", _no_signature),
        mock.patch.object(Ledger, "apply", return_value=True),
    ):
        yield


def _no_signature(title: str, text: str) -> bytes:
    """As unlike all others as a signature can be, for next to nothing."""
    return blake2b(f"{title}{text}".encode()).digest()


if __name__ == "__main__":
    main()
