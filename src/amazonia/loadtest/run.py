"""Running cases: what `amazonia bench` and `bench/load/run.py` do."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from amazonia.loadtest.chart import draw
from amazonia.loadtest.costs import cluster_cost
from amazonia.loadtest.faults import FAULTS, FURTHER_FAULTS, fault, recovery
from amazonia.loadtest.healthy import cost_fast, cost_healthy, crowd2000, healthy40
from amazonia.loadtest.idle import idle
from amazonia.loadtest.measure import Quick
from amazonia.loadtest.report import Result, table
from amazonia.loadtest.scaled import (
    cluster_copies,
    cluster_instance,
    cluster_postgres,
    cluster_redis,
)
from amazonia.loadtest.servers import Bench
from amazonia.loadtest.sharing import abandoned, leak500, memory, same1000
from amazonia.loadtest.soak import soak, soak_memory

Case = Callable[[Bench, Quick], Awaitable[Result]]

LASTING: Mapping[str, Case] = {"soak": soak, "soak_memory": soak_memory}
"""Half an hour each, or as many minutes as asked for."""
SCALED: Mapping[str, Case] = {
    "cluster_copies": cluster_copies,
    "cluster_cost": cluster_cost,
    "cluster_instance": cluster_instance,
    "cluster_postgres": cluster_postgres,
    "cluster_redis": cluster_redis,
}
"""Several instances: they need a checkout, PostgreSQL, Redis and nginx."""
CASES: Mapping[str, Case] = {
    "healthy40": healthy40,
    "crowd2000": crowd2000,
    "cost_healthy": cost_healthy,
    "cost_fast": cost_fast,
    **{profile: fault(profile) for profile in (*FAULTS, *FURTHER_FAULTS)},
    "recovery": recovery,
    "same1000": same1000,
    "abandoned": abandoned,
    "memory": memory,
    "leak500": leak500,
    "idle": idle,
    **LASTING,
    **SCALED,
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": tuple(name for name in CASES if name not in {*FURTHER_FAULTS, *LASTING, *SCALED}),
    "faults": FAULTS,
    "cluster": tuple(SCALED),
}
LONGEST = 2400.0
"""Seconds after which a case is broken off, whatever it does, beyond the minutes asked for."""


class UnknownCase(ValueError):
    """There is no case of this name; the message lists those that exist."""


def bench(
    names: Sequence[str], *, quick: bool, json: Path, svg: Path | None, minutes: float = 0.0
) -> int:
    """Run cases, print their table, write their JSON and draw the chart.

    Results of other cases that the JSON file holds already are kept.

    Args:
        names: cases or groups, in order.
        quick: a glimpse of each, to see that it works; its figures prove nothing.
        json: the file that takes the results.
        svg: the file that takes the chart, if it is wanted.
        minutes: how long the cases last that are about time; 0 for as long as they should.

    Returns:
        0 if every bound holds, else 1.

    Raises:
        UnknownCase: there is no case of a name.
        DidNotStart, CrowdFailed: a server or the players could not run.
        NoReferences: a case compares with servers that are only in the repository.
    """
    results = asyncio.run(
        _run(
            choose(names),
            Quick(quick, minutes),
            json.parent,
            lambda result: _keep(json, result, quick=quick),
        )
    )
    sys.stdout.write(table(results) + "\n")
    if svg is not None:
        figures = {name: case["figures"] for name, case in _kept(json).items()}
        svg.write_text(draw(figures), encoding="utf-8")
    return 0 if all(result.ok for result in results) else 1


def choose(names: Sequence[str]) -> list[str]:
    """The cases that names and groups mean, each once.

    Raises:
        UnknownCase: one of them means none.
    """
    chosen: dict[str, None] = {}
    for name in names:
        if name not in CASES and name not in GROUPS:
            known = ", ".join((*GROUPS, *CASES))
            raise UnknownCase(f"there is no case '{name}'; there are: {known}")
        chosen |= dict.fromkeys(GROUPS.get(name, (name,)))
    return list(chosen)


async def _run(
    names: Sequence[str], quick: Quick, kept: Path, keep: Callable[[Result], None]
) -> list[Result]:
    """Run the cases one by one. SIGTERM ends them as Ctrl-C does: servers and players with them."""
    running = asyncio.current_task()
    if running is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    results = []
    with tempfile.TemporaryDirectory(prefix="amazonia-bench-") as folder:
        place = bench_in(Path(folder), kept)
        for name in names:
            begun = time.monotonic()
            async with asyncio.timeout(LONGEST + quick.lasting * 60.0):
                results.append(await CASES[name](place, quick))
            keep(results[-1])
            took = time.monotonic() - begun
            sys.stderr.write(f"{name}: {'ok' if results[-1].ok else 'NO'}, {took:.0f} s\n")
    return results


def bench_in(folder: Path, results: Path) -> Bench:
    """Where things are: in a checkout, or in an installation."""
    package = Path(__file__).resolve().parents[1]
    root = package.parents[1]
    references = root / "bench" / "load"
    is_checkout = (references / "relay.py").exists()
    results.mkdir(parents=True, exist_ok=True)
    learned = Path(os.environ.get("AMAZONIA_DATA") or "data") / "learned"
    if learned.is_dir():
        shutil.copytree(learned, folder / "learned")
    return Bench(
        folder=folder,
        learned=folder / "learned",
        case=(root if is_checkout else package) / "cases" / "lama_sem_ouro",
        references=references if is_checkout else None,
        results=results,
    )


def _keep(json: Path, result: Result, *, quick: bool) -> None:
    """Put a case's result among the others at once: a later case may fail."""
    found = {**result.as_json(), "quick": quick, "machine": _machine()}
    everything = _kept(json) | {result.case: found}
    json.parent.mkdir(parents=True, exist_ok=True)
    json.write_bytes(orjson.dumps({"cases": everything}, option=orjson.OPT_INDENT_2))


def _kept(json: Path) -> dict[str, Any]:
    try:
        return dict(orjson.loads(json.read_bytes())["cases"])
    except (OSError, ValueError, KeyError):
        return {}


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
