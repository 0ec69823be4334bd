"""A game that is watched: its server, its log, its metrics and its spans, for tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.domain.world import LEARNED, mini
from tests.server import CASES, PATIENCE, free_port

QUESTION = "o que aconteceu com o bolo? segredo-da-turma-7b"
"""Something that nobody but a player can have said."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that runs."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def play(self, *questions: str, **headers: str) -> list[httpx.Response]:
        """Play as a new team: what was answered to its questions."""
        with httpx.Client(base_url=self.url, timeout=30, headers=headers) as http:
            http.post("/api/session", json={"team": "Botos"}).raise_for_status()
            return [
                http.post("/api/chat", json={"entity_id": "cida", "message": question})
                for question in questions
            ]

    def metrics(self) -> str:
        """What Prometheus reads."""
        return httpx.get(f"{self.url}/metrics").raise_for_status().text

    def stop(self) -> str:
        """End it; everything that it logged."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        return self.log.read_text(encoding="utf-8")


@contextmanager
def watched(data: Path, **environ: str) -> Iterator[Watched]:
    """Run the game until the block ends."""
    mini().library.open()
    shutil.copytree(LEARNED, data / "learned")
    port, log = free_port(), data / "log"
    env = {
        **os.environ,
        "AMAZONIA_DATA": str(data),
        "AMAZONIA_CASES": str(CASES),
        "LOG_FORMAT": "json",
        **environ,
    }
    amazonia = Path(sys.executable).parent / "amazonia"
    command = [str(amazonia), "serve", "--server", "uvicorn", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    running = Watched(f"http://127.0.0.1:{port}", log, process)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def _wait_until_ready(running: Watched) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and running.process.poll() is None:
        try:
            if httpx.get(f"{running.url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{running.log.read_text()}")
