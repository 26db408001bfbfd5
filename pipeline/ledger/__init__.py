"""What earlier runs saw, in SQLite or PostgreSQL.

    with hold(url, "run 20261124T060000Z", wait), Ledger.open(url, create=True) as ledger:
        ledger.apply(run_id, ledger.next_sequence(), as_of, changes)

The package adds to the tree of errors in `transforms.errors`:

    PolicywireError
    └── LedgerError       the ledger cannot be used as asked; that changed nothing in it
        └── LedgerBusy    another run holds it
"""

from pipeline.ledger.database import LedgerBusy, LedgerError
from pipeline.ledger.lock import Held, hold
from pipeline.ledger.outbox import Outbox
from pipeline.ledger.records import (
    AppliedRun,
    DeliveryState,
    ExportedRow,
    FeedState,
    LedgerStats,
    Pruned,
    RunChange,
    StartedStory,
)
from pipeline.ledger.store import Ledger

__all__ = [
    "AppliedRun",
    "DeliveryState",
    "ExportedRow",
    "FeedState",
    "Held",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerStats",
    "Outbox",
    "Pruned",
    "RunChange",
    "StartedStory",
    "hold",
]
