"""The book of jobs in any database: what several workers at once may rely on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from amazonia.ports.jobs import Job, JobFile
from amazonia.store.database import OpenDatabase
from amazonia.store.jobs import StoredJobs

JOB = Job(
    "j1", "report", {"class": "c"}, "admin", "k1", "queued", 0, 0.0, "", {}, "", "", 1.0, 99.0, 2.0,
    None,
)  # fmt: skip
FILE = JobFile("turma.pdf", "application/pdf", b"%PDF\0\xff", 50.0)


@pytest.fixture
def both(here: OpenDatabase, there: OpenDatabase) -> list[StoredJobs]:
    """The book as two processes see it."""
    return [StoredJobs(here), StoredJobs(there)]


async def test_a_key_is_one_job(both: list[StoredJobs]) -> None:
    """Ordered ten times at once by two processes it is there once, and everybody is told which."""
    orders = (both[i % 2].add(replace(JOB, id=f"j{i}"), 0.0) for i in range(10))
    told = {job.id for job in await asyncio.gather(*orders)}
    assert told == {job.id for job in await both[0].newest(20)}
    assert len(told) == 1


async def test_a_job_is_begun_by_one(both: list[StoredJobs]) -> None:
    """Whoever else wants to begin it is told that it does not wait any more."""
    await both[0].add(JOB, 0.0)
    begun = await asyncio.gather(*(both[i % 2].begin("j1", 3.0, 8.0) for i in range(6)))
    assert [job.attempt for job in begun if job] == [1]


async def test_an_attempt_that_was_taken_over_changes_nothing(both: list[StoredJobs]) -> None:
    """One process takes an overdue job over; what the attempt before it brings comes too late."""
    await both[0].add(JOB, 0.0)
    first = await both[0].begin("j1", 3.0, 8.0)
    assert first is not None
    taken = await asyncio.gather(*(each.take_overdue(9.0, 12.0, 5) for each in both))
    assert [job.id for jobs in taken for job in jobs] == ["j1"]
    second = await both[1].begin("j1", 9.5, 20.0)
    assert second is not None
    assert not await both[0].advance(first, 30.0, 0.5, "half")
    assert not await both[0].finish(first, {"made": 1}, FILE, 10.0)
    assert await both[1].finish(second, {"made": 2}, FILE, 11.0)
    done = (await both[0].look(["j1"]))["j1"]
    assert (done.status, done.result, done.attempt) == ("done", {"made": 2}, 2)
    assert await both[0].file("j1", 11.0) == FILE
    assert await both[0].file("j1", 51.0) is None


async def test_news_is_told_as_it_is_written(here: OpenDatabase) -> None:
    """Of every step that a page shows; renewing a lease is none."""
    told: list[str] = []
    book = StoredJobs(here, told.append)
    await book.add(JOB, 0.0)
    job = await book.begin("j1", 3.0, 8.0)
    assert job is not None
    await book.advance(job, 9.0)
    assert told == ["j1"]
    await book.advance(job, 9.0, 0.5, "half")
    await book.set_back(job, "dead", "why", 10.0)
    await book.retry("j1", 99.0, 11.0)
    again = await book.begin("j1", 12.0, 20.0)
    assert again is not None
    await book.finish(again, {}, None, 13.0)
    assert told == ["j1"] * 6
