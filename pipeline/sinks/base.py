"""What a kind of sink is: a model of its settings, and what these open.

A kind is a module with both. Those of policywire are named in `KINDS`; a package that is
installed beside it adds one of its own by an entry point of the group `policywire.sinks`,
whose name is the kind and whose value is the model of its settings.
"""

import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from transforms.errors import PolicywireError

if TYPE_CHECKING:  # a configuration is checked without them
    from pipeline.history import History
    from pipeline.runs import CompleteRun

GROUP: Final = "policywire.sinks"
KINDS: Final = {
    "files": "pipeline.sinks.files.settings:FilesSettings",
    "database": "pipeline.sinks.database.settings:DatabaseSettings",
    "feeds": "pipeline.sinks.feeds.settings:FeedsSettings",
    "search": "pipeline.sinks.search.settings:SearchSettings",
    "webhook": "pipeline.sinks.webhook:WebhookSettings",
    "digest": "pipeline.sinks.digest.settings:DigestSettings",
}
"""Where the settings of each kind of ours are: a module, a colon, a name."""


class DeliveryError(PolicywireError):
    """A delivery that did not succeed.

    Attributes:
        again: Whether it may succeed later; what never can is not tried again.
        after: How long to wait for that at least, where the other side says so.
    """

    def __init__(self, message: str, *, again: bool = True, after: timedelta = timedelta()) -> None:
        super().__init__(message)
        self.again = again
        self.after = after


class TooEarlyError(DeliveryError):
    """The time of a delivery has not come: that is no fault, and no attempt that counts.

    Attributes:
        after: How long it is until then.
    """

    def __init__(self, message: str, after: timedelta) -> None:
        super().__init__(message, after=after)


class Delivery(NamedTuple):
    """One part of one run, to be delivered to one sink.

    Attributes:
        part: One of the sink's parts.
        history: All runs that are kept, this one among them.
        progress: What was noted last in an attempt that was not finished; empty at first.
        note: Notes how far it has come: it is on the disk when the call returns, and the
            next attempt is given it. So what is sent in many pieces need not begin anew.
    """

    run: "CompleteRun"
    part: str
    history: "History"
    progress: str
    note: Callable[[str], None]


class Sink(Protocol):
    """Where complete runs are delivered to, one after the other in their order.

    A run may come more than once, after a crash or where an answer was lost: a sink
    writes by ids that stay the same, or says by them what it has sent before. It is
    used by one thread, and no two processes deliver at a time.
    """

    def deliver(self, delivery: Delivery, /) -> None:
        """Deliver; return when all of it has arrived.

        Raises:
            DeliveryError: it has not. So it is with any other exception, too; only the
                sentence that people read of it is not as good.
        """

    def close(self) -> None:
        """Give up what it holds."""


class SinkSettings(BaseModel):
    """Base of the settings of a sink; a kind adds its own fields.

    A module with settings is imported whenever a configuration names its kind, so what
    takes long to import belongs into `open`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    since: Literal["newest", "all"] = "newest"

    @abstractmethod
    def open(self, out: Path) -> Sink:
        """The sink itself.

        Args:
            out: The output folder.

        Raises:
            PolicywireError: it cannot be had now; all its deliveries wait.
        """

    @property
    def parts(self) -> Sequence[str]:
        """The parts in which each run is delivered: one or more.

        Each is delivered, and tried again, by itself: one that fails does not hold up the
        others. What is to stay in one order belongs in one part.
        """
        return ("",)

    def without_secrets(self) -> Self:
        """As it may be shown."""
        return self


def settings_of(kind: str) -> type[SinkSettings]:
    """The model of the settings of *kind*.

    Raises:
        ValueError: there is no such kind, or it cannot be imported.
    """
    if kind in KINDS:
        found = pkgutil.resolve_name(KINDS[kind])
    else:
        points = {point.name: point for point in entry_points(group=GROUP)}
        if kind not in points:
            known = ", ".join(sorted({*KINDS, *points}))
            raise ValueError(f"{kind!r} is no kind of sink; known: {known or 'none'}")
        try:
            found = points[kind].load()
        except (ImportError, AttributeError) as error:
            raise ValueError(f"the sink kind {kind!r} cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, SinkSettings)):
        raise ValueError(f"the sink kind {kind!r} has no SinkSettings, but {found!r}")
    return found
