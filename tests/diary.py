"""A kind of sink for tests, and how a command that is started finds it."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.sinks.base import Delivery, DeliveryError, SinkSettings

ROOT = Path(__file__).parent.parent


class DiarySettings(SinkSettings):
    """A sink that writes down what it is delivered, and fails where a file beside it says so.

    `NAME.fail` holds a sentence, `NAME.refuse` too, but for good; `NAME.break` is a fault of
    the sink, and while there is `NAME.hang`, it comes to no end. `.PART` after that means one part.
    """

    path: str
    routes: tuple[str, ...] = ("",)

    @property
    def parts(self) -> Sequence[str]:
        return self.routes

    def open(self, out: Path) -> "Diary":
        path = out / self.path
        if path.with_suffix(".shut").exists():
            raise DeliveryError("the diary is shut")
        return Diary(path)


class Diary:
    """A line for each delivery: the run, the part, and the progress that was noted before."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, delivery: Delivery) -> None:
        assert delivery.run.manifest.run_id in [
            one.manifest.run_id for one in delivery.history.runs
        ]
        for end in ("", f".{delivery.part}"):
            if (fail := self._path.with_suffix(f".fail{end}")).exists():
                delivery.note(f"{delivery.progress}+")
                raise DeliveryError(fail.read_text())
            if (refuse := self._path.with_suffix(f".refuse{end}")).exists():
                raise DeliveryError(refuse.read_text(), again=False)
            if self._path.with_suffix(f".break{end}").exists():
                raise ZeroDivisionError("it is broken")
            while self._path.with_suffix(f".hang{end}").exists():
                time.sleep(0.05)
        with self._path.open("a") as file:
            file.write(f"{delivery.run.manifest.run_id} {delivery.part} {delivery.progress}\n")

    def close(self) -> None:
        pass


def read(path: Path) -> list[str]:
    """The lines of a diary."""
    if not path.exists():
        return []
    return [line.rstrip() for line in path.read_text().splitlines()]


def install(
    folder: Path, points: str = "[policywire.sinks]\ndiary = tests.diary:DiarySettings\n"
) -> dict[str, str]:
    """Install kinds of sinks in *folder*; the environment in which a process finds them."""
    package = folder / "diary-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: diary\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(points)
    paths = [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
