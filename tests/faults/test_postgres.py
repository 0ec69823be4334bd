"""PostgreSQL restarts, crashes and freezes while teams play on two processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from tests.faults.playing import Answered, Player, connections, playing, until
from tests.postgres import Cluster, cluster
from tests.server import Server

pytestmark = pytest.mark.slow

DEADLINE = 6.0
SCRIPTED = {"OPENAI_BASE_URL": "", "TURN_DEADLINE": str(DEADLINE)}
HEALED = 5.0
"""Seconds after which everything is as before."""
LATE = 1.0
"""Seconds that an answer may be on its way beyond the deadline, while servers start beside it."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as server:
        yield server


@pytest.fixture(scope="module")
def server(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two processes on a PostgreSQL of their own."""
    data = tmp_path_factory.mktemp("postgres") / "server"
    with playing(data, "", DATABASE_URL=postgres.url(), **SCRIPTED) as running:
        yield running


@dataclass
class Game:
    """A team that asks one question after the other, and what it was told."""

    player: Player
    number: int
    told: list[Answered] = field(default_factory=list)
    until: float = float("inf")

    async def play(self) -> None:
        """Ask until it is over; a question that was refused is asked again."""
        while time.monotonic() < self.until:
            question = f"cadê o bolo da festa? {self.number}/{len(self.told)}"
            self.told.append(await self.player.ask(question))
            await asyncio.sleep(0.2)


def accepted(game: Game) -> list[Answered]:
    """The answers; everything else was refused as a problem that says what it is."""
    for told in game.told:
        assert told.seconds <= DEADLINE + LATE, told
        assert told.status == 200 or told.reply["type"].endswith("store-down"), told
    return [told for told in game.told if told.status == 200]


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_under_players_loses_and_doubles_no_turn(
    server: Server, postgres: Cluster, how: str
) -> None:
    """Orderly or by a crash: each turn that was answered is kept once, and soon all play on."""
    async with connections(server) as http:
        games = [Game(await Player(http).begin(), number) for number in range(12)]
        playing_on = [asyncio.create_task(game.play()) for game in games]
        await asyncio.sleep(1.0)
        await asyncio.to_thread(postgres.stop, how)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(postgres.start)
        back = time.monotonic()
        before = [len(accepted(game)) for game in games]

        async def healed() -> bool:
            return all(len(accepted(g)) > n for g, n in zip(games, before, strict=True))

        await until(healed, HEALED)
        for game in games:
            game.until = back + HEALED
        await asyncio.gather(*playing_on)
        for game in games:
            answered = accepted(game)
            kept = await game.player.get("/api/history/cida")
            ids = [turn["turn_id"] for turn in kept]
            assert len(ids) == len(set(ids))
            assert len({turn["message"] for turn in kept}) == len(kept), "a question was doubled"
            assert {told.reply["turn_id"] for told in answered} <= set(ids)
            assert len({told.reply["turn_id"] for told in answered}) == len(answered)


async def _known_to_be_down(http: aiohttp.ClientSession) -> None:
    """The first who ask hear that nothing is known; a probe that gets no answer ends that."""
    async with asyncio.timeout(10):
        while True:
            async with http.get("/health") as response:
                if (await response.json())["checks"]["database"] == "down":
                    return
            await asyncio.sleep(0.1)


async def test_a_frozen_server_refuses_in_time_and_keeps_what_was_accepted(
    server: Server, postgres: Cluster
) -> None:
    """While it stands still every question is answered or refused within the deadline."""
    async with connections(server) as http:
        games = [Game(await Player(http).begin(), 100 + number) for number in range(6)]
        playing_on = [asyncio.create_task(game.play()) for game in games]
        await asyncio.sleep(0.5)
        frozen = postgres.freeze()
        try:
            await asyncio.sleep(DEADLINE + 2.0)
            async with http.get("/health/live") as response:
                assert response.status == 200
            await _known_to_be_down(http)
        finally:
            postgres.thaw(frozen)
        refused = sum(told.status == 503 for game in games for told in game.told)
        assert refused
        thawed, before = time.monotonic(), [len(accepted(game)) for game in games]

        async def healed() -> bool:
            return all(len(accepted(g)) > n for g, n in zip(games, before, strict=True))

        await until(healed, HEALED + DEADLINE)
        for game in games:
            game.until = thawed
        await asyncio.gather(*playing_on)
        for game in games:
            kept = {turn["turn_id"]: turn for turn in await game.player.get("/api/history/cida")}
            assert {told.reply["turn_id"] for told in accepted(game)} <= set(kept)
            assert all(turn["reply"] for turn in kept.values())
