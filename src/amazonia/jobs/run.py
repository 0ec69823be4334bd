"""One attempt at a job: begun once, held by a lease, ended by its result or its fault."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from amazonia.errors import BadOrder, StoreDown
from amazonia.jobs.work import Lost, Outcome, Overdue, Work
from amazonia.ops import telemetry
from amazonia.ports.jobs import Job
from amazonia.services import Services

log = structlog.get_logger()

LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries at most; each pause is twice the one before, give or take a half."""
DEATHS: Final = 3
"""How often more than it may fail a job is begun whose process ended meanwhile."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a desk is, in seconds.

    Attributes:
        lease: after which a job whose runner is silent is another's.
        handed_out: after which a job that nobody began is handed out anew.
        round: between two looks for such jobs.
        pause: before the second try.
    """

    lease: float = 20.0
    handed_out: float = 60.0
    round: float = 10.0
    pause: float = 2.0


@dataclass(frozen=True, slots=True)
class Runner:
    """Tries jobs.

    Attributes:
        again: hands a job out after some seconds.
    """

    services: Services
    works: Mapping[str, Work]
    pace: Pace
    again: Callable[[Job, float], None]

    async def run(self, job_id: str) -> None:
        """Try a job once, if it waits to be run; whatever comes of it is stored."""
        now = self.services.clock.now()
        job = await self.services.jobs.begin(job_id, now, now + self.pace.lease)
        if job is None:
            log.info("job.skipped", job=job_id, note="another does it, or it is done")
            return
        tracing = telemetry.traces()
        span = tracing.job(job.name, job.trace) if tracing else contextlib.nullcontext()
        bound = structlog.contextvars.bound_contextvars(job=job.id, name=job.name)
        with span, bound, contextlib.suppress(StoreDown):  # then it is tried after its lease
            await self._attempt(job)

    async def _attempt(self, job: Job) -> None:
        monotonic = self.services.clock.monotonic
        began = monotonic()
        log.info("job.began", attempt=job.attempt)
        try:
            outcome = await self._perform(job)
            file = {"file": outcome.file.name} if outcome.file else {}
            now, result = self.services.clock.now(), {**outcome.result, **file}
            if not await self.services.jobs.finish(job, result, outcome.file, now):
                raise Lost(job.id)
            log.info("job.done", attempt=job.attempt, seconds=round(monotonic() - began, 3))
        except (Lost, StoreDown):  # it is another's, or will be
            log.warning("job.lost", attempt=job.attempt, exc_info=True)
        except BadOrder as exc:
            await self._give_up(job, str(exc), "bad_order")
        except Overdue:
            await self._give_up(job, "the deadline has passed", "deadline")
        except asyncio.CancelledError:
            await self._put_back(job)
            raise
        except Exception as exc:
            log.warning("job.broke", attempt=job.attempt, exc_info=True)
            await self._fail(job, f"{type(exc).__name__}: {exc}")

    async def _perform(self, job: Job) -> Outcome:
        """Do the work until its deadline, as long as the lease can be renewed.

        Raises:
            Overdue: the deadline has passed.
            Lost: another process has the job now.
        """
        services, work = self.services, self.works.get(job.name)
        if work is None:
            raise BadOrder(f"this version knows no job '{job.name}'")
        if job.attempt > work.tries + DEATHS:
            raise BadOrder(f"begun {job.attempt - 1} times, and its process ended each time")
        left = job.deadline - services.clock.now()
        if left <= 0:
            raise Overdue(job.id)

        async def progress(part: float, note: str = "") -> None:
            until = services.clock.now() + self.pace.lease
            if not await services.jobs.advance(job, until, part, note):
                raise Lost(job.id)

        limit = asyncio.timeout(left)
        try:
            async with _while_renewed(self, job), limit:
                return await work.run(services, job.arguments, progress)
        except TimeoutError:
            if limit.expired():
                raise Overdue(job.id) from None
            raise

    async def _fail(self, job: Job, error: str) -> None:
        """Let it be tried again after a pause, if it may be."""
        again = self.pace.pause * 2 ** (job.attempt - 1)
        pause = min(LONGEST_PAUSE, again) * random.uniform(0.5, 1.5)
        due = self.services.clock.now() + pause
        if job.attempt >= self.works[job.name].tries or due > job.deadline:
            await self._give_up(job, error, "tries")
        elif await self.services.jobs.set_back(job, "failed", error, due):
            log.info("job.failed", attempt=job.attempt, again_in=round(pause, 1))
            self.again(job, pause)

    async def _give_up(self, job: Job, error: str, reason: str) -> None:
        if await self.services.jobs.set_back(job, "dead", error, self.services.clock.now()):
            log.error("job.dead", attempt=job.attempt, reason=reason, error=error)

    async def _put_back(self, job: Job) -> None:
        """This process ends: another may begin at once."""
        with contextlib.suppress(StoreDown):
            await asyncio.shield(self.services.jobs.set_back(job, "queued", "", 0.0))
            log.info("job.put_back", attempt=job.attempt)


@asynccontextmanager
async def _while_renewed(runner: Runner, job: Job) -> AsyncIterator[None]:
    """Renew a lease as long as the block lasts; the block is left when that fails.

    Raises:
        Lost: another process has the job now.
    """
    inside, lost = asyncio.current_task(), False

    async def renew() -> None:
        nonlocal lost
        while True:
            await asyncio.sleep(runner.pace.lease / 4)
            until = runner.services.clock.now() + runner.pace.lease
            with contextlib.suppress(StoreDown):  # the lease may last until it is back
                if not await runner.services.jobs.advance(job, until):
                    lost = True
                    if inside is not None:
                        inside.cancel()
                    return

    renewing = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if lost and inside is not None:
            inside.uncancel()
            raise Lost(job.id) from None
        raise
    finally:
        renewing.cancel()
