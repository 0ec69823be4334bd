"""Workers come and go while a crowd plays: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest
from tests.providers import provider
from tests.serve.crowd import Player
from tests.serve.processes import workers, workers_without
from tests.server import Server, serve

CLASSES = ["asgi", "uvicorn", "gthread"]
PLAYERS = 20


async def _until_stopped(player: Player, enough: asyncio.Event) -> None:
    await player.begin()
    asked = 0
    while not enough.is_set() or asked < 2:
        asked += 1
        await player.ask(f"o que aconteceu com o bolo número {player.number}, parte {asked}?")


async def _disturb(server: Server) -> None:
    """A worker is killed, one is asked to go, and all are replaced one by one."""
    first, second = sorted(workers(server))
    await asyncio.sleep(1.0)
    os.kill(first, signal.SIGKILL)
    await workers_without(server, {first})
    await asyncio.sleep(0.5)
    os.kill(second, signal.SIGTERM)
    now = await workers_without(server, {first, second})
    await asyncio.sleep(0.5)
    server.process.send_signal(signal.SIGHUP)
    await workers_without(server, now)


async def _crowd_plays(server: Server, disturb: bool, seconds: float) -> list[Player]:
    enough = asyncio.Event()
    clients = [
        httpx.AsyncClient(base_url=server.url, timeout=25, trust_env=False) for _ in range(PLAYERS)
    ]
    players = [Player(client, number) for number, client in enumerate(clients)]
    try:
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            for player in players:
                group.create_task(_until_stopped(player, enough))
            if disturb:
                await _disturb(server)
            await asyncio.sleep(seconds)
            enough.set()
        for player in players:
            told = (await player.send("GET", "/api/history/cida")).json()
            assert [turn["turn_id"] for turn in told] == list(player.replies)
            assert [turn["reply"] for turn in told] == [
                done["reply"] for done in player.replies.values()
            ]
            assert all(turn["reply"] for turn in told)
    finally:
        for client in clients:
            await client.aclose()
    return players


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSES)
async def test_no_turn_is_lost_or_doubled(tmp_path: Path, kind: str) -> None:
    """`kill -9`, TERM of a worker and HUP of all, with a model speaking."""
    with (
        provider("healthy", speed=10) as model,
        serve(tmp_path / "data", OPENAI_BASE_URL=model.url, GUNICORN_WORKER_CLASS=kind) as server,
    ):
        players = await _crowd_plays(server, disturb=True, seconds=1.0)
        told = [done for player in players for done in player.replies.values()]
        assert len(told) >= 2 * PLAYERS
        assert "model" in {done["source"] for done in told}
        log = server.log.read_text()
        assert "WORKER TIMEOUT" not in log
        assert all(
            event in log for event in ("process.began", "process.ended", "processes.renewed")
        )
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSES)
async def test_recycling_is_not_noticed(tmp_path: Path, kind: str) -> None:
    """Workers that are replaced every sixty requests or so."""
    with serve(tmp_path / "data", GUNICORN_MAX_REQUESTS="60", GUNICORN_WORKER_CLASS=kind) as server:
        before = workers(server)
        await _crowd_plays(server, disturb=False, seconds=3.0)
        assert before - workers(server)
        assert "WORKER TIMEOUT" not in server.log.read_text()
