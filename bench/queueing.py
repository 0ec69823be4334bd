"""A queueing model of one worker, beside what is measured, in one run.

    .venv/bin/python bench/queueing.py                      # the authored voice
    .venv/bin/python bench/queueing.py --provider healthy   # with a provider that takes its time

The model is the smallest that fits: a closed network. N players think (Z seconds), a provider
speaks (D seconds: as many at once as there are), and one event loop works (S seconds of processor
time a turn, everybody taking turns at it). Exact mean value analysis gives turns a second, seconds
to the whole reply and the worker's load for every N. S and D are taken from the lightest load of
the run; all other rows are predictions.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import orjson

from amazonia.loadtest.figures import wholes
from amazonia.loadtest.measure import Measured, measure
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import Running
from amazonia.loadtest.questions import TURNS_OF_A_TEAM
from amazonia.loadtest.run import bench_in

THINK = (0.5, 1.5)
LOADS = (5, 20, 60, 120, 200)
SPEED = 5.0


@dataclass(frozen=True, slots=True)
class Network:
    """A worker and what it waits for, in seconds a turn."""

    think: float
    provider: float
    work: float


@dataclass(frozen=True, slots=True)
class Point:
    """What N players get: turns a second, seconds to the whole reply, the worker's load."""

    players: int
    rate: float
    whole: float
    load: float


def predict(net: Network, players: int) -> Point:
    """Exact mean value analysis of a closed network with one queue and two delays."""
    waiting = 0.0
    rate = at_work = 0.0
    for count in range(1, players + 1):
        at_work = net.work * (1.0 + waiting)
        rate = count / (net.think + net.provider + at_work)
        waiting = rate * at_work
    return Point(players, rate, net.provider + at_work, rate * net.work)


def measured(players: int, found: Measured) -> Point:
    """The same of a crowd that played."""
    return Point(players, found.rate, mean(wholes(found.turns)), found.cpu / found.took)


def calibrated(light: Measured) -> Network:
    """S and D of the lightest load: work is processor time, the rest of a reply is the provider."""
    work = light.cpu_a_turn
    return Network(sum(THINK) / 2, max(0.0, mean(wholes(light.turns)) - work), work)


@asynccontextmanager
async def _game(profile: str) -> AsyncIterator[Running]:
    """One worker, with a provider or without."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="amazonia-queueing-"))
        bench = bench_in(Path(folder), Path("test-results"))
        provider = None
        if profile:
            provider = await stack.enter_async_context(bench.provider("fast"))
            await provider.switch(profile, SPEED)
        yield await stack.enter_async_context(
            bench.game(provider, workers=1, GUNICORN_MAX_REQUESTS="0")
        )


async def run(profile: str, loads: Sequence[int], seconds: float) -> list[dict[str, float]]:
    """Measure every load and print it beside its prediction."""
    rows, net = [], None
    print("players   turns/s        whole reply, mean s   worker's load       S, ms a turn")
    print("          model  meas.   model  meas.          model  meas.        measured")
    async with _game(profile) as game:
        for number, players in enumerate(loads):
            begin = number * 50 * TURNS_OF_A_TEAM
            plan = Plan(game.url, "page", players, seconds=seconds, begin=begin, think=THINK)
            found = await measure(game, plan)
            net = net or calibrated(found)
            model, real = predict(net, players), measured(players, found)
            print(
                f"{players:7d}   {model.rate:5.1f}  {real.rate:5.1f}   "
                f"{model.whole:5.2f}  {real.whole:5.2f}          "
                f"{model.load:5.2f}  {real.load:5.2f}        {found.cpu_a_turn * 1e3:5.1f}"
            )
            rows.append(
                {
                    "players": players,
                    "rate_model": model.rate,
                    "rate": real.rate,
                    "whole_model": model.whole,
                    "whole": real.whole,
                    "load_model": model.load,
                    "load": real.load,
                    "work": found.cpu_a_turn,
                }
            )
    if net is not None:
        most = 1.0 / net.work
        knee = (net.think + net.provider + net.work) / net.work
        print(f"\nS {net.work * 1e3:.1f} ms, D {net.provider:.2f} s, Z {net.think:.2f} s: ", end="")
        print(f"one worker carries {most:.0f} turns/s; the queue begins at {knee:.0f} such players")
    return rows


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--provider", default="", help="a profile; without one nobody but us speaks"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--loads", type=int, nargs="+", default=list(LOADS))
    parser.add_argument("--json", type=Path, default=Path("test-results/queueing.json"))
    given = parser.parse_args()
    rows = asyncio.run(run(given.provider, given.loads, given.seconds))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_bytes(orjson.dumps({"provider": given.provider, "rows": rows}))


if __name__ == "__main__":
    main()
