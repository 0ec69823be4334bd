"""Redis that fails under players: no turn fails or waits for it, and it is used again when it is
well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from tests.faults.playing import Answered, Player, check, connections, health, playing, until, visit
from tests.providers import provider
from tests.redis import RedisServer, redis_server
from tests.server import Server

pytestmark = pytest.mark.slow

PLAYERS = 24
LONGER = 0.05
"""Seconds by which Redis may make the slowest turn longer; beside it, what a busy machine does."""
NOISE = 0.25
HEALED = 8
"""Seconds in which a Redis that is well again is found so, also by a machine that is busy."""


@dataclass(frozen=True, slots=True)
class Fallible:
    """A server of two processes, and its Redis."""

    server: Server
    redis: RedisServer


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fallible]:
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        upstream = stack.enter_context(provider("fast"))
        redis = stack.enter_context(redis_server(folder))
        server = stack.enter_context(playing(folder / "server", upstream, REDIS_URL=redis.url))
        yield Fallible(server, redis)


@asynccontextmanager
async def well(game: Fallible) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to a game whose Redis is well."""
    async with connections(game.server) as http:
        await until(lambda: _all_say(http, "ok"))
        yield http


async def _all_say(http: aiohttp.ClientSession, cache: str, *why: str) -> bool:
    """Whether both processes say so, and are themselves no better; a connection may have either."""
    told = [await health(http) for _ in range(8)]
    checks = [one["checks"] for one in told]
    return {one["status"] for one in told} == {"ok" if cache == "ok" else "degraded"} and all(
        one["cache"] == cache and (one["cache_why"] in why or not why) for one in checks
    )


async def play(http: aiohttp.ClientSession) -> list[float]:
    """Players who ask their questions at once; how long each waited, ascending."""

    async def one(number: int) -> list[Answered]:
        player = await Player(http).begin()
        answers = []
        for question in visit(number):
            answers.append(await player.ask(question))
            check(question, answers[-1])
        return answers

    everything = await asyncio.gather(*(one(number) for number in range(PLAYERS)))
    return sorted(answered.seconds for answers in everything for answered in answers)


FAULTS: dict[str, tuple[Callable[[Fallible], None], Callable[[Fallible], None], set[str]]] = {
    "frozen": (lambda g: g.redis.freeze(), lambda g: g.redis.thaw(), {"timeout"}),
    "gone": (lambda g: g.redis.kill(), lambda g: g.redis.start(), {"gone", "timeout"}),
    "full": (lambda g: g.redis.fill(), lambda g: g.redis.make_room(), {"full"}),
    "slow": (lambda g: g.redis.slow_down(18), lambda g: g.redis.speed_up(), {"slow", "timeout"}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nobody_notices(game: Fallible, fault: str) -> None:
    """Every turn is answered in its time, health says what is wrong, and then that all is well."""
    begin, end, words = FAULTS[fault]
    async with well(game) as http:
        before = await play(http)
        began = time.monotonic()
        begin(game)
        try:
            during = await play(http)
            await until(lambda: _all_say(http, "degraded", *words))
            await asyncio.sleep(max(0.0, began + 3.0 - time.monotonic()))
            during = sorted(during + await play(http))
        finally:
            end(game)
        healed = time.monotonic()
        await until(lambda: _all_say(http, "ok"))
        assert time.monotonic() - healed < HEALED
        await play(http)
    assert during[-1] <= before[-1] + LONGER + NOISE, (fault, before[-1], during[-1])


async def test_a_restart_in_mid_play(game: Fallible) -> None:
    """It comes back empty, while everybody plays: nothing is said twice or lost."""
    async with well(game) as http:
        playing_on = asyncio.ensure_future(play(http))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(game.redis.kill)
        await asyncio.to_thread(game.redis.start)
        await playing_on
        await until(lambda: _all_say(http, "ok"))
    log = game.server.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
