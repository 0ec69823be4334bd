"""Parts of a cluster: processes that can be killed, frozen and started again, by their numbers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from amazonia.loadtest.processes import (
    START_PATIENCE,
    DidNotStart,
    Running,
    bare_environment,
    children,
    end_group,
    tree,
)

Ready = Callable[[], Awaitable[bool]]
LOOK = 0.02


@dataclass(slots=True)
class Part:
    """A program that runs in a session of its own.

    Attributes:
        name: which one; its log is called so.
        port: where it answers; 0 if it does not listen.
        ready: whether it answers.
        environ: its environment; nothing of ours is inherited but the path.
    """

    name: str
    command: Sequence[str]
    port: int
    ready: Ready
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number.

        Raises:
            DidNotStart: it does not run.
        """
        if self.process is None or self.process.poll() is not None:
            raise DidNotStart(f"{self.name} does not run; {self.log}")
        return self.process.pid

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env={**bare_environment(), **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    async def start(self) -> float:
        """Start it; the seconds until it answers.

        Raises:
            DidNotStart: it ended, or does not answer.
        """
        begun = time.monotonic()
        self.launch()
        await self.answers()
        return time.monotonic() - begun

    async def answers(self) -> None:
        """Wait until it answers.

        Raises:
            DidNotStart: it ended, or does not answer.
        """
        until = time.monotonic() + START_PATIENCE
        while not await self.ready():
            self.pid  # noqa: B018 - raises if it has ended
            if time.monotonic() > until:
                raise DidNotStart(f"{self.name} does not answer; {self.log}")
            await asyncio.sleep(LOOK)

    def kill(self) -> None:
        """End it and what it has started, at once."""
        for pid in tree(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()

    def kill_worker(self) -> int:
        """End one process that it has started, at once; which one."""
        victim = children(self.pid)[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end."""
        os.kill(self.pid, how)

    def freeze(self) -> None:
        """Let it and what it has started do nothing, with all lines open."""
        for pid in tree(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in tree(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def wait(self) -> None:
        """Wait until it is gone."""
        if self.process is not None:
            self.process.wait()

    def end(self) -> None:
        """End it for good, politely first; nothing if it does not run."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            end_group(self.process.pid, runs=True)
            self.process.wait()

    def running(self, url: str) -> Running:
        """What is measured of it."""
        return Running(self.name, url, self.pid, self.log)


def answers_http(url: str) -> Ready:
    """Ready when a page is there."""

    async def ready() -> bool:
        timeout = aiohttp.ClientTimeout(total=2.0)
        with suppress(aiohttp.ClientError, TimeoutError):
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
                return answer.status == 200
        return False

    return ready


def answers_line(port: int, say: bytes, hears: bytes) -> Ready:
    """Ready when a line is answered by one that begins like this."""

    async def ready() -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(say)
                    return (await reader.read(len(hears))) == hears
                finally:
                    writer.transport.abort()
        return False

    return ready
