"""Players in a closed loop: ask, read the answer as it comes, think, ask again.

One process of them; `crowd` starts as many as it takes:

    python -m amazonia.loadtest.players   # a plan as a line of JSON in, "ready" out, "go" in,
                                          # the turns as JSON out
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import uvloop

from amazonia.loadtest.figures import Turn
from amazonia.loadtest.plans import Plan, plan_from
from amazonia.loadtest.questions import TURNS_OF_A_TEAM, Question, question
from amazonia.loadtest.seats import Heard, Seat
from amazonia.loadtest.ways import WAYS

SESSION_PATIENCE = 120.0


async def play(plan: Plan, start: Callable[[], Awaitable[None]]) -> list[Turn]:
    """Let the players of a plan play; the turns of all, in the order of their ends.

    Args:
        start: called when everybody has a team; they begin when it returns.
    """
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=2**20,
    ) as http:
        seats = [
            Seat(number, http, plan, random.Random(number), turn=plan.begin)
            for number in range(plan.first, plan.first + (plan.count or plan.players))
        ]
        for seat in seats:
            await new_team(seat)
        await start()
        turns: list[Turn] = []
        async with asyncio.TaskGroup() as group:
            for seat in seats:
                group.create_task(_play_seat(seat, turns))
        return turns


async def _play_seat(seat: Seat, turns: list[Turn]) -> None:
    plan = seat.plan
    until = time.monotonic() + plan.seconds if plan.seconds else float("inf")
    if plan.same is None:
        await asyncio.sleep(seat.chance.uniform(0.0, plan.think[1]))
    last = plan.begin + plan.turns if plan.turns else sys.maxsize
    while time.monotonic() < until and seat.turn < last:
        asked = _question(seat)
        if asked is None:
            return
        turns.append(await _take_turn(seat, asked))
        seat.turn += 1
        if plan.leave or plan.say or seat.turn % TURNS_OF_A_TEAM == 0:
            await new_team(seat)
        await asyncio.sleep(seat.chance.uniform(*plan.think))


def _question(seat: Seat) -> Question | None:
    plan = seat.plan
    if plan.same is not None:
        return plan.same
    if plan.say:
        place = seat.turn * plan.players + seat.number
        return plan.say[place] if place < len(plan.say) else None
    return question(seat.number, seat.turn, plan.players)


async def _take_turn(seat: Seat, asked: Question) -> Turn:
    plan, heard = seat.plan, Heard()
    leaves = plan.leave is not None
    patience = seat.chance.uniform(*plan.leave) if plan.leave else plan.patience
    begun, at = time.perf_counter(), time.time()
    left_at: float | None = None
    try:
        async with asyncio.timeout(patience):
            await WAYS[plan.way](seat, asked, heard)
    except TimeoutError:
        left_at = time.time() if heard.listening else None
        if not leaves:
            heard.fault = f"not answered within {plan.patience:g} s"
    except (aiohttp.ClientError, ConnectionError) as error:
        heard.fault = f"{type(error).__name__}"
    whole = time.perf_counter() - begun
    if not (heard.fault or heard.done or leaves):
        heard.fault = "broken off"
    return Turn(
        at=at,
        first=heard.first_at - begun if heard.first_at is not None else None,
        whole=whole if heard.done else None,
        source=heard.source,
        kind=heard.kind,
        fault=heard.fault,
        left_at=left_at,
        message=asked.message if plan.keep else "",
        reply=heard.reply if plan.keep else "",
        call=heard.call,
        turn=heard.turn,
        character=asked.character if plan.keep else "",
        team=seat.cookie if plan.keep else "",
        refused=heard.refused,
        resumed=heard.resumed,
        gap=heard.longest_gap,
    )


async def new_team(seat: Seat) -> None:
    """Begin a team, waiting as long as the game asks to; nothing where there are no teams.

    Raises:
        RuntimeError: the game gives no team.
    """
    if seat.plan.way not in {"page", "stream", "json", "resume"}:
        return
    until = time.monotonic() + SESSION_PATIENCE
    while time.monotonic() < until:
        try:
            async with seat.http.post(f"{seat.plan.url}/api/session", json={}) as answer:
                if answer.status == 201:
                    cookie = answer.cookies["amazonia"]
                    seat.cookie = f"amazonia={cookie.value}"
                    return
                wait = float(answer.headers.get("Retry-After", "1"))
        except aiohttp.ClientError:
            wait = 0.2
        await asyncio.sleep(wait * seat.chance.uniform(1.0, 1.5))
    raise RuntimeError("the game gives no team")


def main() -> None:
    """Play the plan that comes in; see the module."""
    plan = plan_from(sys.stdin.buffer.readline())

    async def start() -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.readline)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        turns = runner.run(play(plan, start))
    sys.stdout.buffer.write(orjson.dumps(turns))


if __name__ == "__main__":
    main()
