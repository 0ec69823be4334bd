"""Parts of a cluster die, freeze and come back while teams play: nobody's turn is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import aiohttp
import pytest
from tests.cluster.playing import (
    DEADLINE,
    interrupted,
    nothing_is_lost,
    while_they_play,
)
from tests.domain.world import lama
from tests.providers import FaultyProvider

from amazonia.loadtest.cluster import Cluster
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.players import play
from amazonia.loadtest.questions import POOL

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.slow]

PATHS = {"riddle": "riddles", "challenge": "challenges", "counter": "counter"}
RESUMED = 2.0
"""Seconds within which a team goes on with another instance."""
HEALED = 5.0
"""Seconds after which a database that is back is used again."""
COPIES = 200


async def test_an_instance_is_killed(running: Cluster) -> None:
    """Its streams go on from another instance where they were, at once."""

    async def kill() -> None:
        running.games[0].kill()

    turns = await while_they_play(running, kill)
    gaps = interrupted(turns)
    assert gaps, "nobody listened to the instance that died"
    assert max(gaps) <= RESUMED


async def test_an_instance_is_replaced(running: Cluster) -> None:
    """Told to end, it answers what it has begun; nobody's turn ends early."""

    async def replace() -> None:
        running.games[1].stop()
        await asyncio.to_thread(running.games[1].wait)
        await running.games[1].start()

    turns = await while_they_play(running, replace)
    assert max(turn.whole or 0.0 for turn in turns) <= DEADLINE + RESUMED


async def test_redis_freezes_and_dies(running: Cluster) -> None:
    """It answers nothing, then again, then is gone, then back and empty: no turn fails."""

    async def disturb() -> None:
        running.redis.freeze()
        await asyncio.sleep(4.0)
        running.redis.thaw()
        await asyncio.sleep(1.0)
        running.redis.kill()
        await asyncio.sleep(2.0)
        await running.redis.start()

    turns = await while_they_play(running, disturb, seconds=10.0)
    assert max(turn.whole or 0.0 for turn in turns) <= DEADLINE + 0.5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
async def test_postgresql_is_restarted(running: Cluster, how: signal.Signals) -> None:
    """Every accepted question is kept; turns are answered, and the database soon used again."""
    back = 0.0

    async def restart() -> None:
        nonlocal back
        running.postgres.stop(how)
        await asyncio.to_thread(running.postgres.wait)
        await asyncio.sleep(1.0)
        await running.postgres.start()
        back = time.time()

    turns = await while_they_play(running, restart, seconds=10.0)
    healed = min(turn.at + (turn.whole or 0.0) for turn in turns if turn.at > back)
    assert healed - back <= HEALED + DEADLINE / 2  # a turn takes its own time to be spoken
    assert max(turn.whole or 0.0 for turn in turns) <= DEADLINE + HEALED


async def test_the_worker_is_killed(running: Cluster) -> None:
    """What is ordered while no worker lives is done by the next one.

    What a worker had begun is another's after its lease: tests/jobs/test_worker.py.
    """
    headers = {"Authorization": f"Bearer {running.admin_token}"}
    async with aiohttp.ClientSession(running.url, headers=headers) as http:
        running.worker.kill()
        ordered = {"name": "purge", "key": "cluster"}
        job = await _call(http, "POST", "/api/admin/jobs", ordered, 202)
        running.worker.log.write_bytes(b"")
        await running.worker.start()
        async with asyncio.timeout(30.0):
            while (now := await _call(http, "GET", f"/api/jobs/{job['id']}"))["status"] != "done":
                assert now["status"] != "dead", now
                await asyncio.sleep(0.2)


@pytest.mark.parametrize("killed", [False, True], ids=["", "leader killed"])
async def test_copies_of_a_question_are_one_call(
    running: Cluster, model: FaultyProvider, killed: bool
) -> None:
    """Teams at all three instances ask the same: the provider is asked once, or once again."""
    model.reset()
    asked = POOL[9 if killed else 10]
    plan = Plan(
        running.url, "resume", COPIES, turns=1, think=(0.0, 0.0), same=asked, keep=True,
        patience=30.0,
    )  # fmt: skip

    async def start() -> None:
        if killed:
            asyncio.get_running_loop().call_later(1.0, lambda: kills.append(kill_leader()))

    def kill_leader() -> str:
        running.games[0].kill()
        return running.games[0].name

    kills: list[str] = []
    turns = await play(plan, start)
    await nothing_is_lost(running, turns)
    calls = [call for call in model.calls() if call["kind"] == "chat"]
    assert 1 <= len(calls) <= (2 if killed else 1)
    assert {turn.source for turn in turns} <= {"model", "cache", "scripted"}
    assert len(kills) == killed


async def test_a_whole_case_while_everything_is_replaced(
    running: Cluster, model: FaultyProvider
) -> None:
    """`amazonia solve` played by HTTP to its ending; after every eighth action an instance dies."""
    model.switch("fast")
    actions = lama().guide.walkthrough()
    ends = lama().words.publication.endings
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as http:
        await _call(http, "POST", "/api/session", {"team": "Turma do Tucumã"}, 201)
        answer: dict[str, Any] = {}
        for number, action in enumerate(actions):
            if number % 8 == 7:
                part = running.games[number // 8 % 3]
                part.kill()
                part.launch()
            answer = await _act(http, action)
        headlines = [ending.headline for ending in ends.values()]
        assert answer["headline"] in headlines
        await asyncio.gather(*(game.answers() for game in running.games))


async def _act(http: aiohttp.ClientSession, action: dict[str, Any]) -> Any:
    kind = action["do"]
    body = {key: value for key, value in action.items() if key not in ("do", "id")}
    path = f"{PATHS[kind]}/{action['id']}" if kind in PATHS else kind
    return await _call(http, "POST", f"/api/{path}", body)


async def _call(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    wanted: int = 200,
) -> Any:
    """A request as the page sends it: again while nobody answers or somebody says "later"."""
    async with asyncio.timeout(30.0):
        while True:
            try:
                async with http.request(method, path, json=body) as answer:
                    if answer.status not in {502, 503, 504}:
                        assert answer.status == wanted, await answer.text()
                        return await answer.json()
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
