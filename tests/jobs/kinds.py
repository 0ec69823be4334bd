"""Kinds of jobs that do what a test needs, and leave their marks in the database's notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from amazonia.errors import BadOrder
from amazonia.jobs.desk import Desk
from amazonia.jobs.run import Pace
from amazonia.jobs.work import Outcome, Progress, Work
from amazonia.ports import Json
from amazonia.ports.jobs import Job, JobFile
from amazonia.services import Services

QUICK = Pace(lease=0.8, handed_out=0.4, round=0.2, pause=0.05)


async def mark(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Count how often it began, say how far it is, and make a file."""
    name = str(arguments["mark"])
    begun = int((await services.notes.get([name])).get(name, "0")) + 1
    await services.notes.set(name, str(begun))
    await progress(0.5, "half")
    await asyncio.sleep(float(arguments.get("seconds", 0)))
    expires = services.clock.now() + 60
    return Outcome({"begun": begun}, JobFile("mark.txt", "text/plain", b"mark", expires))


async def stumble(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Fail as often as it is told, then succeed."""
    outcome = await mark(services, {**arguments, "seconds": 0}, progress)
    if outcome.result["begun"] <= int(arguments["failures"]):
        raise RuntimeError("stumbled")
    return outcome


async def refuse(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Never do it."""
    del services, arguments, progress
    raise BadOrder("not like this")


KINDS: Mapping[str, Work] = {
    work.name: work
    for work in (
        Work("mark", mark, limit=30, fresh=60),
        Work("brief", mark, limit=0.3),
        Work("stumble", stumble, limit=30, tries=3),
        Work("refuse", refuse, limit=30),
    )
}


@asynccontextmanager
async def desk_of(services: Services, pace: Pace = QUICK) -> AsyncIterator[Desk]:
    """A desk without a broker that knows the kinds above."""
    async with Desk(services, KINDS, pace=pace).open() as desk:
        yield desk


async def over(desk: Desk, job: Job, patience: float = 10.0) -> Job:
    """A job as soon as it is done or given up."""
    async with asyncio.timeout(patience):
        async for now in desk.follow(job.id):
            job = now
    return job


async def begun(services: Services, name: str) -> int:
    """How often a job of a mark was begun."""
    return int((await services.notes.get([name])).get(name, "0"))


async def begun_times(services: Services, name: str, times: int, patience: float = 10.0) -> None:
    """Wait until a job of a mark was begun so often."""
    async with asyncio.timeout(patience):
        while await begun(services, name) < times:  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(0.02)
