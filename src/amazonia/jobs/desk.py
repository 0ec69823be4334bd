"""Where jobs are ordered, handed out, run and looked after; one desk in every process.

An order is a row in the database and then a word to whoever runs it: the broker if there is one
that answers, else a task of this process. Whoever runs it holds a lease that it renews; when that
ends, because a process died or a message was lost, some desk hands the job out anew. An attempt
that lost its lease can store nothing, so the effect of a job is single however often it was begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from amazonia.errors import BadOrder, StoreDown
from amazonia.jobs.broker import Broker, BrokerDown
from amazonia.jobs.run import Pace, Runner
from amazonia.jobs.work import Work
from amazonia.ops import telemetry
from amazonia.play.sessions import ID_ALPHABET
from amazonia.ports import Json
from amazonia.ports.jobs import Job, JobFile, JobStatus
from amazonia.services import Services

log = structlog.get_logger()

MOST_WAITING: Final = 1000
"""Jobs that wait in this process; more are picked up from the database later."""


@dataclass(eq=False, slots=True)
class Desk:
    """The jobs of this process.

    Attributes:
        hands: jobs that run in this process at once.
        broker: hands jobs to workers, if there is one.
    """

    services: Services
    works: Mapping[str, Work]
    broker: Broker | None = None
    hands: int = 2
    pace: Pace = field(default_factory=Pace)
    _waiting: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        """Tell the runner who hands out what is to be tried again."""
        self._runner = Runner(self.services, self.works, self.pace, self._again)

    # ── ordering ────────────────────────────────────────────────────────────────────────────────

    async def order(self, name: str, arguments: Json, owner: str = "admin", key: str = "") -> Job:
        """Order a job; returns as soon as that is stored.

        Args:
            owner: who may see it: `admin`, or `class:…`.
            key: what makes another order the same job while this one is under way, and for as
                long as its kind says after it was done; without a key each order is a job.

        Raises:
            BadOrder: there is no such kind of job.
            StoreDown: nothing was ordered.
        """
        work = self._work(name)
        services, now = self.services, self.services.clock.now()
        id_ = services.interviews.chance.token(ID_ALPHABET, 16)
        tracing = telemetry.traces()
        job = Job(
            id=id_,
            name=name,
            arguments=arguments,
            owner=owner,
            key=key[:120] or id_,
            status="queued",
            attempt=0,
            progress=0.0,
            note="",
            result={},
            error="",
            trace=tracing.carried() if tracing else "",
            created_at=now,
            deadline=now + work.limit,
            due_at=now + self.pace.handed_out,
            ended_at=None,
        )
        stored = await services.jobs.add(job, now - work.fresh)
        if stored.id == id_:
            log.info("job.ordered", job=id_, name=name, owner=owner)
            self._soon(self._hand_out(stored))
        return stored

    async def retry(self, job_id: str) -> Job | None:
        """Let a job that was given up be tried anew; None if there is no such job."""
        jobs, now = self.services.jobs, self.services.clock.now()
        job = await self.get(job_id)
        if job is None or job.name not in self.works:
            return None
        deadline = now + self.works[job.name].limit
        if await jobs.retry(job_id, deadline, now + self.pace.handed_out):
            log.info("job.retried", job=job_id, name=job.name)
            job = await self.get(job_id)
            if job is not None:
                self._soon(self._hand_out(job))
        return job

    def _work(self, name: str) -> Work:
        work = self.works.get(name)
        if work is None:
            raise BadOrder(f"no job '{name}'; there are: {', '.join(self.works)}")
        return work

    # ── seeing ──────────────────────────────────────────────────────────────────────────────────

    async def get(self, job_id: str) -> Job | None:
        """A job as it is now, wherever it runs."""
        return (await self.services.jobs.look([job_id])).get(job_id)

    async def follow(self, job_id: str) -> AsyncIterator[Job]:
        """A job whenever it moved, until it is done or given up."""
        job, seen = await self.get(job_id), None
        while job is not None:
            if job != seen:
                yield job
            if job.status in {"done", "dead"} or self.services.closing.is_set():
                return
            seen, job = job, await self.services.job_news.next(job_id)

    async def newest(self, most: int, status: JobStatus | None = None) -> list[Job]:
        """The newest jobs, of one status or of all."""
        return await self.services.jobs.newest(most, status)

    async def file(self, job_id: str) -> JobFile | None:
        """The file that a job made, while it is kept."""
        return await self.services.jobs.file(job_id, self.services.clock.now())

    async def queue(self) -> str:
        """How the queue is: `in process`, `ok` or `degraded`; within some 30 ms."""
        if self.broker is None:
            return "in process"
        return "degraded" if await self.broker.is_down() else "ok"

    # ── handing out ─────────────────────────────────────────────────────────────────────────────

    async def _hand_out(self, job: Job) -> None:
        """Tell a worker of a job, or do it here."""
        if self.broker is not None:
            try:
                await self.broker.publish(job)
                return
            except BrokerDown as exc:
                log.warning("job.queue_down", job=job.id, name=job.name, reason=str(exc))
        with contextlib.suppress(asyncio.QueueFull):  # the database keeps it
            self._waiting.put_nowait(job.id)

    def _again(self, job: Job, seconds: float) -> None:
        """Hand a job out after a pause."""

        async def later() -> None:
            await asyncio.sleep(seconds)
            await self._hand_out(job)

        self._soon(later())

    async def run(self, job_id: str) -> None:
        """Try a job once, if it waits to be run; whatever comes of it is stored."""
        await self._runner.run(job_id)

    async def look_round(self) -> int:
        """Hand out the jobs that nobody looked after; how many."""
        now = self.services.clock.now()
        until = now + self.pace.handed_out
        overdue = await self.services.jobs.take_overdue(now, until, MOST_WAITING // 10)
        for job in overdue:
            log.warning("job.picked_up", job=job.id, name=job.name, attempt=job.attempt)
            await self._hand_out(job)
        return len(overdue)

    # ── a day at the desk ───────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        """Run what is handed to this process, and look after the rest, until the block ends."""
        for _ in range(self.hands):
            self._soon(self._do_all())
        self._soon(self._look_after())
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self.broker is not None:
                await self.broker.close()

    async def work_off(self) -> int:
        """Run in this process what waits, until nothing does; how many jobs."""
        done = 0
        while True:
            now = self.services.clock.now()
            waiting = await self.services.jobs.newest(MOST_WAITING, "queued")
            waiting += [j for j in await self.newest(MOST_WAITING, "failed") if j.due_at <= now]
            if not waiting:
                return done
            for job in sorted(waiting, key=lambda job: job.created_at):
                await self.run(job.id)
                done += 1

    async def _do_all(self) -> None:
        while True:
            try:
                await self.run(await self._waiting.get())
            except StoreDown:
                log.warning("job.not_begun")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self.pace.round * random.uniform(0.5, 1.5))
            try:
                await self.look_round()
            except StoreDown:
                log.warning("job.round_failed")

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
