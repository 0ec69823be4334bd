"""The same question at the same moment, on two processes: one call, the same words for all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from tests.faults.playing import (
    Player,
    Question,
    check,
    clear_cache,
    connections,
    each_worker,
    owner_of,
    pid_of,
    playing,
    saved,
    visit,
)
from tests.providers import FaultyProvider, provider
from tests.server import Server

from amazonia.voice.scripted import is_whole

pytestmark = pytest.mark.slow

PACE = 0.02
"""The speed of the profile `fast` at which it begins after half a second and takes 2.25–2.75 s."""
TAKES = 2.75
QUESTION = visit(1)[0]
TIMERS = {"TURN_DEADLINE": "12", "FIRST_TOKEN_TIMEOUT": "4", "STALL_TIMEOUT": "3"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultyProvider]:
    with provider("fast", speed=PACE) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: FaultyProvider) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("flight") / "server"
    with playing(data, upstream, **TIMERS) as running:
        yield running


@pytest.fixture
async def workers(
    server: Server, upstream: FaultyProvider
) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """A connection to either process; nothing is kept of what was asked before."""
    async with each_worker(server) as both:
        await clear_cache(both[0])
        upstream.reset()
        yield both


async def teams(http: aiohttp.ClientSession, number: int) -> list[Player]:
    return [await Player(http).begin() for _ in range(number)]


async def test_many_teams_one_call(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Forty teams ask the same over both processes: one call, whose words all of them hear."""
    async with connections(server) as http:
        players = await teams(http, 40)
        answers = await asyncio.gather(*(player.ask(QUESTION) for player in players))
    for answered in answers:
        check(QUESTION, answered, within=TAKES + 2)
    assert upstream.stats()["calls"] == 1
    assert len({answered.reply["reply"] for answered in answers}) == 1
    sources = [answered.source for answered in answers]
    assert sources.count("model") == 1
    assert sources.count("cache") == 39
    owners = {owner_of(server, answered.reply["turn_id"]) for answered in answers}
    assert len(owners) == 2


async def test_a_follower_may_leave(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """The one who leads is heard to the end, on whichever process the others were."""
    leader, elsewhere = [await Player(worker).begin() for worker in workers]
    async with connections(server) as http:
        others = [*await teams(http, 4), elsewhere]
        leading = asyncio.ensure_future(leader.ask(QUESTION))
        await asyncio.to_thread(upstream.stats_when, lambda stats: stats["calls"] == 1)
        following = [asyncio.ensure_future(other.ask(QUESTION)) for other in others]
        await asyncio.wait(following, timeout=0.3)
        for follower in following:
            assert follower.cancel()
        answered = await leading
    check(QUESTION, answered, within=TAKES + 2)
    assert answered.source == "model"
    stats = upstream.stats()
    assert (stats["calls"], stats["cancelled"]) == (1, 0)


async def test_two_copies_of_one_team_are_one_turn(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Though they come to two processes at the same instant."""
    one = await Player(workers[0]).begin()
    other = Player(workers[1], one.cookie)
    both = await asyncio.gather(one.ask(QUESTION), other.ask(QUESTION))
    assert len({answered.reply["turn_id"] for answered in both}) == 1
    assert len({answered.reply["reply"] for answered in both}) == 1
    assert sorted(answered.reply["duplicate"] for answered in both) == [False, True]
    assert upstream.stats()["calls"] == 1


async def test_a_cleared_cache_is_empty(
    upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """What was kept is said again without a call, on the other process too, until it is cleared."""
    assert await _source(workers[0]) == "model"
    assert await _source(workers[1]) == "cache"
    assert upstream.stats()["calls"] == 1
    assert await clear_cache(workers[0]) == 1
    assert await _source(workers[1]) == "model"
    assert upstream.stats()["calls"] == 2


async def _source(worker: aiohttp.ClientSession) -> str:
    """Who answers a new team there."""
    return (await (await Player(worker).begin()).ask(QUESTION)).source


# ── kill -9 ─────────────────────────────────────────────────────────────────────────────────────


class Listening:
    """A question whose answer is read as it comes."""

    def __init__(self, player: Player, question: Question) -> None:
        self.begun = asyncio.Event()
        self.spoken = asyncio.Event()
        self.turn_id = ""
        self.task = asyncio.create_task(self._listen(player, question))

    async def _listen(self, player: Player, question: Question) -> str:
        text, accept = "", "text/event-stream"
        body = {"entity_id": question.who, "message": question.message}
        async with player.post("/api/chat", body, accept=accept) as response:
            self.turn_id = response.headers["location"].rpartition("/")[2]
            self.begun.set()
            async for line in response.content:
                text += line.decode()
                if "event: sentence" in text:
                    self.spoken.set()
        return text


async def test_a_leader_killed_before_its_first_word(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """A follower asks anew: it loses what was lost and at most a second more."""
    leading = Listening(await Player(workers[0]).begin(), QUESTION)
    await leading.begun.wait()
    follower = await Player(workers[1]).begin()
    following = asyncio.ensure_future(follower.ask(QUESTION))
    await asyncio.to_thread(upstream.stats_when, lambda stats: stats["calls"] == 1)
    await asyncio.sleep(0.15)
    died = await kill_owner(server, leading)
    answered = await following
    check(QUESTION, answered, within=TAKES + 2)
    assert time.monotonic() - died < TAKES + 1
    assert answered.source == "model"
    assert upstream.stats()["calls"] == 2
    assert await _own_turn(server, leading) == QUESTION.authored


async def test_a_leader_killed_in_mid_reply(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Whole sentences stay, and the authored line completes them, within a second."""
    leading = Listening(await Player(workers[0]).begin(), QUESTION)
    await leading.begun.wait()
    following = Listening(await Player(workers[1]).begin(), QUESTION)
    await following.spoken.wait()
    assert not leading.task.done()
    died = await kill_owner(server, leading)
    text = await following.task
    assert time.monotonic() - died < 1
    reply, source = await saved(server, following.turn_id)
    assert source == "scripted"
    assert is_whole(reply)
    assert reply.endswith(QUESTION.authored)
    assert reply != QUESTION.authored
    assert reply in text.replace('\\"', '"')
    assert upstream.stats()["calls"] == 1
    own = await _own_turn(server, leading)
    assert is_whole(own)
    assert own.endswith(QUESTION.authored)


async def kill_owner(server: Server, leading: Listening) -> float:
    """Kill the process that speaks a turn; when."""
    os.kill(pid_of(owner_of(server, leading.turn_id)), signal.SIGKILL)
    died = time.monotonic()
    with contextlib.suppress(aiohttp.ClientError):
        await leading.task
    return died


async def _own_turn(server: Server, leading: Listening) -> str:
    """What the team whose process was killed is told, once the next process is there."""
    return (await saved(server, leading.turn_id))[0]
