"""Named points at which a run can be made to stand still, so that a test can kill it there.

A run passes them without a trace unless the environment names one:

    POLICYWIRE_PAUSE_AT=manifest_written POLICYWIRE_PAUSE_FILE=/tmp/reached policywire run …

creates the file when it gets there, and waits until the file is gone, or it is killed.
"""

import os
import time
from pathlib import Path
from typing import Literal

Point = Literal[
    "started",
    "locked",
    "rolled_forward",
    "staged",
    "fetched",
    "planned",
    "reading",
    "span_read",
    "asking_for_articles",
    "asking_for_candidates",
    "asking_for_stories",
    "file_written_aside",
    "file_written",
    "executed",
    "files_completed",
    "reconciled",
    "bursts_written",
    "manifest_written",
    "run_moved",
    "latest_written",
    "applying",
    "applied",
    "pruned",
    "rotated",
    "delivering",
    "delivered",
]


def pass_point(point: Point) -> None:
    """Go on, unless the environment asks to stand still at *point*."""
    if os.environ.get("POLICYWIRE_PAUSE_AT") == point:
        reached = Path(os.environ["POLICYWIRE_PAUSE_FILE"])
        reached.touch()
        while reached.exists():
            time.sleep(0.05)
