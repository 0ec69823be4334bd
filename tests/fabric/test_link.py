"""The way to Redis: it never keeps anybody waiting, and it heals by itself."""

import asyncio
import time
from collections.abc import Callable

import pytest
from tests.redis import RedisServer, SlowProxy

from amazonia.fabric.redis.link import INSISTENCE, MOST_STRIKES, PATIENCE, Link, Lost, open_client

WHOLE = 2 * PATIENCE + 0.3
"""Seconds in which a Redis that is not well has cost a turn all that it can cost it, on a machine
that may be busy."""


async def when(holds: Callable[[], bool], patience: float = 5.0) -> None:
    async with asyncio.timeout(patience):
        while not holds():  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.02)


async def lose(link: Link) -> float:
    """Ask until nobody is asked any more; the seconds that this took."""
    began = time.monotonic()
    for _ in range(MOST_STRIKES):
        try:
            await link.ask("SET", "x", "1")
        except Lost:
            continue
    return time.monotonic() - began


async def test_what_is_asked_at_once_is_one_round_trip(link: Link) -> None:
    """A hundred answers, each to its own question, for one trip."""
    before = link.trips
    answers = await asyncio.gather(*(link.ask("ECHO", str(i)) for i in range(100)))
    assert answers == [str(i).encode() for i in range(100)]
    assert link.trips == before + 1


async def test_a_frozen_redis_costs_a_moment(server: RedisServer, link: Link) -> None:
    """After two round trips nobody waits for it; it is asked again when it is back."""
    server.freeze()
    assert await lose(link) < WHOLE
    assert link.why == "timeout"
    began = time.monotonic()
    with pytest.raises(Lost):
        await link.ask("GET", "x")
    assert time.monotonic() - began < 0.005
    server.thaw()
    await when(lambda: link.is_well)
    assert await link.ask("ECHO", "here") == b"here"


async def test_a_dead_redis_is_found_again(server: RedisServer, link: Link) -> None:
    """Also if it begins anew with nothing in it; whoever wants to know of it is told."""
    told: list[str] = []
    link.when_back(lambda: told.append("back"))
    server.kill()
    assert await lose(link) < WHOLE
    assert link.why == "gone"
    server.start()
    await when(lambda: link.is_well)
    assert told == ["back"]


async def test_a_full_redis_is_not_well(server: RedisServer, link: Link) -> None:
    """It answers quickly, but keeps nothing; with room again it is asked again."""
    server.fill()
    assert await lose(link) < WHOLE
    assert link.why == "full"
    await asyncio.sleep(0.6)
    assert not link.is_well
    server.make_room()
    await when(lambda: link.is_well)


async def test_a_read_only_redis_is_not_well(server: RedisServer, link: Link) -> None:
    """A replica that was promoted away from."""
    server.config("min-replicas-to-write", "1")
    assert await lose(link) < WHOLE
    assert not link.is_well
    server.config("min-replicas-to-write", "0")
    await when(lambda: link.is_well)


async def test_a_slow_redis_is_not_asked(server: RedisServer) -> None:
    """Though it always answers in time: a turn asks it several times."""
    proxy = SlowProxy(server.port)
    async with open_client(proxy.url) as client:
        link = Link(client, "test")
        await link.begin()
        await lose(link)
        assert link.is_well
        proxy.seconds = 0.016
        assert await lose(link) < MOST_STRIKES * PATIENCE + 0.1
        assert link.why in {"slow", "timeout"}
        proxy.seconds = 0.0
        await when(lambda: link.is_well)
        await link.close()
    proxy.close()


async def test_a_slow_redis_is_waited_for_where_it_matters(server: RedisServer) -> None:
    """What the sharing of a call depends on is answered, however busy the machine is."""
    proxy = SlowProxy(server.port)
    async with open_client(proxy.url) as client:
        link = Link(client, "test")
        await link.begin()
        proxy.seconds = 2 * PATIENCE
        for _ in range(MOST_STRIKES):
            assert await link.insist(("ECHO", "here"), ("ECHO", "there")) == [b"here", b"there"]
        assert not link.is_well
        await link.close()
    proxy.close()


async def test_a_frozen_redis_is_waited_for_once(server: RedisServer, link: Link) -> None:
    """The next one who would insist knows at once that it is of no use."""
    server.freeze()
    began = time.monotonic()
    with pytest.raises(Lost):
        await link.insist(("GET", "x"))
    assert time.monotonic() - began < INSISTENCE + WHOLE
    await lose(link)
    began = time.monotonic()
    with pytest.raises(Lost):
        await link.insist(("GET", "x"))
    assert time.monotonic() - began < 0.005
    server.thaw()
    await when(lambda: link.is_well)
    assert await link.insist(("ECHO", "here")) == [b"here"]


async def test_a_busy_process_does_not_blame_redis(link: Link) -> None:
    """Who does not look at the clock in time knows nothing about how long an answer took."""
    for _ in range(10):
        answer = asyncio.ensure_future(link.ask("ECHO", "here"))
        await asyncio.sleep(0)
        time.sleep(2 * PATIENCE)  # noqa: ASYNC251 - that is what it does to the loop
        assert await answer == b"here"
    assert link.is_well


async def test_without_redis_at_the_start(server: RedisServer) -> None:
    """The process starts all the same, and asks Redis as soon as it is there."""
    server.kill()
    async with open_client(server.url) as client:
        link = Link(client, "test")
        await link.begin()
        assert link.why == "gone"
        server.start()
        await when(lambda: link.is_well)
        await link.close()
