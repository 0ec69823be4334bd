"""Real brokers for tests, and real workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.server import CASES, PATIENCE, free_port

RABBIT = "amqp://guest:guest@127.0.0.1:5672//"


def answers(port: int) -> bool:
    """Whether anything listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class RedisBroker:
    """A Redis of the test's own, that can be stopped and started again."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `CELERY_BROKER_URL` is set to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Begin, empty; answers when this returns."""
        server = shutil.which("redis-server")
        if server is None:
            pytest.skip("redis-server is not installed: scripts/ensure-services redis")
        options = ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while not answers(self.port):
            assert time.monotonic() < until, "redis-server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)


@contextmanager
def redis_broker() -> Iterator[RedisBroker]:
    """A Redis of the test's own, until the block ends."""
    broker = RedisBroker(free_port())
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def rabbit_url() -> str:
    """The RabbitMQ of this machine; without one the test is skipped and says so."""
    if not answers(5672):
        pytest.skip("no RabbitMQ on 127.0.0.1:5672 (apt install rabbitmq-server, guest/guest)")
    return RABBIT


@contextmanager
def worker(data: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process over a data folder, killed when the block ends."""
    env = {
        **os.environ,
        "AMAZONIA_DATA": str(data),
        "AMAZONIA_CASES": str(CASES),
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **environ,
    }
    log = data.parent / f"worker-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "tests.jobs.worker_process"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        until = time.monotonic() + 30
        while b'"worker.started"' not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
