"""How long a round over many feeds takes, against what politeness allows at best.

    python -m benchmarks.feeds

serves 1,000 feeds on 100 hosts of loopback, each answer 200 ms late, and prints for runs of
the command: the seconds of the fetching and of the whole run, the ideal (so many feeds at a
time on a host, so long between two starts), and their ratios; then the same for a second run,
in which nothing has changed, with the number of requests that it made.
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

_LATENCY = 0.2  # seconds
_ENTRIES = 20
_PER_HOST = 2
_THEMES = Path(__file__).parent.parent / "configs" / "themes" / "*.yaml"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--gaps", type=float, nargs="+", default=[1.0, 0.0])
    arguments = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(there, arguments.hosts), daemon=True)
    server.start()
    ports = here.recv()
    urls = [
        f"http://127.0.0.{1 + number % arguments.hosts}:{ports[number % arguments.hosts]}/{number}"
        for number in range(arguments.feeds)
    ]
    on_a_host = -(-arguments.feeds // arguments.hosts)
    for gap in arguments.gaps:
        ideal = max((on_a_host - 1) * gap + _LATENCY, -(-on_a_host // _PER_HOST) * _LATENCY)
        print(f"{arguments.feeds:,} feeds, {arguments.hosts} hosts, {gap:g} s apart: {ideal:.2f} s")
        with tempfile.TemporaryDirectory() as temporary:
            config = Path(temporary) / "pipeline.yaml"
            fetching = {"gap": f"{gap}s", "per_host": _PER_HOST, "at_once": 200}
            fetching |= {"allow_private": ["127.0.0.0/8"]}
            config.write_text(
                yaml.safe_dump(
                    {
                        "inputs": {"files": [], "feeds": urls},
                        "themes": [str(_THEMES)],
                        "out": str(Path(temporary) / "out"),
                        "fetching": fetching,
                    }
                )
            )
            for name in ("first run", "nothing has changed"):
                here.send("count")
                before = here.recv()
                fetched, whole, counts = _run(config)
                here.send("count")
                requests = here.recv() - before
                print(f"  {name}: fetching {fetched:.2f} s, the whole run {whole:.2f} s")
                print(f"    fetching / ideal        {fetched / ideal:8.2f}")
                print(f"    whole run / ideal       {whole / ideal:8.2f}")
                print(f"    requests                {requests:8,}")
                print(f"    articles classified     {counts['classified']:8,}")
                print(f"    articles read           {counts['read']:8,}")
    here.send("stop")
    server.join()


def _run(config: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds of the fetching, seconds in all, and the counts of a run."""
    command = [sys.executable, "-m", "pipeline", "run", "--config", str(config), "--all-feeds"]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    whole = time.perf_counter() - start
    (fetched,) = re.findall(r"feeds asked: \d+ in ([\d.]+) s", done.stderr)
    out = Path(yaml.safe_load(config.read_text())["out"])
    run_dir = out / json.loads((out / "latest.json").read_text())["path"]
    manifest = json.loads((run_dir / "manifest.json").read_text())
    assert manifest["feeds"]["failed"] == 0, manifest["feeds"]
    return float(fetched), whole, manifest["counts"]


def _serve(control: Connection, hosts: int) -> None:
    """Serve until told to stop; tells its ports, and how many requests came."""
    asyncio.run(_Site(control, hosts).serve())


class _Site:
    def __init__(self, control: Connection, hosts: int) -> None:
        self._control = control
        self._hosts = hosts
        self._requests = 0

    async def serve(self) -> None:
        servers = [
            await asyncio.start_server(self._answer, f"127.0.0.{1 + number}", 0, backlog=1000)
            for number in range(self._hosts)
        ]
        self._control.send([server.sockets[0].getsockname()[1] for server in servers])
        while await asyncio.to_thread(self._control.recv) != "stop":
            self._control.send(self._requests)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            self._requests += 1
            await asyncio.sleep(_LATENCY)
            path = head.split(b" ", 2)[1].decode()
            etag = f'"{path}"'.encode()
            if b"if-none-match: " + etag in head.replace(b"If-None-Match", b"if-none-match"):
                writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n")
            else:
                body = _feed(path)
                length = str(len(body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: "
                    + etag + b"\r\nContent-Length: " + length + b"\r\n\r\n" + body
                )  # fmt: skip
            await writer.drain()
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _feed(path: str) -> bytes:
    items = "".join(
        f"<item><title>Council of {path} number {number}</title>"
        f"<link>https://news.example{path}/{number}</link><guid>{path}-{number}</guid>"
        f"<pubDate>Tue, 24 Nov 2026 {number % 24:02}:00:00 GMT</pubDate><description>"
        f"{f'The council spoke of road {number} near {path}, and of schools. ' * 8}"
        f"</description></item>"
        for number in range(_ENTRIES)
    )
    head = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Paper {path}</title>'
    return f"{head}{items}</channel></rss>".encode()


if __name__ == "__main__":
    main()
