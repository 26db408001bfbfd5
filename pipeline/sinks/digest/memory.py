"""Where it is kept what waits for the next message: one small file an address."""

from pathlib import Path

from pydantic import ValidationError

from pipeline.sinks.base import DeliveryError
from pipeline.sinks.digest.queue import Memory
from pipeline.sinks.places import LocalPlace


class MemoryFile:
    """The memory of one address. What was written is on the disk, whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Memory | None:
        """What was written last; None at first.

        Raises:
            DeliveryError: it cannot be read.
        """
        try:
            return Memory.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise DeliveryError(f"{self._path} cannot be read: {type(error).__name__}") from error

    def write(self, memory: Memory) -> None:
        """Put *memory* in the place of what was there.

        Raises:
            DeliveryError: it cannot be written.
        """
        content = memory.model_dump_json().encode() + b"\n"
        LocalPlace(self._path.parent).write(self._path.name, content)
