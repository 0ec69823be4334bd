"""Jobs in process: ordered once, tried again, given up, and never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.jobs.kinds import KINDS, QUICK, begun, begun_times, desk_of, over
from tests.worlds import mini_services

from amazonia.errors import BadOrder
from amazonia.jobs.desk import Desk
from amazonia.services import Services


async def test_a_job_is_done_and_keeps_what_it_made(services: Services) -> None:
    """Its result and its file are there for whoever asks, in any process."""
    async with desk_of(services) as desk:
        job = await over(desk, await desk.order("mark", {"mark": "m"}))
        file = await desk.file(job.id)
    assert (job.status, job.progress, job.result) == ("done", 1.0, {"begun": 1, "file": "mark.txt"})
    assert file is not None
    assert (file.name, file.kind, file.body) == ("mark.txt", "text/plain", b"mark")


async def test_progress_is_seen_while_it_runs(services: Services) -> None:
    """From queued to done, with its note on the way."""
    async with desk_of(services) as desk:
        job = await desk.order("mark", {"mark": "m", "seconds": 1.2})
        seen = [(now.status, now.progress, now.note) async for now in desk.follow(job.id)]
    assert ("running", 0.5, "half") in seen
    assert seen[-1] == ("done", 1.0, "")


async def test_the_same_key_is_the_same_job(services: Services) -> None:
    """Queued, running or done lately; another key is another job."""
    async with desk_of(services) as desk:
        orders = [desk.order("mark", {"mark": "m", "seconds": 0.2}, key="k") for _ in range(8)]
        first, *others = await asyncio.gather(*orders)
        await over(desk, first)
        later = await desk.order("mark", {"mark": "m"}, key="k")
        other = await over(desk, await desk.order("mark", {"mark": "other"}, key="k2"))
    assert {job.id for job in (*others, later)} == {first.id}
    assert other.id != first.id
    assert await begun(services, "m") == 1


async def test_an_old_result_does_not_answer_a_new_order(services: Services) -> None:
    """After as long as its kind says, the same key is a new job."""
    stale = {"mark": replace(KINDS["mark"], fresh=-1.0)}
    async with Desk(services, stale, pace=QUICK).open() as desk:
        first = await over(desk, await desk.order("mark", {"mark": "m"}, key="k"))
        second = await over(desk, await desk.order("mark", {"mark": "m"}, key="k"))
    assert first.id != second.id
    assert await begun(services, "m") == 2


async def test_a_failure_is_tried_again(services: Services) -> None:
    """With a pause, until it succeeds."""
    async with desk_of(services) as desk:
        job = await over(desk, await desk.order("stumble", {"mark": "m", "failures": 2}))
    assert (job.status, job.attempt, job.error) == ("done", 3, "")


async def test_what_always_fails_is_given_up_and_can_be_retried(services: Services) -> None:
    """It lies among the dead letters with its fault until a person lets it be tried anew."""
    async with desk_of(services) as desk:
        job = await over(desk, await desk.order("stumble", {"mark": "m", "failures": 4}))
        assert (job.status, job.attempt, job.error) == ("dead", 3, "RuntimeError: stumbled")
        assert [dead.id for dead in await desk.newest(10, "dead")] == [job.id]
        retried = await desk.retry(job.id)
        assert retried is not None
        assert (await over(desk, retried)).status == "done"
        assert await desk.newest(10, "dead") == []
        assert (await desk.retry(job.id)) is not None  # one that is not dead stays as it is
        assert await desk.retry("nobody") is None
    assert await begun(services, "m") == 5


async def test_what_cannot_be_done_is_not_tried_again(services: Services) -> None:
    """A bad order is given up at once, with words that say why."""
    async with desk_of(services) as desk:
        job = await over(desk, await desk.order("refuse", {}))
    assert (job.status, job.attempt, job.error) == ("dead", 1, "not like this")


async def test_an_unknown_kind_is_refused(services: Services) -> None:
    """The error names those that there are."""
    async with desk_of(services) as desk:
        with pytest.raises(BadOrder, match="there are: mark, brief"):
            await desk.order("dance", {})


async def test_a_deadline_ends_a_job_wherever_it_is(services: Services) -> None:
    """One that runs is broken off; one that has not begun by then is not begun."""
    async with desk_of(services) as desk:
        slow = await over(desk, await desk.order("brief", {"mark": "slow", "seconds": 5}))
    idle = Desk(services, KINDS, pace=QUICK, hands=0)
    late = await idle.order("brief", {"mark": "late"})
    await asyncio.sleep(0.4)
    await idle.run(late.id)
    dead = await idle.get(late.id)
    assert dead is not None
    assert {(job.status, job.error) for job in (slow, dead)} == {
        ("dead", "the deadline has passed")
    }
    assert await begun(services, "late") == 0


async def test_only_as_many_run_as_there_are_hands(services: Services) -> None:
    """The others wait their turn, and all are done."""
    most = now = 0

    async def count(*_: object) -> object:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return await KINDS["mark"].run(services, {"mark": "m"}, _progress)

    async def _progress(part: float, note: str = "") -> None:
        del part, note

    works = {"mark": replace(KINDS["mark"], run=count)}  # type: ignore[arg-type]
    async with Desk(services, works, hands=2, pace=QUICK).open() as desk:
        jobs = [await desk.order("mark", {}) for _ in range(9)]
        assert {(await over(desk, job)).status for job in jobs} == {"done"}
    assert most == 2


async def test_a_job_runs_on_when_its_process_is_gone(tmp_path: Path) -> None:
    """A process that ended in good order put it back: another begins it at once."""
    async with (
        mini_services(tmp_path / "data") as first,
        mini_services(tmp_path / "data") as second,
    ):
        async with desk_of(first) as desk:
            job = await desk.order("mark", {"mark": "m", "seconds": 30})
            await begun_times(first, "m", 1)
        async with desk_of(second) as desk:
            await desk.look_round()
            await begun_times(second, "m", 2)
            now = await desk.get(job.id)
            assert now is not None
            assert (now.status, now.attempt) == ("running", 2)


async def test_who_lost_the_lease_changes_nothing(services: Services) -> None:
    """A runner that was silent for too long finds its job taken, and its result counts nothing."""
    silent = replace(QUICK, lease=0.1)
    desk = Desk(services, KINDS, pace=silent, hands=0)
    job = await desk.order("mark", {"mark": "m"})
    now = services.clock.now()
    old = await services.jobs.begin(job.id, now, now + 0.1)
    await asyncio.sleep(0.2)
    (taken,) = await services.jobs.take_overdue(services.clock.now(), now + 60, 10)
    assert taken.id == job.id
    await desk.run(job.id)
    assert old is not None
    assert not await services.jobs.finish(old, {"begun": 99}, None, now)
    assert not await services.jobs.advance(old, now + 60, 0.9)
    assert not await services.jobs.set_back(old, "dead", "late", now)
    done = await desk.get(job.id)
    assert done is not None
    assert (done.status, done.result["begun"]) == ("done", 1)


async def test_a_long_job_keeps_its_lease(services: Services) -> None:
    """Nobody takes over what is renewed, although it lasts longer than a lease."""
    async with desk_of(services, replace(QUICK, lease=0.4)) as desk:
        job = await over(desk, await desk.order("mark", {"mark": "m", "seconds": 1.5}))
    assert (job.status, job.attempt) == ("done", 1)


async def test_two_who_look_round_never_take_the_same(tmp_path: Path) -> None:
    """Each overdue job is one process's."""
    async with mini_services(tmp_path / "data") as one, mini_services(tmp_path / "data") as two:
        idle = Desk(one, KINDS, pace=replace(QUICK, handed_out=-1.0), hands=0)
        for _ in range(20):
            await idle.order("mark", {"mark": "m"})
        now = one.clock.now()
        both = await asyncio.gather(
            *(s.jobs.take_overdue(now, now + 60, 20) for s in (one, two, one, two))
        )
    taken = [job.id for jobs in both for job in jobs]
    assert len(taken) == len(set(taken)) == 20
