"""Servers as processes: started, watched through /proc, ended by their own process group."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

TICKS = os.sysconf("SC_CLK_TCK")
START_PATIENCE = 120.0
"""Seconds that a server may take to start; a game that has never seen its case learns it first."""
POLITE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


class DidNotStart(RuntimeError):
    """A server did not answer in time, or ended."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, with every process that it has started.

    Attributes:
        name: which server.
        url: where it answers.
        start: seconds from the command to the first answer.
    """

    name: str
    url: str
    pid: int
    log: Path = field(repr=False)
    start: float = 0.0

    def cpu(self) -> float:
        """Seconds of processor time used so far, user and system, ended children included."""
        return sum(_cpu(pid) for pid in tree(self.pid))

    def memory(self) -> int:
        """Proportional set size (PSS) of all its processes, in bytes."""
        return sum(_pss(pid) for pid in tree(self.pid))


@asynccontextmanager
async def running(
    name: str, command: Sequence[str], port: int, ready: str, log: Path, **environ: str
) -> AsyncIterator[Running]:
    """Run a server on a loopback port until the block ends.

    Args:
        ready: the path that answers 200 once it serves.
        log: the file that takes what it prints.
        environ: its environment; nothing of ours is inherited but the path.

    Raises:
        DidNotStart: it did not answer in time; the end of its log says why.
    """
    url = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    process = _spawn(command, environ, log)
    try:
        await _wait_until_ready(process, name, url + ready, log)
        yield Running(name, url, process.pid, log, time.monotonic() - begun)
    finally:
        end_group(process.pid, process.poll() is None)
        process.wait()


def _spawn(
    command: Sequence[str], environ: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            env={**bare_environment(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def bare_environment() -> dict[str, str]:
    """An environment without settings, keys or proxies."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_group(pid: int, runs: bool) -> None:
    """End a process that leads a group, and the group: politely, then not.

    Args:
        runs: it has not ended; its number may already be another's if it has.
    """
    if not runs:
        return
    members = tree(pid)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    until = time.monotonic() + POLITE
    while time.monotonic() < until and any(map(_lives, members)):
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def children(parent: int) -> list[int]:
    """The processes that a process has started, which are there now and have not ended."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [pid for pid in map(int, text.split()) if _lives(pid)]


def tree(root: int) -> list[int]:
    """The process and all its descendants that are there now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


async def _wait_until_ready(
    process: subprocess.Popen[bytes], name: str, url: str, log: Path
) -> None:
    until = time.monotonic() + START_PATIENCE
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as http:
        while time.monotonic() < until and process.poll() is None:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
    raise DidNotStart(f"{name} did not start:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


# ── /proc ───────────────────────────────────────────────────────────────────────────────────────


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command, whose name may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _lives(pid: int) -> bool:
    fields = _stat(pid)
    return fields is not None and fields[0] != "Z"


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    # utime, stime, cutime, cstime: proc_pid_stat(5), numbers 14 to 17
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
