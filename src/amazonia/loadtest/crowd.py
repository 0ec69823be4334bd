"""Players in as many processes as it takes."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson

from amazonia.loadtest.figures import Turn
from amazonia.loadtest.plans import Plan, plan_json
from amazonia.loadtest.processes import bare_environment, end_group

PLAYERS_OF_A_PROCESS = 1000
"""What one process reads without being late itself, thinking times of seconds given."""


class CrowdFailed(RuntimeError):
    """Players could not play: a fault of the load test or a game that gives no teams."""


class Crowd:
    """The players of a plan, once they stand ready.

    Attributes:
        plan: what they do, all processes together.
    """

    def __init__(self, plan: Plan, processes: list[Process]) -> None:
        """Use `crowd`."""
        self.plan = plan
        self._processes = processes

    async def play(self) -> list[Turn]:
        """Begin, at once; the turns of all, when the last is over.

        Raises:
            CrowdFailed: a process of players broke.
        """
        found = await asyncio.gather(*map(_finish, self._processes))
        return [Turn(**turn) for turns in found for turn in turns]

    def end(self) -> None:
        """End the processes that still run."""
        for process in self._processes:
            end_group(process.pid, process.returncode is None)


async def crowd(plan: Plan) -> Crowd:
    """Start the players of a plan and wait until every one has a team.

    Raises:
        CrowdFailed: a process of players broke.
    """
    parts = -(-plan.players // PLAYERS_OF_A_PROCESS)
    borders = [plan.players * part // parts for part in range(parts + 1)]
    made = Crowd(plan, [])
    try:
        for begin, end in pairwise(borders):
            part = replace(plan, first=begin, count=end - begin)
            made._processes.append(await _begin(part))  # noqa: SLF001 - this is its maker
        for process in made._processes:  # noqa: SLF001
            await _ready(process)
    except BaseException:
        made.end()
        raise
    return made


async def play(plan: Plan) -> list[Turn]:
    """Start the players of a plan and let them play.

    Raises:
        CrowdFailed: a process of players broke.
    """
    players = await crowd(plan)
    try:
        return await players.play()
    finally:
        players.end()


async def _begin(plan: Plan) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "amazonia.loadtest.players",
        stdin=PIPE,
        stdout=PIPE,
        env=bare_environment(),
        start_new_session=True,
    )
    if process.stdin is not None:
        process.stdin.write(plan_json(plan))
        await process.stdin.drain()
    return process


async def _ready(process: Process) -> None:
    if process.stdout is None or await process.stdout.readline() != b"ready\n":
        raise CrowdFailed("the players did not come to their seats")


async def _finish(process: Process) -> list[dict[str, Any]]:
    if process.stdin is None or process.stdout is None:
        raise CrowdFailed("the players cannot be spoken to")
    process.stdin.write(b"go\n")
    await process.stdin.drain()
    said = await process.stdout.read()
    if await process.wait() != 0:
        raise CrowdFailed(f"players broke with exit code {process.returncode}")
    turns: list[dict[str, Any]] = orjson.loads(said)
    return turns
