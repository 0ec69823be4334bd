"""Players in a closed loop: ask, read the answer as it comes, think, ask again.

One process of them; `crowd` starts as many as it takes:

    python -m amazonia.loadtest.players   # a plan as a line of JSON in, "ready" out, "go" in,
                                          # the turns as JSON out
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import orjson
import uvloop

from amazonia.loadtest.figures import Turn
from amazonia.loadtest.questions import TURNS_OF_A_TEAM, Question, question

Way = Literal["page", "stream", "json", "relay", "provider", "old"]
"""How a player reads: the game as its page does (202, then events), as one stream or as JSON; the
relay's stream; the provider itself; the old cure's JSON."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SENTENCE = re.compile(r"""\w[.!?…]["”»)]*(?=\s|$)""")
SESSION_PATIENCE = 120.0


class NotHere(ValueError):
    """Players may load servers on this machine only."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crowd does.

    Attributes:
        seconds: no turn is begun after as many; 0 is no limit.
        turns: most turns of each player; 0 is no limit. One of the two limits is needed.
        begin: the number of a player's first turn; what comes before was asked by another crowd.
        think: shortest and longest pause between turns; the first is somewhere in it, too.
        patience: seconds after which a player gives a turn up.
        first, count, players: this process plays players `first` to `first + count` of `players`.
        same: everybody asks this one question, at once.
        say: questions to go through instead of the pool.
        bodies: recorded requests to send to the relay or the provider instead of the pool.
        leave: seconds after which players go away without waiting, between these two.
        keep: keep messages and replies.
    """

    url: str
    way: Way
    players: int
    seconds: float = 0.0
    turns: int = 0
    begin: int = 0
    think: tuple[float, float] = (5.0, 10.0)
    patience: float = 20.0
    first: int = 0
    count: int = 0
    same: Question | None = None
    say: tuple[Question, ...] = ()
    bodies: tuple[dict[str, Any], ...] = ()
    leave: tuple[float, float] | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        if urlsplit(self.url).hostname not in LOOPBACK:
            raise NotHere(f"{self.url} is not on this machine: only {', '.join(LOOPBACK)}")
        if not self.seconds and not self.turns:
            raise ValueError("a plan needs an end: seconds or turns")


@dataclass(slots=True)
class Heard:
    """What has come of a turn so far."""

    first_at: float | None = None
    done: bool = False
    source: str = ""
    kind: str = ""
    fault: str = ""
    reply: str = ""
    call: str = ""
    listening: bool = False

    def begin(self) -> None:
        """A first sentence is complete."""
        if self.first_at is None:
            self.first_at = time.perf_counter()

    def finish(self, data: Mapping[str, Any]) -> None:
        """The whole reply came."""
        self.done = True
        self.source, self.kind = str(data.get("source", "")), str(data.get("kind", ""))
        self.reply = str(data.get("reply", ""))
        if not self.reply.strip():
            self.fault = "empty reply"


Ask = Callable[["Seat", Question, Heard], Awaitable[None]]


@dataclass(slots=True)
class Seat:
    """A player's place.

    Attributes:
        cookie: its team's, with the game.
        number: of the player among all.
        turn: the number of its next turn.
    """

    number: int
    http: aiohttp.ClientSession
    plan: Plan
    chance: random.Random
    cookie: str = ""
    turn: int = 0


# ── the loop ────────────────────────────────────────────────────────────────────────────────────


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
    )


# ── the game ────────────────────────────────────────────────────────────────────────────────────


async def new_team(seat: Seat) -> None:
    """Begin a team, waiting as long as the game asks to; nothing where there are no teams.

    Raises:
        RuntimeError: the game gives no team.
    """
    if seat.plan.way not in {"page", "stream", "json"}:
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


def _chat(seat: Seat, asked: Question, headers: Mapping[str, str]) -> Any:
    return seat.http.post(
        f"{seat.plan.url}/api/chat",
        json={"entity_id": asked.character, "message": asked.message},
        headers={"Cookie": seat.cookie, **headers},
    )


async def ask_as_page(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question, then listen to its turn."""
    async with _chat(seat, asked, {"Prefer": "respond-async"}) as answer:
        if answer.status != 202:
            heard.fault = f"status {answer.status}"
            return
        turn_id = (await answer.json())["turn_id"]
    listening = seat.http.get(
        f"{seat.plan.url}/api/turns/{turn_id}/events", headers={"Cookie": seat.cookie}
    )
    async with listening as answer:
        await _hear_events(answer, heard)


async def ask_for_stream(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question and listen on the same request."""
    async with _chat(seat, asked, {"Accept": "text/event-stream"}) as answer:
        await _hear_events(answer, heard)


async def ask_for_json(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question and wait for the whole reply."""
    async with _chat(seat, asked, {}) as answer:
        if answer.status != 200:
            heard.fault = f"status {answer.status}"
            return
        data = await answer.json()
        heard.begin()
        heard.finish(data)


async def _hear_events(answer: aiohttp.ClientResponse, heard: Heard) -> None:
    """Read a turn's events until `done`."""
    if answer.status != 200:
        heard.fault = f"status {answer.status}"
        return
    heard.listening = True
    kind = b""
    async for line in answer.content:
        if line.startswith(b"event: "):
            kind = line[7:].strip()
            if kind in {b"sentence", b"replace"}:
                heard.begin()
        elif line.startswith(b"data: ") and kind == b"done":
            heard.finish(orjson.loads(line[6:]))


# ── the references ──────────────────────────────────────────────────────────────────────────────


async def ask_relay(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the relay a question, or a recorded request, and read the provider's stream."""
    body = _recorded(seat) or {"message": asked.message}
    async with seat.http.post(f"{seat.plan.url}/api/chat", json=body) as answer:
        await _hear_completion(answer, heard)


async def ask_provider(seat: Seat, asked: Question, heard: Heard) -> None:
    """Ask the provider itself: how long a turn lasts with nobody between."""
    messages = [{"role": "user", "content": asked.message}]
    body = _recorded(seat) or {"model": "direct", "stream": True, "messages": messages}
    url = f"{seat.plan.url}/v1/chat/completions"
    async with seat.http.post(url, json=body) as answer:
        await _hear_completion(answer, heard)


def _recorded(seat: Seat) -> dict[str, Any] | None:
    bodies = seat.plan.bodies
    return bodies[(seat.turn * seat.plan.players + seat.number) % len(bodies)] if bodies else None


async def _hear_completion(answer: aiohttp.ClientResponse, heard: Heard) -> None:
    """Read an OpenAI stream until `[DONE]`; its tokens only as far as the first sentence."""
    if answer.status != 200:
        heard.fault = f"status {answer.status}"
        return
    heard.call = answer.headers.get("X-Request-ID", "")
    async for line in answer.content:
        if heard.first_at is None and line.startswith(b"data: {"):
            choices = orjson.loads(line[6:]).get("choices") or [{}]
            heard.reply += choices[0].get("delta", {}).get("content") or ""
            if SENTENCE.search(heard.reply):
                heard.begin()
        elif line.startswith(b"data: [DONE]"):
            heard.done, heard.source = True, "model"


async def ask_old_cure(seat: Seat, asked: Question, heard: Heard) -> None:
    """Ask the old cure, which answers with JSON."""
    body = {"player_id": f"player-{seat.number}", "message": asked.message}
    async with seat.http.post(f"{seat.plan.url}/chat", json=body) as answer:
        if answer.status != 200:
            heard.fault = f"status {answer.status}"
            return
        data = await answer.json()
        heard.begin()
        heard.finish(data)


WAYS: dict[Way, Ask] = {
    "page": ask_as_page,
    "stream": ask_for_stream,
    "json": ask_for_json,
    "relay": ask_relay,
    "provider": ask_provider,
    "old": ask_old_cure,
}


# ── the process ─────────────────────────────────────────────────────────────────────────────────


def plan_json(plan: Plan) -> bytes:
    """A plan as a line of JSON."""
    return orjson.dumps(plan, default=list) + b"\n"


def plan_from(line: bytes) -> Plan:
    """The plan of a line of JSON."""
    fields = orjson.loads(line)
    for name in ("think", "leave"):
        if fields[name] is not None:
            fields[name] = tuple(fields[name])
    if fields["same"] is not None:
        fields["same"] = Question(*fields["same"])
    fields["say"] = tuple(Question(*asked) for asked in fields["say"])
    fields["bodies"] = tuple(fields["bodies"])
    return Plan(**fields)


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
