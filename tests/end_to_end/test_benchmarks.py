"""The programs that measure still run; what they print is not judged."""

import subprocess
import sys

import pytest

from tests.end_to_end.test_run import ROOT


@pytest.mark.parametrize(
    ("program", "arguments", "figures"),
    [
        ("throughput", ("--articles", "600"), ("run / floor", "memory growth an article")),
        (
            "feed_parsing",
            ("--feeds", "2", "--entries", "4"),
            ("feedparser.parse() as it is called", "the same, and clean articles"),
        ),
        (
            "scheduled",
            ("--rows", "20000", "--seen", "500"),
            ("full / empty", "nothing seen / everything seen", "share of stories and ledger"),
        ),
        (
            "themes",
            ("--articles", "20", "--most-patterns", "600"),
            ("the default themes", "850 themes", "300 / 600 patterns"),
        ),
    ],
)
def test_a_benchmark_prints_its_figures(
    program: str, arguments: tuple[str, ...], figures: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", f"benchmarks.{program}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [figure for figure in figures if figure not in done.stdout] == []
