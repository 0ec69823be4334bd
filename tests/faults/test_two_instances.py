"""Two machines on one database: what one speaks the other tells, and finishes if it has to.

Each has a data folder of its own, so that neither sees the other's locks nor hears its bell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass

import aiohttp
import pytest
from tests.faults.playing import Player, check, clear_cache, connections, playing, visit
from tests.postgres import new_database
from tests.providers import FaultyProvider, provider
from tests.redis import RedisServer, redis_server
from tests.server import Server
from tests.web.events import Event, events_of

pytestmark = pytest.mark.slow

PACE = 0.02
"""The speed of the profile `fast` at which it begins after half a second and takes 2.25–2.75 s."""
TAKES = 2.75
QUESTION = visit(1)[0]
TIMERS = {"TURN_DEADLINE": "12", "FIRST_TOKEN_TIMEOUT": "4", "STALL_TIMEOUT": "3"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two instances."""

    servers: tuple[Server, Server]
    redis: RedisServer | None
    upstream: FaultyProvider


@pytest.fixture(scope="module", params=["with redis", "without redis"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("two")
    with ExitStack() as stack:
        upstream = stack.enter_context(provider("fast", speed=PACE))
        shared = {"DATABASE_URL": stack.enter_context(new_database()), **TIMERS}
        shared |= {"GUNICORN_WORKERS": "1", "SECRET_KEY": "the same on all machines, of course"}
        redis = None
        if request.param == "with redis":
            redis = stack.enter_context(redis_server(folder))
            # A machine that does something else besides must not make Redis look lost.
            shared |= {"REDIS_URL": redis.url, "REDIS_TIMEOUT": "0.5"}
        one, other = (
            stack.enter_context(playing(folder / name, upstream, **shared)) for name in "ab"
        )
        yield Pair((one, other), redis, upstream)


@pytest.fixture
async def here_and_there(pair: Pair) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Connections to both; nothing is kept of what was asked before."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(connections(s)) for s in pair.servers]
        await clear_cache(found[0])
        pair.upstream.reset()
        yield found


class Listening:
    """A turn's stream as it comes, with the moments of its sentences."""

    def __init__(self, player: Player, turn_id: str) -> None:
        self.text = ""
        self.sentences: list[float] = []
        self.spoken = asyncio.Event()
        self.task = asyncio.create_task(self._listen(player, turn_id))

    async def events(self, patience: float) -> list[Event]:
        """All of them, once it has ended."""
        async with asyncio.timeout(patience):
            await self.task
        return events_of(self.text)

    async def _listen(self, player: Player, turn_id: str) -> None:
        async with player.listen(turn_id) as response:
            async for line in response.content:
                self.text += line.decode()
                if line.startswith(b"event: sentence"):
                    self.sentences.append(time.monotonic())
                    self.spoken.set()


def reply_of(events: list[Event]) -> str:
    """The reply of a stream, whose events are all there, once and in order."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    said = [event.data["text"] for event in events if event.kind == "sentence"]
    assert events[-1].kind == "done"
    assert " ".join(said) == events[-1].data["reply"]
    return str(events[-1].data["reply"])


async def test_a_turn_is_heard_on_the_other(
    here_and_there: list[aiohttp.ClientSession],
) -> None:
    """Sentence by sentence, while it is spoken, with the same words for all."""
    asking = await Player(here_and_there[0]).begin()
    turn_id = await asking.drop(QUESTION)
    near = Listening(asking, turn_id)
    far = Listening(Player(here_and_there[1], asking.cookie), turn_id)
    replies = [reply_of(await listening.events(TAKES + 3)) for listening in (near, far)]
    assert replies[0] == replies[1]
    assert len(far.sentences) > 1
    lags = [there - here for here, there in zip(near.sentences, far.sentences, strict=True)]
    assert sorted(lags)[len(lags) // 2] < 0.4, lags


async def test_one_call_for_both(pair: Pair, here_and_there: list[aiohttp.ClientSession]) -> None:
    """Forty teams ask the same, half of them on either: one call, whose words all of them hear."""
    players = [await Player(here_and_there[i % 2]).begin() for i in range(40)]
    answers = await asyncio.gather(*(player.ask(QUESTION) for player in players))
    for answered in answers:
        check(QUESTION, answered, within=TAKES + 3)
    assert pair.upstream.stats()["calls"] == 1
    assert len({answered.reply["reply"] for answered in answers}) == 1


async def test_a_cleared_cache_is_empty_everywhere(
    pair: Pair, here_and_there: list[aiohttp.ClientSession]
) -> None:
    """What was kept is told on the other too, until it is cleared on one of them."""
    sources = []
    for number in range(3):
        if number == 2:
            assert await clear_cache(here_and_there[0]) == 1
        player = await Player(here_and_there[1 if number else 0]).begin()
        sources.append((await player.ask(QUESTION)).source)
    assert sources == ["model", "cache", "model"]
    assert pair.upstream.stats()["calls"] == 2


async def test_a_frozen_instance_overwrites_nothing(
    pair: Pair, here_and_there: list[aiohttp.ClientSession]
) -> None:
    """The other finishes its turn within two seconds; when it is back, that reply stands."""
    asking = await Player(here_and_there[0]).begin()
    turn_id = await asking.drop(QUESTION)
    elsewhere = Player(here_and_there[1], asking.cookie)
    far = Listening(elsewhere, turn_id)
    async with asyncio.timeout(5):
        await far.spoken.wait()
    os.killpg(pair.servers[0].process.pid, signal.SIGSTOP)
    frozen = time.monotonic()
    try:
        reply = reply_of(await far.events(5))
        assert time.monotonic() - frozen < 2.3
        assert reply.endswith(QUESTION.authored)
        assert reply != QUESTION.authored
        await asyncio.sleep(TAKES)
    finally:
        os.killpg(pair.servers[0].process.pid, signal.SIGCONT)
    await asyncio.sleep(1.5)
    for player in (elsewhere, asking):
        (turn,) = await player.get("/api/history/cida")
        assert turn["reply"] == reply
    assert (await asking.ask(visit(1)[1])).status == 200


async def test_a_killed_instance_s_turns_are_finished(
    pair: Pair, here_and_there: list[aiohttp.ClientSession]
) -> None:
    """That of a listener on the other at once, and that of one who went away as well."""
    asking = await Player(here_and_there[0]).begin()
    turn_id = await asking.drop(QUESTION)
    far = Listening(Player(here_and_there[1], asking.cookie), turn_id)
    gone = await Player(here_and_there[0]).begin()
    left = await gone.drop(QUESTION)
    async with asyncio.timeout(5):
        await far.spoken.wait()
    pair.servers[0].kill()
    killed = time.monotonic()
    reply = reply_of(await far.events(5))
    assert time.monotonic() - killed < 2.3
    assert reply.endswith(QUESTION.authored)
    with contextlib.suppress(TimeoutError):
        await asyncio.sleep(max(0.0, killed + 2.3 - time.monotonic()))
    log = pair.servers[1].log.read_text(encoding="utf-8")
    rescued = [line for line in log.splitlines() if "turn.rescued" in line]
    assert {turn_id, left} <= {part for line in rescued for part in line.split('"')}
