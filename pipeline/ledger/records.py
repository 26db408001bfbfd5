"""What a ledger says of itself, and the rows of its export."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from transforms.records import AlertChange, Record, SeenAgain, SeenArticles, ToldChange

DeliveryStatus = Literal["pending", "delivered", "dead", "dropped"]


class AppliedRun(Record):
    """A run whose changes are in the ledger."""

    change: Literal["run"] = "run"
    run_id: str
    sequence: int
    as_of: datetime


class StartedStory(Record):
    """A story, and the run that told it first."""

    change: Literal["story"] = "story"
    story_id: str
    sequence: int


class FeedState(Record):
    """A change of the ledger: what is remembered of a feed, for the next time."""

    change: Literal["feed"] = "feed"
    url: str
    state: dict[str, Any]
    updated_at: datetime


class DeliveryState(Record):
    """One part of one run on its way to one sink."""

    change: Literal["delivery"] = "delivery"
    sink: str
    part: str = Field(description="Empty where the sink has one part only.")
    run_id: str = Field(description="As in `runs`.")
    sequence: int = Field(description="The number of that run.")
    state: DeliveryStatus = "pending"
    attempts: int = Field(default=0, description="How often it was tried.")
    next_at: datetime = Field(description="Before that it is not tried again.")
    changed_at: datetime
    error: str = Field(default="", description="What went wrong last.")
    progress: str = Field(default="", description="What the sink noted of how far it came.")


RunChange = Annotated[
    SeenArticles | SeenAgain | ToldChange | AlertChange | FeedState, Field(discriminator="change")
]
"""What a run tells the ledger."""

ExportedRow = Annotated[
    AppliedRun | StartedStory | SeenArticles | ToldChange | AlertChange | FeedState | DeliveryState,
    Field(discriminator="change"),
]


class LedgerStats(Record):
    """How much a ledger holds."""

    revision: str = Field(description="Of its schema.")
    rows: dict[str, int] = Field(description="By table.")
    bytes: int = Field(description="On the disk, indexes included.")
    oldest_seen_at: datetime | None = Field(description="The last sighting that is longest ago.")
    newest_seen_at: datetime | None
    last_run: AppliedRun | None = Field(description="The last one that was applied.")


class Pruned(NamedTuple):
    """How many rows a pruning removed."""

    articles: int
    stories: int
    alerts: int
    keys: int
    deliveries: int
