"""Cases with a provider that fails: every player is answered, in time, whatever it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import orjson

from amazonia.loadtest.figures import Turn, answered_within, failed, percentile, wholes
from amazonia.loadtest.measure import DEADLINE, Measured, Quick, measure, sources
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import Running
from amazonia.loadtest.report import Result, milliseconds, seconds, share
from amazonia.loadtest.servers import GAME_MODEL, WORKERS, Bench, Provider

FAULTS = (
    "outage",
    "slow",
    "flaky",
    "stall",
    "drip",
    "ratelimit",
    "error",
    "cut",
    "garbage",
    "empty",
    "refuse",
)
FURTHER_FAULTS = ("comments", "late", "nodone", "filter", "toolong")
LOOK_EVERY = 0.2
SETTLED = 2.0
"""Seconds of looks, all of them with an open breaker, before a turn that count as "while open":
each look meets a worker by chance, so this many meet every worker."""
SHUT = frozenset({"open", "parked"})


def fault(profile: str) -> Callable[[Bench, Quick], Awaitable[Result]]:
    """The case of one fault profile."""

    async def case(bench: Bench, quick: Quick) -> Result:
        return await _fault(bench, quick, profile)

    return case


async def _fault(bench: Bench, quick: Quick, profile: str) -> Result:
    """200 players ask for a minute while the provider does what the profile says."""
    result = Result(profile)
    plan = Plan("http://127.0.0.1", "page", quick.count(200, 40), seconds=quick.or_(60.0, 15.0))
    async with bench.provider("fast") as provider:
        await provider.switch(profile)
        async with bench.game(provider) as game, bench.old_cure(provider) as old:
            looks = Looks(game)
            async with looks:
                ours, theirs = await asyncio.gather(
                    measure(game, replace(plan, url=game.url)),
                    measure(old, replace(plan, way="old", url=old.url)),
                )
            calls = await provider.calls_of(GAME_MODEL)
    _judge(result, ours, calls, looks)
    _tell_old(result, theirs)
    return result


def _judge(result: Result, ours: Measured, calls: int, looks: Looks) -> None:
    ours.into(result, "game")
    turns, bound = ours.turns, DEADLINE + 0.1
    within = answered_within(turns, bound)
    slowest = percentile(wholes(turns), 1.0)
    result.tell("turns", f"{len(turns)}: {sources(turns)}")
    result.hold("answered", share(within), "100 %", ok=within >= 1.0)
    result.hold("slowest", seconds(slowest), f"≤ {seconds(bound)}", ok=slowest <= bound)
    shut = [turn for turn in turns if looks.shut_at(turn.at)]
    if shut:
        p99 = percentile(wholes(shut), 0.99)
        what = f"breaker open ({len(shut)} turns): p99"
        result.hold(what, milliseconds(p99), "≤ 50 ms", ok=p99 <= 0.05)
        result.note("game", open_p99=p99, open_turns=len(shut))
    else:
        result.tell("breaker open: p99", "it never was, as far as /health says")
    ratio = calls / len(turns)
    measured = f"{ratio:.3f} ({calls})"
    result.hold("provider calls a turn", measured, "≤ 1.1", ok=ratio <= 1.1)
    within_deadline = answered_within(turns, DEADLINE + 0.1)
    result.note("game", within=within_deadline, calls_a_turn=ratio)


def _tell_old(result: Result, theirs: Measured) -> None:
    theirs.into(result, "old cure")
    within = answered_within(theirs.turns, DEADLINE + 0.1)
    result.note("old cure", within=within)
    result.tell("old cure: answered in time", f"{share(within)} of {len(theirs.turns)} turns")


async def recovery(bench: Bench, quick: Quick) -> Result:
    """Healthy, a minute of outage, healthy: how soon the model speaks again."""
    result = Result("recovery")
    before, outage, after = (
        quick.or_(20.0, 8.0),
        quick.or_(60.0, 30.0),
        quick.or_(45.0, 30.0),
    )
    plan = Plan("http://127.0.0.1", "page", quick.count(200, 40), seconds=before + outage + after)
    async with bench.provider("healthy") as provider, bench.game(provider) as game:
        playing = asyncio.create_task(measure(game, replace(plan, url=game.url)))
        await _first_call(provider, playing)
        await asyncio.sleep(before)
        await provider.switch("outage")
        probes = await _most_in_flight(provider, outage)
        healed = time.time()
        await provider.switch("healthy")
        ours = await playing
    ours.into(result, "game")
    turns, bound = ours.turns, DEADLINE + 0.1
    slowest = percentile(wholes(turns), 1.0)
    result.tell("turns", f"{len(turns)}: {sources(turns)}")
    result.hold("failed", str(len(failed(turns))), "0", ok=not failed(turns))
    result.hold("slowest", seconds(slowest), f"≤ {seconds(bound)}", ok=slowest <= bound)
    again = first_model_after(turns, healed)
    result.hold("model voice again after", seconds(again), "≤ 30 s", ok=again <= 30.0)
    all_again = steady_model_after(turns, healed)
    result.tell("nine of ten turns by the model after", seconds(all_again))
    must = f"≤ {WORKERS} (one a worker)"
    result.hold("probes in flight, most", str(probes), must, ok=probes <= WORKERS)
    result.note("game", model_again=again, probes=probes)
    return result


async def _first_call(provider: Provider, playing: asyncio.Task[Measured]) -> None:
    """Wait until the players' first question reaches the provider."""
    while not playing.done() and not (await provider.stats())["calls"]:
        await asyncio.wait({playing}, timeout=0.1)


async def _most_in_flight(provider: Provider, outage: float) -> int:
    """Wait out the outage; the most calls in flight once the breakers have had time to open."""
    begun, most = time.monotonic(), 0
    settles = min(outage * 0.75, DEADLINE + 2.0)
    while (passed := time.monotonic() - begun) < outage:
        if passed > settles:
            most = max(most, int((await provider.stats())["in_flight"]))
        await asyncio.sleep(LOOK_EVERY)
    return most


def first_model_after(turns: Sequence[Turn], moment: float) -> float:
    """Seconds from a moment to the end of the first model turn that began after it; inf if none."""
    ends = [
        turn.at + turn.whole - moment
        for turn in turns
        if turn.source == "model" and turn.whole is not None and turn.at > moment
    ]
    return min(ends, default=float("inf"))


def steady_model_after(turns: Sequence[Turn], moment: float) -> float:
    """Seconds from a moment until nine of the ten next answers are a model's; inf if never."""
    later = sorted((turn for turn in turns if turn.at > moment), key=lambda turn: turn.at)
    answers = [turn for turn in later if turn.kind in {"", "answer"}]
    for place in range(len(answers) - 9):
        ten = answers[place : place + 10]
        if sum(turn.source in {"model", "cache"} for turn in ten) >= 9:
            return ten[0].at - moment
    return float("inf")


# ── the breaker, as /health shows it ────────────────────────────────────────────────────────────


class Looks:
    """Looks at the game's health while a block runs; each on a new connection, to any worker."""

    def __init__(self, game: Running) -> None:
        """Watch this game."""
        self._url = f"{game.url}/health"
        self._looks: list[tuple[float, bool]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def shut_at(self, moment: float) -> bool:
        """Whether every worker's breaker had been open for a while at a moment."""
        seen = [is_shut for at, is_shut in self._looks if moment - SETTLED <= at <= moment + 0.1]
        return len(seen) * LOOK_EVERY > SETTLED / 2 and all(seen)

    async def _watch(self) -> None:
        connector = aiohttp.TCPConnector(force_close=True)
        timeout = aiohttp.ClientTimeout(total=5.0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
            while True:
                at = time.time()
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(self._url) as answer:
                        health = orjson.loads(await answer.read())
                        self._looks.append((at, is_shut(health)))
                await asyncio.sleep(LOOK_EVERY)


def is_shut(health: Mapping[str, Any]) -> bool:
    """Whether a health report says that no provider may be asked."""
    providers = health.get("checks", {}).get("providers", [])
    states = {one.get("state") for one in providers if isinstance(one, dict)}
    return bool(states) and states <= SHUT
