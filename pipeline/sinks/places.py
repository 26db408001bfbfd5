"""Folders that sinks write files to: on this machine, or on any file system that Beam knows."""

import os
from pathlib import Path
from typing import Final, Protocol, Self

from pydantic import model_validator

from pipeline.sinks.base import DeliveryError, SinkSettings

_TAKEN: Final = ("runs", "staging", "report", "digests")


class Place(Protocol):
    """A folder, which need not be there yet."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file below it, whole or not at all; one that is there is replaced.

        Args:
            name: Its path below the folder, with slashes.

        Raises:
            DeliveryError: it cannot be written.
        """


class FolderSettings(SinkSettings):
    """Of a sink that writes files; into a folder of its own name where no other is set."""

    folder: str | None = None

    @model_validator(mode="after")
    def _has_its_own_folder(self) -> Self:
        if self.folder is None and self.name in _TAKEN:
            raise ValueError(f"the output folder has a folder {self.name!r} for something else")
        return self

    def place(self, out: Path) -> Place:
        """The folder that it writes to.

        Raises:
            DeliveryError: it is on a file system that is not known.
        """
        if self.folder is None:
            return LocalPlace(out / self.name)
        folder = os.path.expandvars(self.folder)
        return BeamPlace(folder) if "://" in folder else LocalPlace(Path(folder))


class LocalPlace:
    """A folder of this machine: a file is written aside, and takes its name when it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        aside = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise DeliveryError(f"cannot write {path}: {error.strerror or error}") from error


def _sync(folder: Path) -> None:
    """Have the names in a folder written to the disk: what has arrived is not sent again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class BeamPlace:
    """A folder by URL; as `LocalPlace`, where renaming is a copy on object stores."""

    def __init__(self, folder: str) -> None:
        from apache_beam.io.filesystems import FileSystems  # takes long

        self._folder = folder
        try:
            FileSystems.get_filesystem(folder)
        except ValueError as error:
            raise DeliveryError(f"cannot write to {folder}: {error}") from error

    def write(self, name: str, content: bytes) -> None:
        from apache_beam.io.filesystem import BeamIOError, CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        *folders, last = name.split("/")
        path = FileSystems.join(self._folder, *folders, last)
        aside = FileSystems.join(self._folder, *folders, f".{last}.part")
        try:
            plain = CompressionTypes.UNCOMPRESSED
            with FileSystems.create(aside, compression_type=plain) as file:
                file.write(content)
            try:
                FileSystems.rename([aside], [path])
            except BeamIOError:
                FileSystems.delete([path])  # HDFS replaces none
                FileSystems.rename([aside], [path])
        except OSError as error:  # also what Beam raises
            raise DeliveryError(f"cannot write {path}: {error}") from error
