"""A real worker, over a real Redis and a real RabbitMQ."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.jobs.brokers import rabbit_url, redis_broker, worker
from tests.jobs.kinds import KINDS, QUICK, begun, begun_times, over
from tests.worlds import mini_services

from amazonia.jobs.broker import Broker
from amazonia.jobs.desk import Desk
from amazonia.jobs.run import Pace

pytestmark = pytest.mark.slow


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a broker that runs."""
    if request.param == "rabbitmq":
        yield rabbit_url()
        return
    with redis_broker() as broker:
        yield broker.url


@pytest.fixture
def queue(broker_url: str) -> Iterator[dict[str, str]]:
    """The settings of a queue of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    yield {"CELERY_BROKER_URL": broker_url, "CELERY_QUEUE": name}
    if broker_url.startswith("amqp"):
        _delete(broker_url, name)


def _delete(url: str, name: str) -> None:
    from kombu import Connection  # type: ignore[attr-defined,unused-ignore]

    with Connection(url) as connection:
        connection.default_channel.queue_delete(name)


@asynccontextmanager
async def publisher(data: Path, pace: Pace = QUICK, **environ: str) -> AsyncIterator[Desk]:
    """A process that serves players: it hands jobs to the queue, and would do them itself."""
    async with mini_services(data, **environ) as services:
        broker = Broker(services.settings, services.clock)
        async with Desk(services, KINDS, broker, pace=pace).open() as desk:
            yield desk


PATIENT = Pace(lease=2.0, handed_out=60.0, round=0.2, pause=0.05)
"""A publisher that leaves what it handed out to the worker."""


async def test_a_worker_does_what_was_ordered(tmp_path: Path, queue: dict[str, str]) -> None:
    """Once, with retries, dead letters and results that any process reads."""
    data = tmp_path / "data"
    async with publisher(data, PATIENT, **queue) as desk:
        with worker(data, **queue):
            jobs = [await desk.order("mark", {"mark": f"m{i}"}) for i in range(10)]
            same = [await desk.order("mark", {"mark": "k"}, key="k") for _ in range(5)]
            again = await desk.order("stumble", {"mark": "again", "failures": 1})
            never = await desk.order("stumble", {"mark": "never", "failures": 9})
            done = [await over(desk, job, 30) for job in (*jobs, same[0], again)]
            dead = await over(desk, never, 30)
            assert await desk.queue() == "ok"
        file = await desk.file(jobs[0].id)
        counts = [await begun(desk.services, f"m{i}") for i in range(10)]
    assert {job.status for job in done} == {"done"}
    assert counts == [1] * 10
    assert len({job.id for job in same}) == 1
    assert (dead.status, dead.attempt, dead.error) == ("dead", 3, "RuntimeError: stumbled")
    assert file is not None


async def test_a_worker_killed_in_the_middle_loses_nothing(
    tmp_path: Path, queue: dict[str, str]
) -> None:
    """Another does the job again, and its effect is one."""
    data = tmp_path / "data"
    async with publisher(data, PATIENT, **queue) as desk:
        with worker(data, **queue) as first:
            job = await desk.order("mark", {"mark": "m", "seconds": 1.0})
            await begun_times(desk.services, "m", 1)
            os.killpg(first.pid, signal.SIGKILL)
            with worker(data, **queue):
                done = await over(desk, job, 40)
        assert (done.status, done.attempt, done.result["begun"]) == ("done", 2, 2)
        assert await begun(desk.services, "m") == 2
        assert len(await desk.newest(10)) == 1


async def test_a_worker_told_to_stop_ends_what_it_does(
    tmp_path: Path, queue: dict[str, str]
) -> None:
    """The job under way is done; the process ends by itself and without a fault."""
    data = tmp_path / "data"
    async with publisher(data, PATIENT, **queue) as desk:
        with worker(data, **queue) as process:
            job = await desk.order("mark", {"mark": "m", "seconds": 1.5})
            await begun_times(desk.services, "m", 1)
            process.terminate()
            done = await over(desk, job, 20)
            assert await asyncio.to_thread(process.wait, 20) == 0
    assert (done.status, done.attempt) == ("done", 1)


async def test_a_late_message_is_not_begun(tmp_path: Path, queue: dict[str, str]) -> None:
    """A job that waited in the queue beyond its deadline is given up, not done."""
    data = tmp_path / "data"
    async with publisher(data, PATIENT, **queue) as desk:
        job = await desk.order("brief", {"mark": "late"})
        await asyncio.sleep(1.5)
        with worker(data, **queue):
            dead = await over(desk, job, 20)
        assert (dead.status, dead.error) == ("dead", "the deadline has passed")
        assert await begun(desk.services, "late") == 0


async def test_without_a_queue_the_process_does_it_itself(tmp_path: Path) -> None:
    """Ordering waits for nothing, /health says degraded, and it heals when the queue is back."""
    data = tmp_path / "data"
    with redis_broker() as broker:
        environ = {"CELERY_BROKER_URL": broker.url}
        async with publisher(data, QUICK, **environ) as desk:
            broker.stop()
            began = time.monotonic()
            jobs = [await desk.order("mark", {"mark": f"down{i}"}) for i in range(5)]
            assert time.monotonic() - began < 0.5
            assert {(await over(desk, job)).status for job in jobs} == {"done"}
            assert await desk.queue() == "degraded"
            broker.start()
            await _until(desk, "ok")
            with worker(data, **environ):
                job = await desk.order("mark", {"mark": "up", "seconds": 0.1})
                assert (await over(desk, job, 20)).status == "done"


async def test_a_frozen_queue_holds_nobody_up(tmp_path: Path) -> None:
    """A broker that takes the connection and says nothing is left alone after a second."""
    with redis_broker() as broker:
        async with publisher(tmp_path / "data", QUICK, CELERY_BROKER_URL=broker.url) as desk:
            assert broker.process is not None
            broker.process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            job = await desk.order("mark", {"mark": "m"})
            assert time.monotonic() - began < 0.5
            assert (await over(desk, job)).status == "done"
            broker.process.send_signal(signal.SIGCONT)


async def _until(desk: Desk, queue: str, patience: float = 20.0) -> None:
    """Wait until the queue is so."""
    async with asyncio.timeout(patience):
        while await desk.queue() != queue:  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(0.1)


async def test_a_message_that_was_lost_is_sent_again(tmp_path: Path) -> None:
    """A broker that forgets everything loses no job."""
    data = tmp_path / "data"
    with redis_broker() as broker:
        environ = {"CELERY_BROKER_URL": broker.url}
        async with publisher(data, replace(PATIENT, handed_out=1.0), **environ) as desk:
            job = await desk.order("mark", {"mark": "m"})
            await asyncio.sleep(0.5)
            broker.stop()
            broker.start()
            with worker(data, **environ):
                assert (await over(desk, job, 30)).status == "done"
            assert await begun(desk.services, "m") == 1


def test_a_worker_without_a_queue_says_what_to_set(tmp_path: Path) -> None:
    """One line, and the exit code of a fault."""
    ended = subprocess.run(
        [str(Path(sys.executable).parent / "amazonia"), "worker"],
        env={**os.environ, "AMAZONIA_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("CELERY_BROKER_URL: not set")
    assert "Traceback" not in ended.stderr


def test_a_worker_shows_that_it_lives(tmp_path: Path) -> None:
    """The healthcheck of its container passes while it does, and says what is wrong when not."""
    data, check = tmp_path / "data", Path(__file__).parents[2] / "deploy" / "healthcheck.py"

    def healthy() -> bool:
        command = [sys.executable, str(check), "worker"]
        environ = {**os.environ, "AMAZONIA_DATA": str(data)}
        return subprocess.run(command, env=environ, check=False, timeout=30).returncode == 0

    assert not healthy()
    with redis_broker() as broker, worker(data, CELERY_BROKER_URL=broker.url):
        assert healthy()
    old = time.time() - 60
    os.utime(data / "worker.alive", (old, old))
    assert not healthy()
