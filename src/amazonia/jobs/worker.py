"""A process that does jobs and nothing else: `amazonia worker`.

Celery takes the messages and acknowledges them when their job is done; the jobs themselves run on
one event loop, in a thread of its own, with the same services as a process that serves players.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from amazonia.errors import BadSetting
from amazonia.groundwork import migrate
from amazonia.jobs.broker import TASK, Broker, celery_app
from amazonia.jobs.desk import Desk
from amazonia.jobs.nightly import purge_nightly
from amazonia.jobs.purge import forget_team
from amazonia.jobs.registry import WORKS
from amazonia.jobs.run import Pace
from amazonia.jobs.work import Work
from amazonia.ops import telemetry
from amazonia.ports import Json
from amazonia.services import open_services
from amazonia.settings import Settings

log = structlog.get_logger()

GRACE: Final = 20.0
"""Seconds that jobs under way have when the worker is told to stop; then they are put back."""

LIFE: Final = 5.0
"""Seconds between two signs of life."""

NO_QUEUE = (
    "CELERY_BROKER_URL: not set, so there is no queue to take jobs from. Set it (or REDIS_URL) to "
    "redis://… or amqp://…, the same for web and worker. Without a queue the web processes do all "
    "jobs themselves; `amazonia worker --once` does what waits and ends."
)


def run_worker(
    settings: Settings,
    concurrency: int,
    works: Mapping[str, Work] = WORKS,
    pace: Pace | None = None,
) -> None:
    """Do jobs until told to stop.

    Args:
        concurrency: jobs at once.
        works: the kinds that it knows.

    Raises:
        BadSetting: there is no queue.
    """
    if not settings.broker_url:
        raise BadSetting(NO_QUEUE)
    app = celery_app(settings)
    migrate(settings)
    with _Office(settings, works, pace or Pace()).open() as office:
        app.task(name=TASK, bind=True)(_task(office))
        _put_back_when_stopped(office)
        log.info("worker.started", concurrency=concurrency, queue=settings.celery_queue)
        app.Worker(
            pool="threads",
            concurrency=concurrency,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        ).start()
        log.info("worker.stopped")


async def purge_now(settings: Settings) -> Json:
    """Run the purge, here and now; what went, by kind."""
    await asyncio.to_thread(migrate, settings)
    async with open_services(settings) as services:
        desk = Desk(services, WORKS)
        job = await desk.order("purge", {}, key=f"now:{services.clock.now():.0f}")
        await desk.run(job.id)
        done = await desk.get(job.id)
        return done.result if done is not None else {}


async def forget_now(settings: Settings, resume_code: str) -> str:
    """Forget one team, here and now; its name.

    Raises:
        UnknownCode: no team has the code.
    """
    await asyncio.to_thread(migrate, settings)
    async with open_services(settings) as services:
        return await forget_team(services, resume_code)


async def work_once(settings: Settings) -> int:
    """Do the jobs that wait, here and now; how many there were."""
    await asyncio.to_thread(migrate, settings)
    async with telemetry.telemetry(settings), open_services(settings) as services:
        return await Desk(services, WORKS).work_off()


def _task(office: _Office) -> Any:
    def job(self: Any, job_id: str) -> None:
        """Do a job; what comes of it is in the database."""
        del self
        office.run(job_id)

    return job


def _put_back_when_stopped(office: _Office) -> None:
    from celery.signals import worker_shutting_down

    def stop(**_: object) -> None:
        log.info("worker.stopping", grace=GRACE)
        timer = threading.Timer(GRACE, office.put_back)
        timer.daemon = True
        timer.start()

    worker_shutting_down.connect(stop, weak=False)


async def _show_life(sign: Path) -> None:
    """Touch a file as long as the event loop turns: `deploy/healthcheck.py worker` looks at it."""
    while True:
        await asyncio.to_thread(sign.touch)
        await asyncio.sleep(LIFE)


class _Office:
    """Services and a desk on an event loop, in a thread of their own."""

    def __init__(self, settings: Settings, works: Mapping[str, Work], pace: Pace) -> None:
        self._settings = settings
        self._works = works
        self._pace = pace
        self._loop = asyncio.new_event_loop()
        self._desk: Desk | None = None
        self._ready = threading.Event()
        self._leave = asyncio.Event()
        self._failed: BaseException | None = None
        self._running: set[asyncio.Task[None]] = set()

    @contextmanager
    def open(self) -> Iterator[_Office]:
        """Open everything, and close it in order when the block ends."""
        thread = threading.Thread(target=self._run_loop, name="jobs", daemon=True)
        thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._leave.set)
            thread.join()

    def run(self, job_id: str) -> None:
        """Try a job, from a thread of Celery's; returns when the attempt has ended."""
        asyncio.run_coroutine_threadsafe(self._try(job_id), self._loop).result()

    def put_back(self) -> None:
        """Break off what is under way, so that another worker begins it anew."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._running])

    async def _try(self, job_id: str) -> None:
        assert self._desk is not None  # noqa: S101 - Celery starts after it is open
        task = asyncio.create_task(self._desk.run(job_id))
        self._running.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._running.discard(task)
        if not task.cancelled():
            task.result()

    def _run_loop(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        settings = self._settings
        try:
            async with telemetry.telemetry(settings), open_services(settings) as services:
                broker = await asyncio.to_thread(Broker, settings, services.clock)
                desk = self._desk = Desk(services, self._works, broker, hands=1, pace=self._pace)
                async with desk.open():
                    nightly = asyncio.create_task(purge_nightly(desk))
                    living = asyncio.create_task(_show_life(settings.data / "worker.alive"))
                    self._ready.set()
                    await self._leave.wait()
                    nightly.cancel()
                    living.cancel()
        except BaseException as exc:
            self._failed = exc
            raise
        finally:
            self._ready.set()
