"""What every keeper of limits promises: memory, and Redis for all processes together."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.redis import RedisServer, patient_link

from amazonia.fabric.limits import MemoryLimits
from amazonia.fabric.redis.limits import RedisLimits
from amazonia.fabric.redis.link import Link, open_client
from amazonia.ports import Limits

EVERY = 0.25


@pytest.fixture(params=["memory", "redis"])
async def limits(request: pytest.FixtureRequest) -> AsyncIterator[Limits]:
    memory = MemoryLimits(time.monotonic)
    if request.param == "memory":
        yield memory
        return
    server: RedisServer = request.getfixturevalue("server")
    async with open_client(server.url) as client:
        link = patient_link(client)
        yield RedisLimits(link, "test:", memory)
        await link.close()


async def test_a_bucket_gives_what_it_holds(limits: Limits) -> None:
    """A burst, then nothing until one has come back; and the wait that is told is the true one."""
    assert [await limits.wait("a", EVERY, 3) for _ in range(3)] == [0, 0, 0]
    wait = await limits.wait("a", EVERY, 3)
    assert 0 < wait <= EVERY
    await asyncio.sleep(wait + EVERY / 4)
    assert await limits.wait("a", EVERY, 3) == 0
    assert await limits.wait("a", EVERY, 3) > 0


async def test_who_is_refused_loses_nothing(limits: Limits) -> None:
    """Asking again and again does not make the wait longer."""
    await limits.wait("a", EVERY, 1)
    waits = [await limits.wait("a", EVERY, 1) for _ in range(50)]
    assert waits == sorted(waits, reverse=True)
    assert max(waits) <= EVERY


async def test_what_does_not_count_is_put_back(limits: Limits) -> None:
    """A hundred that are put back leave the bucket as full as it was, and no fuller."""
    for _ in range(100):
        assert await limits.wait("a", 60, 2) == 0
        await limits.give_back("a", 60)
    assert [await limits.wait("a", 60, 2) for _ in range(2)] == [0, 0]
    assert await limits.wait("a", 60, 2) > 0


async def test_keys_have_nothing_to_do_with_each_other(limits: Limits) -> None:
    """One that is empty leaves the others full."""
    await limits.wait("a", 60, 1)
    assert await limits.wait("a", 60, 1) > 0
    assert await limits.wait("b", 60, 1) == 0


async def test_many_at_once_get_no_more(limits: Limits) -> None:
    """Fifty ask in the same instant for five."""
    waits = await asyncio.gather(*(limits.wait("a", 60, 5) for _ in range(50)))
    assert waits.count(0.0) == 5


async def test_two_processes_share_a_bucket(server: RedisServer) -> None:
    """What one took the other does not get."""
    async with open_client(server.url) as one, open_client(server.url) as other:
        links = [patient_link(one), patient_link(other)]
        both = [RedisLimits(link, "test:", MemoryLimits(time.monotonic)) for link in links]
        waits = [await both[i % 2].wait("a", 60, 5) for i in range(8)]
        assert waits.count(0.0) == 5
        for link in links:
            await link.close()


async def test_without_redis_each_process_counts_for_itself(
    server: RedisServer, link: Link
) -> None:
    """Nobody is refused because Redis is away, and nobody gets around the limit."""
    limits = RedisLimits(link, "test:", MemoryLimits(time.monotonic))
    server.kill()
    waits = [await limits.wait("a", 60, 5) for _ in range(50)]
    assert waits.count(0.0) == 5
