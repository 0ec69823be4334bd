"""Players before the cluster, and what must hold of all that they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from amazonia.loadtest.cluster import Cluster
from amazonia.loadtest.figures import Turn
from amazonia.loadtest.ledger import audit
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.players import play

DEADLINE = 10.0
PLAYERS = 20
_visits = count()
"""Each crowd asks what no other has asked: replies are kept, and shared."""


async def while_they_play(
    cluster: Cluster,
    disturb: Callable[[], Awaitable[object]],
    *,
    seconds: float = 8.0,
    players: int = PLAYERS,
    begin: float = 2.0,
) -> list[Turn]:
    """Let a crowd play by nginx and something happen meanwhile; nothing may be lost or doubled.

    Args:
        begin: seconds of play before it happens.
    """
    plan = Plan(
        cluster.url,
        "resume",
        players,
        seconds=seconds,
        begin=next(_visits) * 24 * 40,
        think=(0.1, 0.6),
        patience=30.0,
        keep=True,
    )

    async def later() -> None:
        await asyncio.sleep(begin)
        await disturb()

    async def start() -> None:
        """They begin at once."""

    playing = asyncio.create_task(play(plan, start))
    try:
        await later()
    finally:
        turns = await playing
    await nothing_is_lost(cluster, turns)
    return turns


async def nothing_is_lost(cluster: Cluster, turns: Sequence[Turn]) -> None:
    """Every turn was answered, and stands once, as it was told."""
    found = await audit(cluster.url, turns)
    assert found.lost == ()
    assert found.doubled == ()
    assert {turn.fault for turn in turns} == {""}
    assert len({turn.turn for turn in turns}) == len(turns) >= PLAYERS


def interrupted(turns: Sequence[Turn]) -> list[float]:
    """How long the lines of those were down whose line broke."""
    return [turn.gap for turn in turns if turn.resumed]
