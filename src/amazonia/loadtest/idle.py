"""What a game takes before anybody plays: time until it answers, memory while it waits."""

from __future__ import annotations

import asyncio
from statistics import median

import aiohttp

from amazonia.loadtest.measure import Quick
from amazonia.loadtest.report import Result, megabytes, seconds
from amazonia.loadtest.servers import WORKERS, Bench, Provider

STARTS = 5
REST = 5.0
"""Seconds without a request before memory is looked at."""
MOST_SECONDS, MOST_MEMORY = 3.0, 130e6
"""What a start may take, in seconds, and all processes together, in bytes."""


async def idle(bench: Bench, quick: Quick) -> Result:
    """Starts, with authored voices alone and with a provider: how long, how large."""
    result = Result("idle")
    async with bench.game(None):
        pass  # what is not learned yet is learned now
    async with bench.provider("fast") as provider:
        await _starts(result, "authored", bench, None, quick.count(STARTS, 1))
        await _starts(result, "model", bench, provider, quick.count(STARTS, 1))
    return result


async def _starts(
    result: Result, voice: str, bench: Bench, provider: Provider | None, count: int
) -> None:
    starts, sizes = [], []
    for _ in range(count):
        async with bench.game(provider) as game, aiohttp.ClientSession() as http:
            async with http.get(game.url) as page:
                page.raise_for_status()
            await asyncio.sleep(REST)
            starts.append(game.start)
            sizes.append(game.memory())
    start, size = median(starts), median(sizes)
    result.note(voice, start=start, slowest=max(starts), memory=size)
    result.hold(
        f"{voice}: command to first answer, median of {count}",
        f"{seconds(start)} ({seconds(min(starts))} to {seconds(max(starts))})",
        f"≤ {MOST_SECONDS:g} s",
        ok=start <= MOST_SECONDS,
    )
    result.hold(
        f"{voice}: memory (PSS) of {WORKERS} workers and the first process after one page",
        f"{megabytes(size)} ({megabytes(min(sizes))} to {megabytes(max(sizes))})",
        f"≤ {megabytes(MOST_MEMORY)}",
        ok=size <= MOST_MEMORY,
    )
