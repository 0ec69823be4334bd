"""The real server against a provider of every profile: what is promised holds for each of them.

Four servers with a provider each play at once. Between two profiles a provider is well again, and
so must be the voice.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.domain.spoilers import Secrets
from tests.domain.world import mini
from tests.faults.playing import (
    SPEED,
    Answered,
    Player,
    Question,
    check,
    clear_cache,
    connections,
    each_worker,
    health,
    playing,
    provider_of,
    until,
    visit,
)
from tests.providers import FaultyProvider, provider

from amazonia.devprovider.profiles import NAMES
from amazonia.domain.session import begin, holds

LANES = (
    ("healthy", "filter", "outage", "cut", "mixed"),
    ("nodone", "toolong", "refuse", "slow", "garbage"),
    ("fast", "leak", "error", "late", "stall"),
    ("empty", "ratelimit", "comments", "drip", "flaky"),
)
BY_MODEL = frozenset({"healthy", "fast", "nodone"})
BY_EITHER = frozenset({"leak", "flaky", "mixed"})
"""Who speaks; with every other profile the authored lines alone."""
RECOVERY = 30.0
TEAMS = 4

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a profile.

    Attributes:
        turns: the questions with their answers.
        health: what `/health` said while it was asked.
        stats: the provider's counts.
    """

    turns: list[tuple[Question, Answered]]
    health: list[dict[str, Any]]
    stats: dict[str, Any]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """Every profile, played once."""
    folder = tmp_path_factory.mktemp("profiles")
    with ExitStack() as stack:
        providers = [stack.enter_context(provider(speed=SPEED)) for _ in LANES]
        lanes = asyncio.run(_play_all(folder, providers))
    return {name: done for lane in lanes for name, done in lane.items()}


async def _play_all(folder: Path, providers: list[FaultyProvider]) -> list[dict[str, Played]]:
    mini().library.open()
    lanes = zip(LANES, providers, strict=True)
    playing_ = [_lane(folder / f"{i}", names, of) for i, (names, of) in enumerate(lanes)]
    return await asyncio.gather(*playing_)


async def _lane(data: Path, names: tuple[str, ...], of: FaultyProvider) -> dict[str, Played]:
    found = {}
    block = playing(data, of)
    server = await asyncio.to_thread(block.__enter__)
    try:
        async with connections(server) as http, each_worker(server) as workers:
            for name in names:
                found[name] = await _profile(http, name, of)
                await _recover(workers, of)
    finally:
        await asyncio.to_thread(block.__exit__, None, None, None)
    return found


async def _profile(http: aiohttp.ClientSession, name: str, of: FaultyProvider) -> Played:
    """Several teams at once, each its three questions, the last one as a stream."""
    await clear_cache(http)
    await asyncio.to_thread(of.switch, name)
    await asyncio.to_thread(of.reset)
    told: list[dict[str, Any]] = []

    async def play(number: int) -> list[tuple[Question, Answered]]:
        player = await Player(http).begin()
        answers = []
        for question in visit(number):
            is_last = bool(question.clues) and question.topic == "forno"
            answers.append((question, await player.ask(question, stream=is_last)))
            told.append(await health(http))
        return answers

    turns = await asyncio.gather(*(play(number) for number in range(TEAMS)))
    stats = await asyncio.to_thread(of.stats)
    return Played([turn for team in turns for turn in team], told, stats)


async def _recover(workers: list[aiohttp.ClientSession], of: FaultyProvider) -> None:
    """Play on with a provider that is well, until both processes know that it is."""
    await asyncio.to_thread(of.switch, "fast")

    async def knows(worker: aiohttp.ClientSession) -> bool:
        await (await Player(worker).begin()).ask(visit(0)[0])
        return bool((await provider_of(worker))["state"] == "closed")

    for worker in workers:
        await until(partial(knows, worker), RECOVERY)


def test_no_profile_is_left_out() -> None:
    """Every profile is played; a refused key is looked at elsewhere, since it parks for long."""
    assert sorted(name for lane in LANES for name in lane) == sorted(set(NAMES) - {"badkey"})


@pytest.mark.parametrize("name", [name for lane in LANES for name in lane])
def test_every_turn_is_answered(played: dict[str, Played], name: str) -> None:
    """In time, in whole sentences, with the right clue, never an error, by whom it must be."""
    for question, answered in played[name].turns:
        check(question, answered, obeys=name in {"leak", "mixed"})
    assert len(played[name].turns) == 3 * TEAMS
    sources = {answered.source for _, answered in played[name].turns}
    if name not in BY_EITHER:
        assert sources == ({"model"} if name in BY_MODEL else {"scripted"})


@pytest.mark.parametrize("name", [name for lane in LANES for name in lane])
def test_health_tells_how_the_provider_is(played: dict[str, Played], name: str) -> None:
    """Whatever the provider does, its name and state are told at once; it alone degrades."""
    for told in played[name].health:
        (voice,) = told["checks"]["providers"]
        assert voice["name"] == "openai"
        assert voice["state"] in {"closed", "open", "half_open", "parked"}
        assert (told["status"] == "ok") == (voice["state"] == "closed")
        assert bool(voice["why"]) == (voice["state"] != "closed")


@pytest.mark.parametrize("name", [name for lane in LANES for name in lane])
def test_calls_are_few(played: dict[str, Played], name: str) -> None:
    """No turn asks more often than once and, if that may help, once again."""
    assert 0 < played[name].stats["calls"] <= 2 * len(played[name].turns)


def test_nothing_locked_is_said(played: dict[str, Played]) -> None:
    """Not even by a provider that says what it is told to say."""
    secrets, have = Secrets(mini().case, mini().words), holds(mini().case, begin(mini().case))
    for done in played.values():
        for _, answered in done.turns:
            assert secrets.leaks(have, answered.reply["reply"]) == []
