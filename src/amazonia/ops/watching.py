"""Looking at what changes by itself: the event loop, memory, providers, turns under way."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import structlog

from amazonia.ops.catalogue import Change
from amazonia.ops.metrics import look, open_metrics
from amazonia.ports import Json

log = structlog.get_logger()

Readings = Callable[[], Iterable[Change]]
"""What is to be looked at, now: gauges' values and counters' totals. Quick, and never waits."""

EVERY: Final = 0.25
"""Seconds between two looks at how late the event loop is."""
LOOKS: Final = 20
"""After this many of them everything else is looked at: 5 seconds."""
STATES = ("closed", "half_open", "open", "parked", "off")
SMAPS = Path("/proc/self/smaps_rollup")


class Voice(Protocol):
    """Whose providers are looked at."""

    def view(self) -> list[Json]:
        """How they are."""
        ...


class DatabaseTimes(Protocol):
    """What a database knows of its own work, since the process began.

    Attributes:
        jobs: reads and writes that were done.
        waited: seconds that they took together, in the queue and at work.
    """

    jobs: int
    waited: float

    def slowest(self) -> float:
        """Seconds of the slowest job since this was asked last."""
        ...


class SharedTimes(Protocol):
    """What the way to Redis knows of its own work, since the process began.

    Attributes:
        commands: how many were asked, in how many `trips`, of which `failures` failed.
        waited: seconds that the trips took together.
    """

    commands: int
    trips: int
    failures: int
    waited: float

    @property
    def is_well(self) -> bool:
        """Whether Redis is asked at present."""
        ...


@asynccontextmanager
async def watching(readings: Readings, monotonic: Callable[[], float]) -> AsyncIterator[None]:
    """Take readings as long as the block lasts, in this process's event loop."""
    open_metrics()
    task = asyncio.create_task(_watch(readings, monotonic), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def readings_of(
    voice: Voice,
    turns_in_flight: Callable[[], int],
    database: DatabaseTimes | None = None,
    shared: SharedTimes | None = None,
) -> Readings:
    """The readings of a process that serves the game."""

    def read() -> Iterator[Change]:
        yield Change("amazonia_turns_in_flight", (), turns_in_flight())
        for provider in voice.view():
            yield from _provider(provider)
        if database is not None:
            yield Change("amazonia_database_jobs_total", (), database.jobs)
            yield Change("amazonia_database_wait_seconds_total", (), database.waited)
            yield Change("amazonia_database_slowest_seconds", (), database.slowest())
        if shared is not None:
            yield Change("amazonia_shared_lost", (), float(not shared.is_well))
            yield Change("amazonia_shared_commands_total", (), shared.commands)
            yield Change("amazonia_shared_trips_total", (), shared.trips)
            yield Change("amazonia_shared_failures_total", (), shared.failures)
            yield Change("amazonia_shared_wait_seconds_total", (), shared.waited)

    return read


async def _watch(readings: Readings, monotonic: Callable[[], float]) -> None:
    looks = 0
    while True:
        if looks % LOOKS == 0:
            try:
                look(readings())
            except Exception:
                log.exception("metrics.reading_failed")  # and go on watching
            look(_process(await asyncio.to_thread(memory_bytes)))
        looks += 1
        before = monotonic()
        await asyncio.sleep(EVERY)
        look([Change("amazonia_loop_lag_seconds", (), max(0.0, monotonic() - before - EVERY))])


def _provider(view: Json) -> Iterator[Change]:
    name = str(view["name"])
    for state in STATES:
        yield Change("amazonia_provider_state", (name, state), float(view["state"] == state))
    yield Change("amazonia_provider_in_flight", (name,), view["in_flight"])
    yield Change("amazonia_provider_limit", (name,), view["limit"])


def _process(memory: int | None) -> Iterator[Change]:
    yield Change("amazonia_processes")
    if memory is not None:
        yield Change("amazonia_process_memory_bytes", (), memory)


def memory_bytes() -> int | None:
    """This process's memory, its share of what processes have in common included (PSS)."""
    with contextlib.suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB", SMAPS.read_text(encoding="ascii"), re.MULTILINE)
        return int(found[1]) * 1024 if found else None
    return None
