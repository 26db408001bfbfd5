"""The folders of runs: how one comes into being, and which there are.

out/staging/RUN_ID/     while it works; swept by the next start after a crash
out/runs/RUN_ID/        once it is complete: appears whole, by one rename
out/latest.json         names the newest complete run
"""

import hashlib
import itertools
import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson
from filelock import FileLock, Timeout
from pydantic import ValidationError

from pipeline.manifest import LEDGER_CHANGES, MANIFEST, Manifest
from pipeline.pauses import pass_point
from transforms.errors import ConfigError, RunError

LATEST = "latest.json"
PROGRESS = ".progress"

_LOCK = ".lock"


class CompleteRun(NamedTuple):
    """A run that is there: its folder, and its manifest."""

    folder: Path
    manifest: Manifest


def complete_runs(out: Path) -> list[CompleteRun]:
    """All complete runs below *out*, the oldest first, in the order in which they were made.

    A folder without a manifest that can be read is no run.
    """
    found = []
    for path in (out / "runs").glob(f"*/{MANIFEST}"):
        with suppress(OSError, ValidationError):
            found.append(CompleteRun(path.parent, _read_manifest(path, path.stat().st_mtime_ns)))
    return sorted(found, key=lambda run: (run.manifest.sequence, run.manifest.run_id))


@cache
def _read_manifest(path: Path, _changed: int) -> Manifest:
    """Read once a process: a run asks several times which others there are."""
    return Manifest.model_validate_json(path.read_bytes())


def find_run(out: Path, run_id: str) -> CompleteRun:
    """The complete run *run_id*, or the newest where that is 'latest'.

    Raises:
        ConfigError: there is none.
    """
    runs = complete_runs(out)
    if run_id == "latest" and runs:
        return runs[-1]
    for run in runs:
        if run.manifest.run_id == run_id:
            return run
    raise ConfigError(f"{out / 'runs'}: no complete run {run_id!r}")


def next_sequence(out: Path) -> int:
    """The place of a new run among those that are kept below *out*."""
    return 1 + max((run.manifest.sequence for run in complete_runs(out)), default=0)


def run_key(manifest: Manifest) -> str:
    """What the ledger knows a run by: runs of two output folders may have one id."""
    digest = hashlib.sha256()
    for name, file in sorted(manifest.files.items()):
        if name.startswith(f"{LEDGER_CHANGES}/"):
            digest.update(f"{name} {file.sha256}\n".encode())
    return f"{manifest.run_id} {digest.hexdigest()[:16]}"


@contextmanager
def staging(out: Path, as_of: datetime) -> Iterator[tuple[str, Path]]:
    """A new run id and its staging folder, which is gone afterwards whatever happens.

    A live run holds the lock in its folder; folders of runs that died are swept.

    Raises:
        RunError: *out* cannot be written to.
    """
    parent = out / "staging"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(exist_ok=True)
        with _changing(out):
            _sweep(parent)
            run_id = _new_run_id(out, as_of)
            folder = parent / run_id
            folder.mkdir()
            alive = FileLock(folder / _LOCK)
            alive.acquire()
    except OSError as error:
        raise RunError(f"cannot write to {out}: {error.strerror or error}") from error
    try:
        yield run_id, folder.resolve()
    except OSError as error:
        raise RunError(f"the run failed, nothing was written: {error}") from error
    finally:
        alive.release()
        shutil.rmtree(folder, ignore_errors=True)


def _changing(out: Path) -> FileLock:
    """Held while folders of runs come and go, which is a matter of milliseconds."""
    return FileLock(out / "staging" / _LOCK)


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_dir():
            with suppress(Timeout), FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _new_run_id(out: Path, as_of: datetime) -> str:
    base = f"{as_of:%Y%m%dT%H%M%SZ}"
    candidates = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(
        run_id
        for run_id in candidates
        if not (out / "staging" / run_id).exists() and not (out / "runs" / run_id).exists()
    )


def commit(out: Path, staged: Path, manifest: Manifest) -> Path:
    """Make a run visible: manifest last, then one rename, then the pointer to it.

    All of it is on the disk before the ledger can know of it.
    """
    for path in staged.rglob("*"):
        if path.is_file():
            _sync(path)
    _write_durably(staged / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
    pass_point("manifest_written")
    final = out / "runs" / manifest.run_id
    with _changing(out):
        for hidden in (PROGRESS, _LOCK):
            (staged / hidden).unlink(missing_ok=True)
        for folder in (*(path for path in staged.rglob("*") if path.is_dir()), staged):
            _sync(folder)
        staged.rename(final)
        _sync(final.parent)
        pass_point("run_moved")
        _point_to(out, manifest.run_id)
    pass_point("latest_written")
    return final


def repair_latest(out: Path) -> None:
    """Let `latest.json` name the newest complete run, as it does not after some crashes."""
    runs = complete_runs(out)
    if not runs:
        return
    newest = runs[-1].manifest.run_id
    with suppress(OSError, ValueError, KeyError, TypeError):
        if orjson.loads((out / LATEST).read_bytes())["run_id"] == newest:
            return
    (out / "staging").mkdir(parents=True, exist_ok=True)
    with _changing(out):
        _point_to(out, newest)


def _point_to(out: Path, run_id: str) -> None:
    aside = out / "staging" / LATEST
    _write_durably(aside, orjson.dumps({"run_id": run_id, "path": f"runs/{run_id}"}) + b"\n")
    aside.replace(out / LATEST)


def rotate(out: Path, keep: int | timedelta, needed: Container[str] = ()) -> list[str]:
    """Remove old runs, but never the newest; returns their ids.

    Args:
        keep: How many runs stay, or for how long after they were finished.
        needed: What the ledger knows runs by that stay longer.
    """
    runs = complete_runs(out)
    if isinstance(keep, timedelta):
        limit = datetime.now(UTC) - keep
        gone = [run for run in runs[:-1] if run.manifest.finished_at < limit]
    else:
        gone = runs[: max(0, len(runs) - keep)]
    gone = [run for run in gone if run_key(run.manifest) not in needed]
    for run in gone:
        # In one step it is no run any more; what a crash leaves of it is swept.
        aside = out / "staging" / f"{run.folder.name}.old"
        with _changing(out):
            shutil.rmtree(aside, ignore_errors=True)
            run.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    return [run.manifest.run_id for run in gone]


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Have a file or folder written to the disk, where the system can do that to it."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
