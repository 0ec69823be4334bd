"""The turns that dead processes left behind: somebody finishes them, also if nobody asks."""

from __future__ import annotations

import asyncio

import structlog

from amazonia.errors import AmazoniaError, StoreDown
from amazonia.play.turns import Interviews
from amazonia.ports import Turn

log = structlog.get_logger()

FOLLOWERS_FIRST = 0.2
"""Seconds that others wait for a process where somebody hears the turn: it knows how far it was."""


async def finish_orphans(interviews: Interviews, died: asyncio.Event) -> None:
    """Finish them now and whenever another process died, until cancelled."""
    while True:
        try:
            left_behind = await interviews.turns.speaking()
        except StoreDown:
            log.exception("turn.rescue_failed")
            left_behind = []
        await _finish(interviews, [t for t in left_behind if interviews.follows(t.id)])
        if others := [turn for turn in left_behind if not interviews.follows(turn.id)]:
            await asyncio.sleep(FOLLOWERS_FIRST)
            await _finish(interviews, others)
        await died.wait()
        died.clear()


async def _finish(interviews: Interviews, turns: list[Turn]) -> None:
    for turn in turns:
        try:
            team = await interviews.game.teams.get(turn.team_id)
            if team is not None:
                await interviews.rescue(team, turn)
        except AmazoniaError:
            log.exception("turn.rescue_failed", turn=turn.id)
