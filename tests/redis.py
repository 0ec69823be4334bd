"""A Redis of a test's own, on a free port, that can be frozen, restarted, filled and slowed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.server import PATIENCE, free_port

from amazonia.fabric.redis.link import Link, open_client, open_link


@dataclass(slots=True)
class RedisServer:
    """A redis-server that only this test uses."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _slow: threading.Event | None = None

    @property
    def url(self) -> str:
        """What `REDIS_URL` is set to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> None:
        """Start it with nothing in it; back when it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while self._answer("PING") != b"+PONG\r\n":
            assert time.monotonic() < until, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.thaw()
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)

    def slow_down(self, milliseconds: int) -> None:
        """Let it rest that long after each round of commands, until `speed_up`."""
        self._slow = threading.Event()
        threading.Thread(target=self._rest, args=(self._slow, milliseconds), daemon=True).start()

    def speed_up(self) -> None:
        """Undo `slow_down`."""
        if self._slow is not None:
            self._slow.set()

    def _rest(self, over: threading.Event, milliseconds: int) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as sock:
            while not over.is_set():
                sock.sendall(f"CLIENT PAUSE {milliseconds} ALL\r\n".encode())
                sock.recv(64)

    def config(self, name: str, value: str) -> None:
        """Set one of its settings."""
        assert self._answer(f"CONFIG SET {name} {value}") == b"+OK\r\n"

    def fill(self) -> None:
        """Leave no room: whatever would write is refused."""
        self.config("maxmemory", "1")

    def make_room(self) -> None:
        """Undo `fill`."""
        self.config("maxmemory", "0")

    def flush(self) -> None:
        """Forget everything."""
        assert self._answer("FLUSHALL") == b"+OK\r\n"

    def count(self, field: str) -> int:
        """A number of its INFO."""
        lines = self._answer("INFO").decode().splitlines()
        return int(next(line for line in lines if line.startswith(f"{field}:")).split(":")[1])

    def _answer(self, command: str) -> bytes:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as sock:
            sock.sendall(f"{command}\r\n".encode())
            return sock.recv(65536)
        return b""


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A redis-server until the block ends; without the program the test is skipped."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on this machine; scripts/ensure-services redis-server")
    server = RedisServer(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


# ── fixtures ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(shared_server: RedisServer) -> Iterator[RedisServer]:
    """It runs, answers and is empty, whatever the test before did to it."""
    if shared_server.process is None:
        shared_server.start()
    shared_server.flush()
    yield shared_server
    shared_server.thaw()
    if shared_server.process is not None:
        shared_server.make_room()


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    async with open_client(server.url) as client, open_link(client, "test") as link:
        assert link.is_well
        yield link


def patient_link(client: Redis) -> Link:
    """A link for tests of what passes through it, which a busy machine does not lose."""
    return Link(client, "test", patience=2.0)


# ── a slow network ──────────────────────────────────────────────────────────────────────────────


class SlowProxy:
    """Passes bytes on to a port, each piece after a delay that may change."""

    def __init__(self, to: int, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """What `REDIS_URL` is set to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def close(self) -> None:
        """End every connection."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.seconds / 2)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
