"""Cases with a provider that works: how much the game adds, beside the relay and the old cure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median
from typing import Any

from amazonia.loadtest.figures import Turn, by_model, failed, firsts, percentile, wholes
from amazonia.loadtest.measure import (
    DEADLINE,
    OLD_PATIENCE,
    Measured,
    Quick,
    Replay,
    measure,
    replay_of,
    sources,
)
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import Running
from amazonia.loadtest.questions import TURNS_OF_A_TEAM
from amazonia.loadtest.report import Result, milliseconds, seconds, share
from amazonia.loadtest.servers import Bench, Provider

Bodies = tuple[dict[str, Any], ...]
NOT_YET = "http://127.0.0.1"
"""Where plans point until their server runs."""
NO_THINKING = (0.0, 0.0)
WARM_PLAYERS, WARM_TURNS = 16, 6
WARM_BEGIN = 2000 * TURNS_OF_A_TEAM
"""Turns of warming up are numbered far from those that are measured: other names, other texts."""


async def healthy40(bench: Bench, quick: Quick) -> Result:
    """A class at play: 40 players, as long as the provider itself and 50 ms more."""
    result = Result("healthy40")
    think = (quick.or_(5.0, 0.0), quick.or_(10.0, 2.0))
    plan = Plan(NOT_YET, "page", 40, turns=quick.count(5, 2), think=think)
    ours, replay = await _game(bench, replace(plan, keep=True), "healthy")
    again = replace(plan, bodies=replay.bodies)
    enough = replace(again, turns=replay.calls // plan.players + 1)
    direct = await _provider(bench, enough, "healthy")
    relay = await _relay(bench, again, "healthy")
    old = await _old(bench, replace(plan, turns=0, seconds=ours.took), "healthy")
    for who, found in (("game", ours), ("provider", direct), ("relay", relay), ("old cure", old)):
        found.into(result, who)
    pairs = paired(ours.turns, replay, direct.turns)
    p99 = percentile([turn for turn, _ in pairs], 0.99)
    own = percentile([call for _, call in pairs], 0.99)
    added = [turn - call for turn, call in pairs]
    bound = own + 0.05
    result.note("game", own_p99=own, added_p50=percentile(added, 0.5))
    result.tell("turns", f"{len(ours.turns)}: {sources(ours.turns)}")
    result.hold(
        "whole reply p99", seconds(p99), f"≤ {seconds(bound)} (provider + 50 ms)", ok=p99 <= bound
    )
    times = f"{milliseconds(percentile(added, 0.5))} / {milliseconds(percentile(added, 0.99))}"
    result.tell(f"added to its own call, p50 / p99 ({len(pairs)} model turns)", times)
    result.hold("failed", str(len(failed(ours.turns))), "0", ok=not failed(ours.turns))
    for who, found in (("game", ours), ("provider", direct), ("relay", relay), ("old cure", old)):
        times = f"{seconds(found.whole(0.5))} / {seconds(found.whole(0.99))}"
        result.tell(f"{who}: whole p50 / p99", times)
    result.tell("game: first sentence p50 / p99", f"{_firsts(ours)}")
    result.tell("relay: first sentence p50 / p99", f"{_firsts(relay)}")
    for who, found in (("game", ours), ("relay", relay), ("old cure", old)):
        result.tell(f"{who}: CPU a turn", milliseconds(found.cpu_a_turn))
    result.tell("old cure: turns", sources(old.turns))
    return result


def paired(
    turns: Iterable[Turn], replay: Replay, direct: Iterable[Turn]
) -> list[tuple[float, float]]:
    """Model turns' times, each with how long the provider itself takes for that very call.

    Equal seeds give the n-th call of two providers equal times, so no luck is compared.
    """
    own = {turn.call: turn.whole for turn in direct}
    call_of = {asked: call for call, asked in replay.asked.items()}
    pairs = []
    for turn in by_model(turns):
        call = next((call for asked, call in call_of.items() if turn.message in asked), "")
        alone = own.get(call)
        if turn.whole is not None and alone is not None:
            pairs.append((turn.whole, alone))
    return pairs


async def crowd2000(bench: Bench, quick: Quick) -> Result:
    """A region at play: 2,000 players at once."""
    result = Result("crowd2000")
    plan = Plan(NOT_YET, "page", quick.count(2000, 200), turns=quick.count(3, 1))
    ours, replay = await _game(bench, plan, "healthy")
    relay = await _relay(bench, replace(plan, bodies=replay.bodies), "healthy")
    ours.into(result, "game")
    relay.into(result, "relay")
    late = [turn for turn in ours.turns if (turn.whole or 0.0) > DEADLINE]
    spoken = percentile(firsts(by_model(ours.turns)), 0.99)
    added = spoken - relay.first(0.99)
    result.tell("turns", f"{len(ours.turns)}: {sources(ours.turns)}")
    result.hold("failed", str(len(failed(ours.turns))), "0", ok=not failed(ours.turns))
    result.hold("over the deadline", str(len(late)), "0", ok=not late)
    result.hold("first sentence p99, added", milliseconds(added), "≤ 250 ms", ok=added <= 0.25)
    result.tell("game: first sentence p50 / p99", _firsts(ours))
    result.tell("relay: first sentence p50 / p99", _firsts(relay))
    result.tell("relay: failed", str(len(failed(relay.turns))))
    for who, found in (("game", ours), ("relay", relay)):
        cpu, memory = milliseconds(found.cpu_a_turn), found.memory / 1e6
        result.tell(f"{who}: CPU a turn, memory", f"{cpu}, {memory:.0f} MB")
    return result


async def cost_healthy(bench: Bench, quick: Quick) -> Result:
    """What a turn costs while the provider speaks at its own pace."""
    result = Result("cost_healthy")
    plan = Plan(NOT_YET, "page", quick.count(200, 40), turns=quick.count(3, 2), think=(0.0, 2.0))
    page, replay = await _game(bench, plan, "healthy")
    stream, _ = await _game(bench, replace(plan, way="stream"), "healthy")
    relay = await _relay(bench, replace(plan, bodies=replay.bodies), "healthy")
    few = replace(plan, players=8, turns=0, seconds=quick.or_(30.0, 10.0), think=NO_THINKING)
    old = await _old(bench, few, "healthy")
    named = (("game", page), ("game, one stream", stream), ("relay", relay), ("old cure", old))
    for who, found in named:
        found.into(result, who)
    result.tell("turns", f"{len(page.turns)}: {sources(page.turns)}")
    bound = 2 * relay.cpu_a_turn
    for who, found in named[:2]:
        cost = found.cpu_a_turn
        must = f"≤ {milliseconds(bound)} (2 × relay)"
        result.hold(f"{who}: CPU a turn", milliseconds(cost), must, ok=cost <= bound)
    for who, found in named[2:]:
        result.tell(f"{who}: CPU a turn", milliseconds(found.cpu_a_turn))
    return result


async def cost_fast(bench: Bench, quick: Quick) -> Result:
    """What a turn costs when the provider takes hardly any time: nothing hides the game's own."""
    result = Result("cost_fast")
    alone = Plan(NOT_YET, "page", 1, turns=quick.count(240, 48), think=NO_THINKING)
    page, replay = await _game(bench, alone, "fast")
    stream, _ = await _game(bench, replace(alone, way="stream"), "fast")
    relay = await _relay(bench, replace(alone, bodies=replay.bodies), "fast")
    result.tell("turns of 1 player", sources(page.turns))
    for who, found in (("game", page), ("game, one stream", stream)):
        added = percentile(wholes(by_model(found.turns)), 0.5) - relay.whole(0.5)
        result.note(who, alone_p50=found.whole(0.5), alone_added=added)
        what = f"{who}: 1 player, p50 added"
        result.hold(what, milliseconds(added), "≤ 5 ms", ok=added <= 0.005)
    result.note("relay", alone_p50=relay.whole(0.5))
    result.tell("relay: 1 player, p50", milliseconds(relay.whole(0.5)))
    await _at_full_speed(bench, quick, replay.bodies, result)
    return result


async def _at_full_speed(bench: Bench, quick: Quick, bodies: Bodies, result: Result) -> None:
    """64 players without a pause; the servers take turns, so that noise meets all alike."""
    plan = Plan(NOT_YET, "page", 64, seconds=quick.or_(10.0, 4.0), think=NO_THINKING)
    rounds: dict[str, list[Measured]] = {"game": [], "game, one stream": [], "relay": []}
    for _ in range(quick.count(3, 1)):
        rounds["game"].append((await _game(bench, plan, "fast"))[0])
        streamed = replace(plan, way="stream")
        rounds["game, one stream"].append((await _game(bench, streamed, "fast"))[0])
        rounds["relay"].append(await _relay(bench, replace(plan, bodies=bodies), "fast"))
    old = await _old(bench, plan, "fast")
    rates = {who: median(found.rate for found in each) for who, each in rounds.items()}
    for who, each in rounds.items():
        each[-1].into(result, who)
        result.note(who, rate=rates[who])
    old.into(result, "old cure")
    turns = [turn for found in rounds["game"] for turn in found.turns]
    result.tell("turns of 64 players", sources(turns))
    for who in ("game", "game, one stream"):
        part = rates[who] / rates["relay"]
        measured = f"{rates[who]:.0f}/s, {share(part)} of the relay's"
        result.hold(f"{who}: 64 players, replies", measured, "≥ 60 %", ok=part >= 0.6)
    result.tell("relay: 64 players, replies", f"{rates['relay']:.0f}/s")
    result.tell("old cure: 64 players, replies", f"{old.rate:.0f}/s")
    for who, each in rounds.items():
        cost = median(found.cpu_a_turn for found in each)
        result.tell(f"{who}: CPU a turn, 64 players", milliseconds(cost))
    result.tell("old cure: CPU a turn, 64 players", milliseconds(old.cpu_a_turn))


# ── one server at a time, each with a provider that begins anew ─────────────────────────────────


async def _game(bench: Bench, plan: Plan, profile: str) -> tuple[Measured, Replay]:
    async with bench.provider("fast") as provider, bench.game(provider) as server:
        found = await _warm(provider, server, plan, profile)
        return found, await replay_of(provider)


async def _provider(bench: Bench, plan: Plan, profile: str) -> Measured:
    async with bench.provider(profile) as provider:
        return await measure(
            provider.server, replace(plan, way="provider", url=provider.server.url)
        )


async def _relay(bench: Bench, plan: Plan, profile: str) -> Measured:
    async with bench.provider("fast") as provider, bench.relay(provider) as server:
        return await _warm(provider, server, replace(plan, way="relay"), profile)


async def _old(bench: Bench, plan: Plan, profile: str) -> Measured:
    patient = replace(plan, way="old", patience=OLD_PATIENCE)
    async with bench.provider("fast") as provider, bench.old_cure(provider) as server:
        return await _warm(provider, server, patient, profile)


async def _warm(provider: Provider, server: Running, plan: Plan, profile: str) -> Measured:
    """Measure a server that has answered before: what is made once is no cost of a turn."""
    plan = replace(plan, url=server.url)
    before = replace(plan, players=WARM_PLAYERS, turns=WARM_TURNS, begin=WARM_BEGIN, seconds=0)
    await measure(server, replace(before, think=NO_THINKING))
    await provider.switch(profile)
    return await measure(server, plan)


def _firsts(found: Measured) -> str:
    return f"{seconds(found.first(0.5))} / {seconds(found.first(0.99))}"
