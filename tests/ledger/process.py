"""Another process, which says when it is inside and then stays there.

python -m tests.ledger.process hold|apply URL
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE, Popen

from pipeline.ledger import Ledger, RunChange, hold, writer
from tests.ledger.samples import NOW, alert, seen, told

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def inside(what: str, url: str) -> Iterator[Popen[bytes]]:
    """Another process inside `hold`, or inside `apply`; killed afterwards where it still runs."""
    command = [sys.executable, "-m", "tests.ledger.process", what, url]
    with Popen(command, cwd=ROOT, stdout=PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"inside\n"
            yield process
        finally:
            process.kill()


def changes() -> list[RunChange]:
    """What the other process applies, or would."""
    return [seen(1, 2), told(3, 100, keys=(1, 2)), alert(100), seen(4)]


def main(what: str, url: str) -> None:
    """Do it."""
    if what == "hold":
        with hold(url, "run 20261124T060000Z", timedelta()):
            _stay()
    else:
        writer._ARTICLES = writer._TOLD = writer._KEYS = 1  # all that comes is written at once
        with Ledger.open(url) as ledger:
            ledger.apply("killed", ledger.next_sequence(), NOW, _endless())


def _endless() -> Iterator[RunChange]:
    yield from changes()
    _stay()


def _stay() -> None:
    print("inside", flush=True)
    time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
