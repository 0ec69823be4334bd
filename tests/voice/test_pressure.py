"""A process whose event loop is late takes on fewer calls."""

import asyncio
import time
from contextlib import AsyncExitStack

from amazonia.voice.limits import Concurrency
from amazonia.voice.pressure import relieved


async def test_a_late_loop_lowers_the_limit() -> None:
    """To less than what is in flight, however high the limit was."""
    slots = Concurrency(time.monotonic, start=256, least=8, most=512)
    async with AsyncExitStack() as stack, relieved([slots], time.monotonic):
        for _ in range(40):
            await stack.enter_async_context(slots.slot(0))
        for _ in range(6):
            await asyncio.sleep(0.05)
            time.sleep(0.4)  # noqa: ASYNC251 - somebody blocks the loop
        assert 8 <= slots.limit <= 28


async def test_a_quick_loop_does_not() -> None:
    """Nothing is taken from a process that keeps up."""
    ticks = iter(i * 0.1 for i in range(100))
    slots = Concurrency(time.monotonic, start=256, least=8, most=512)
    async with relieved([slots], lambda: next(ticks)):
        await asyncio.sleep(0.35)
    assert slots.limit == 256
