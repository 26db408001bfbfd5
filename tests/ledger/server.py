"""A PostgreSQL server of the tests' own, from the binaries of this machine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

_DEBIAN = Path("/usr/lib/postgresql")
_OPTIONS = {
    "listen_addresses": "",  # a socket in its own folder: no port that another could have
    "fsync": "off",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "autovacuum": "off",
}


def find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl; the newest version's."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [path for path in _DEBIAN.glob("*/bin") if (path / "initdb").exists()]
    return max(installed, key=lambda path: float(path.parent.name), default=None)


class Server:
    """Runs inside `with`; `stop` and `start` are for tests of what happens then."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="pw-"))
        # The server refuses to be run by root.
        self._as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        if self._as_user:
            shutil.chown(self._folder, "postgres")
        self.url = f"postgresql+psycopg://policywire@/postgres?host={quote(str(self._folder))}"

    def __enter__(self) -> Self:
        try:
            self._run("initdb", "--auth=trust", "--username=policywire", "--no-sync", "-EUTF8")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        options = {**_OPTIONS, "unix_socket_directories": str(self._folder)}
        settings = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", settings)

    def stop(self) -> None:
        """As if the machine had lost its power."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._binaries / program), *arguments]
        command += ["-D", str(self._folder / "data")]
        # The server keeps the output open that it inherits.
        log = self._folder.with_suffix(".out")
        with log.open("w") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd="/")
        said = log.read_text()
        log.unlink()
        assert done.returncode == 0, f"{program} failed: {said}"
