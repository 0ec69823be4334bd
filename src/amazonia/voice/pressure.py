"""This process's own limit: when its event loop is late, it takes on fewer calls.

A turn that a model speaks costs many times what an authored one costs. Where all processors are
busy, every further stream makes every turn later, until none is in time; so the limits on calls
fall, and turns beyond them are answered by the authored lines, which is quick.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from amazonia.voice.limits import Concurrency

log = structlog.get_logger()

EVERY = 0.1
"""Seconds between two looks at how late the loop is."""
LATE = 0.1
"""Seconds of lateness, as it has been lately, from which on the process is overloaded."""
RECENT = 0.3
"""The weight of the newest look in that."""


@asynccontextmanager
async def relieved(
    slots: Sequence[Concurrency], monotonic: Callable[[], float]
) -> AsyncIterator[None]:
    """Lower the limits whenever the loop is late, as long as the block lasts."""
    task = asyncio.create_task(_watch(slots, monotonic))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watch(slots: Sequence[Concurrency], monotonic: Callable[[], float]) -> None:
    late, was_late = 0.0, False
    while True:
        began = monotonic()
        await asyncio.sleep(EVERY)
        late += RECENT * (max(0.0, monotonic() - began - EVERY) - late)
        is_late = late > LATE
        if is_late:
            for each in slots:
                each.late()
        if is_late and not was_late:
            log.warning("process.overloaded", late_s=round(late, 3))
        was_late = is_late
