"""Cases that last: workers die and are replaced while a school plays; memory must not rise."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from amazonia.loadtest.figures import failed, percentile, wholes
from amazonia.loadtest.ledger import Audit, audit
from amazonia.loadtest.measure import DEADLINE, Measured, Quick, measure, sources
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import Running, children
from amazonia.loadtest.questions import TURNS_OF_A_TEAM
from amazonia.loadtest.report import Result, megabytes, seconds
from amazonia.loadtest.servers import WORKERS, Bench, Provider
from amazonia.loadtest.trend import Point, slope

WHERE = "http://127.0.0.1"
PLAYERS = 200
THINK = (5.0, 11.0)
PATIENCE = 60.0
MINUTES, GLIMPSE = 30.0, 2.5
KILL_EVERY, HUP_EVERY = 60.0, 300.0
RESCUE = 7.0
"""Seconds beyond its deadline that a turn may take when the process that spoke it was killed."""
SAMPLE_EVERY = 5.0
FILLERS, FILL_TURNS, FILL_MINUTES = 64, 20_000, 10.0
"""Players who fill the caches, and how much of that is enough."""
TOLD = 10
"""How many faults of a kind are shown."""


async def soak(bench: Bench, quick: Quick) -> Result:
    """200 players for half an hour; a worker killed every minute, all replaced every five."""
    result = Result("soak")
    last = quick.minutes(MINUTES, GLIMPSE) * 60.0
    plan = Plan(WHERE, "resume", PLAYERS, seconds=last, think=THINK, patience=PATIENCE, keep=True)
    log = bench.results / "soak.log"
    async with (
        bench.provider("healthy") as provider,
        bench.game(provider, LOG_FORMAT="pretty") as game,
    ):
        fates = Fates(hup_every=min(HUP_EVERY, last / 2.5), kill_every=min(KILL_EVERY, last / 4))
        disturbing = asyncio.create_task(_disturb(game, fates))
        changing = asyncio.create_task(_change(provider, last / 2))
        try:
            found = await measure(game, replace(plan, url=game.url))
        finally:
            for task in (disturbing, changing):
                task.cancel()
            await asyncio.gather(disturbing, changing, return_exceptions=True)
        audited = await audit(game.url, found.turns)
        shutil.copy(game.log, log)
    _judge(result, found, audited, fates)
    _read_log(result, log)
    return result


@dataclass(slots=True)
class Fates:
    """What is done to workers, and was.

    Attributes:
        replaced: seconds from each kill until as many workers were there as before.
    """

    hup_every: float
    kill_every: float
    kills: int = 0
    hups: int = 0
    replaced: list[float] = field(default_factory=list)


async def _disturb(game: Running, fates: Fates) -> None:
    """Kill a worker, and have all replaced, each at its times, for ever."""
    chance, begun = random.Random(1), time.monotonic()
    next_kill, next_hup = fates.kill_every, fates.hup_every
    while True:
        passed = time.monotonic() - begun
        if passed >= next_hup:
            os.kill(game.pid, signal.SIGHUP)
            fates.hups += 1
            next_hup += fates.hup_every
        if passed >= next_kill:
            await _kill_one(game, fates, chance)
            next_kill += fates.kill_every
        await asyncio.sleep(0.2)


async def _kill_one(game: Running, fates: Fates, chance: random.Random) -> None:
    """Kill one worker at once, by its number, and see when there is another."""
    victim = chance.choice(children(game.pid))
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
        fates.kills += 1
    begun = time.monotonic()
    while victim in (now := children(game.pid)) or len(now) < WORKERS:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    fates.replaced.append(time.monotonic() - begun)


async def _change(provider: Provider, after: float) -> None:
    """Half of the time the provider is well, half of it does everything that it can do wrong."""
    await asyncio.sleep(after)
    await provider.switch("mixed")


def _judge(result: Result, found: Measured, audited: Audit, fates: Fates) -> None:
    found.into(result, "game")
    turns = found.turns
    accepted = len({turn.turn for turn in turns if turn.turn})
    gaps = [turn.gap for turn in turns if turn.resumed]
    slowest = percentile(wholes(turns), 1.0)
    late = sum(whole > DEADLINE + 0.1 for whole in wholes(turns))
    result.note(
        "soak",
        accepted=accepted,
        lost=len(audited.lost),
        doubled=len(audited.doubled),
        resumed=len(gaps),
        kills=fates.kills,
        hups=fates.hups,
        gap_p99=percentile(gaps, 0.99),
        late=late,
    )
    result.tell("workers killed; HUPs", f"{fates.kills}; {fates.hups}")
    result.tell(
        "a killed worker's successor is there after", seconds(max(fates.replaced, default=0))
    )
    result.tell("turns", f"{len(turns)}: {sources(turns)}")
    result.tell("CPU a turn", f"{found.cpu_a_turn * 1e3:.1f} ms")
    unanswered = failed(turns)
    result.hold("not answered", str(len(unanswered)), "0", ok=not unanswered)
    _hold_none(result, f"lost, of {accepted} accepted", audited.lost)
    _hold_none(result, f"doubled, of {audited.kept} kept", audited.doubled)
    result.tell(
        "lines broken and resumed", f"{len(gaps)}, longest gap {seconds(max(gaps, default=0))}"
    )
    result.tell("slowest; beyond the deadline", f"{seconds(slowest)}; {late}")
    ok = slowest <= DEADLINE + RESCUE
    result.hold(
        "slowest, its process killed", seconds(slowest), f"≤ {DEADLINE + RESCUE:g} s", ok=ok
    )


def _hold_none(result: Result, what: str, faults: tuple[str, ...]) -> None:
    result.hold(what, str(len(faults)), "0", ok=not faults)
    for fault in faults[:TOLD]:
        result.tell("", fault)


def _read_log(result: Result, log: Path) -> None:
    text = log.read_text(encoding="utf-8", errors="replace")
    timeouts, traces = text.count("WORKER TIMEOUT"), text.count("Traceback (most recent")
    result.hold("WORKER TIMEOUT in the log", str(timeouts), "0", ok=not timeouts)
    result.hold("tracebacks in the log", str(traces), "0", ok=not traces)
    result.tell("log", f"{text.count(chr(10))} lines, {log}")


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


async def soak_memory(bench: Bench, quick: Quick) -> Result:
    """200 players with recycling off and caches full: the memory of all processes stays level."""
    result = Result("soak_memory")
    last = quick.minutes(MINUTES, GLIMPSE) * 60.0
    plan = Plan(WHERE, "page", PLAYERS, seconds=last, think=THINK)
    # Their questions are others than those of the players, whose numbers begin at nought.
    filling = Plan(
        WHERE,
        "page",
        FILLERS,
        seconds=min(last, FILL_MINUTES * 60.0),
        turns=FILL_TURNS // FILLERS,
        think=(0.0, 0.0),
        begin=100 * TURNS_OF_A_TEAM,
    )
    async with (
        bench.provider("fast") as provider,
        bench.game(provider, GUNICORN_MAX_REQUESTS="0") as game,
    ):
        while len(workers := children(game.pid)) < WORKERS:  # noqa: ASYNC110 - the first answers
            await asyncio.sleep(0.1)
        await asyncio.sleep(SAMPLE_EVERY)
        idle = game.memory()
        filled = await measure(game, replace(filling, url=game.url))
        await provider.switch("healthy")
        samples: list[Point] = []
        sampling = asyncio.create_task(_sample(game, samples))
        try:
            found = await measure(game, replace(plan, url=game.url))
        finally:
            sampling.cancel()
        same = children(game.pid) == workers
    found.into(result, "game")
    result.tell("turns to fill the caches; then", f"{len(filled.turns)}; {len(found.turns)}")
    result.hold("not answered", str(len(failed(found.turns))), "0", ok=not failed(found.turns))
    result.hold("the same workers all the time", "yes" if same else "no", "yes", ok=same)
    _judge_memory(result, idle, samples)
    return result


async def _sample(game: Running, samples: list[Point]) -> None:
    """Note the memory of the whole tree every few seconds, for ever."""
    begun = time.monotonic()
    while True:
        memory = await asyncio.to_thread(game.memory)
        samples.append((time.monotonic() - begun, float(memory)))
        await asyncio.sleep(SAMPLE_EVERY)


def _judge_memory(result: Result, idle: int, samples: list[Point]) -> None:
    half = samples[len(samples) // 2 :]
    found = slope(half)
    hourly = [value * 3600.0 for value in (found.value, found.low, found.high)]
    result.note(
        "memory", idle=idle, last=samples[-1][1], slope=hourly[0], low=hourly[1], high=hourly[2]
    )
    result.tell(
        "idle; full; at the end", "; ".join(map(megabytes, (idle, half[0][1], half[-1][1])))
    )
    result.hold(
        f"slope of the last {half[-1][0] - half[0][0]:.0f} s, 95 % of {len(half)} samples",
        "{:+.1f} MB an hour ({:+.1f} to {:+.1f})".format(*(each / 1e6 for each in hourly)),
        "0 is within",
        ok=found.is_zero,
    )
