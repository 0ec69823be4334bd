"""A real server process on a port of its own, for tests; stopped by its own process group."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.learned import hand_on, learn

CASES = Path(__file__).parent / "cases"
PATIENCE = 20.0
START = 60.0
"""Seconds in which a server starts, on a machine that is busy."""


@dataclass
class Server:
    """A server that runs.

    Attributes:
        url: where it answers.
        data: its data folder.
    """

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    log: Path = field(repr=False)

    def kill(self) -> None:
        """End every process of it at once, as a power cut would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(START)  # a worker that was just starting has its grace, too


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(data: Path, *options: str, cases: Path = CASES, **environ: str) -> Iterator[Server]:
    """Run `amazonia serve` until the block ends; its cases are learned by then.

    Args:
        options: of the command, such as ``--server uvicorn``.
        environ: further environment variables.
    """
    learn(cases)
    hand_on(data)
    port = free_port()
    log = data.parent / f"{data.name}-{port}.log"
    env = {
        **os.environ,
        "AMAZONIA_DATA": str(data),
        "AMAZONIA_CASES": str(cases),
        "LOG_FORMAT": "json",
        **environ,
    }
    command = [str(Path(sys.executable).parent / "amazonia"), "serve", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *options], env=env, stdout=out, stderr=out, start_new_session=True
        )
    server = Server(process, f"http://127.0.0.1:{port}", data, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        server.kill()


def _wait_until_ready(server: Server) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{server.log.read_text()}")
