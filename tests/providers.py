"""A development provider in a process of its own, for tests; ended with the block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.server import PATIENCE, free_port


@dataclass(frozen=True, slots=True)
class FaultyProvider:
    """A provider that runs."""

    process: subprocess.Popen[bytes]
    http: httpx.Client

    @property
    def url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"{self.http.base_url}".rstrip("/") + "/v1"

    def switch(self, profile: str, speed: float | None = None) -> None:
        """Change what the next calls get; those under way go on as they began."""
        self.http.post("/profile", json={"profile": profile, "speed": speed}).raise_for_status()

    def reset(self) -> None:
        """Count from zero."""
        self.http.post("/stats/reset").raise_for_status()

    def stats(self) -> dict[str, Any]:
        """The counts."""
        return dict(self.http.get("/stats").raise_for_status().json())

    def calls(self, last: int = 2000) -> list[dict[str, Any]]:
        """The last calls with their bodies, oldest first."""
        return list(self.http.get(f"/calls?last={last}").raise_for_status().json())

    def stats_when(
        self, holds: Callable[[Mapping[str, Any]], bool], patience: float = PATIENCE
    ) -> dict[str, Any]:
        """The counts as soon as they are as asked; fails when patience ends."""
        until = time.monotonic() + patience
        while not holds(stats := self.stats()):
            assert time.monotonic() < until, stats
            time.sleep(0.02)
        return stats


@contextmanager
def provider(
    profile: str = "fast", *, speed: float = 1.0, seed: int = 1
) -> Iterator[FaultyProvider]:
    """Run `amazonia provider` until the block ends."""
    port = free_port()
    given = {"profile": profile, "port": port, "speed": speed, "seed": seed}
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    command = [str(Path(sys.executable).parent / "amazonia"), "provider", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            running = FaultyProvider(process, http)
            _wait_until_ready(running)
            yield running
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def _wait_until_ready(running: FaultyProvider) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and running.process.poll() is None:
        try:
            running.stats()
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the provider did not start")
