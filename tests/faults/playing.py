"""Teams that play the mini case on a real server, and what they are told."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from tests.domain.world import mini
from tests.providers import FaultyProvider
from tests.server import CASES, Server, serve
from tests.web.events import Event, events_of

from amazonia.domain.case import CharacterId, TopicId
from amazonia.voice.scripted import is_whole

ADMIN = "faults-admin-token"
QUICK = {"TURN_DEADLINE": "3", "FIRST_TOKEN_TIMEOUT": "1", "STALL_TIMEOUT": "0.7"}
"""Timers that fit a provider of `SPEED`."""
DEADLINE = 3.0
LATE = 0.1
"""Seconds that a reply may be on its way beyond the deadline."""
SPEED = 6.0


@contextmanager
def playing(data: Path, of: FaultyProvider | str, **environ: str) -> Iterator[Server]:
    """A server of two processes, with short timers."""
    url = of if isinstance(of, str) else of.url
    settings = {"OPENAI_BASE_URL": url, "ADMIN_TOKEN": ADMIN, **QUICK, **environ}
    with serve(data, cases=CASES, **settings) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the mini case that nothing but its topic can be meant by.

    Attributes:
        step: how deep in the topic its answer lies.
        clues: what it awards.
    """

    who: str
    topic: str
    message: str
    step: int = 0
    clues: tuple[str, ...] = ()

    @property
    def authored(self) -> str:
        """The authored answer."""
        topic = mini().words.characters[CharacterId(self.who)].topics[TopicId(self.topic)]
        return " ".join(line.text for line in topic.steps[self.step].says)

    @property
    def bridges(self) -> tuple[str, ...]:
        """What the character says between what was shown and the authored answer."""
        return mini().words.characters[CharacterId(self.who)].resume


BOLO = (
    "o que aconteceu com o bolo?",
    "quem comeu o bolo?",
    "fala do bolo",
    "quem pegou o bolo da mesa?",
    "cadê o bolo da festa?",
)
FORNO = (
    "a que horas saiu do forno?",
    "que hora o forno desligou?",
    "quando tirou do forno?",
    "o forno desligou quando?",
)


LOCKED = "quem passou pela porta?"
"""A question that no provider is asked about."""


def visit(number: int) -> list[Question]:
    """The three questions of a team; those of the first four teams differ from one another."""
    return [
        Question("cida", "bolo", BOLO[number % 4]),
        Question("cida", "bolo", BOLO[number % 4 + 1], step=1, clues=("migalhas",)),
        Question("cida", "forno", FORNO[number % 4], clues=("hora_forno",)),
    ]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a question.

    Attributes:
        seconds: until the reply was complete.
        reply: the JSON body, or the data of `done`.
        events: of the stream, if it was one.
    """

    status: int
    seconds: float
    reply: dict[str, Any]
    events: list[Event] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Who spoke."""
        return str(self.reply["source"])

    @property
    def clues(self) -> list[str]:
        """The clues that were awarded."""
        return [clue["id"] for clue in self.reply["clues"]]


def check(
    question: Question, answered: Answered, within: float = DEADLINE, *, obeys: bool = False
) -> None:
    """The promise: in time, whole, fitting, and the same clue, whoever spoke.

    Args:
        within: seconds.
        obeys: the model says what players tell it to say, and not the beat.
    """
    assert answered.status == 200, answered
    assert answered.seconds <= within + LATE, answered
    text = answered.reply["reply"]
    assert is_whole(text), text
    assert question.authored in text or (obeys and answered.source == "model"), text
    assert answered.clues == list(question.clues)
    if answered.source == "scripted":
        assert text.endswith(question.authored)
    if answered.events:
        said = [e.data["text"] for e in answered.events if e.kind == "sentence"]
        assert all(is_whole(text) or text in question.bridges for text in said), said
        assert " ".join(said) == text
        assert [e.id for e in answered.events] == list(range(1, len(answered.events) + 1))


class Player:
    """A team in a browser.

    Args:
        http: the connections it uses.
        cookie: of a team that plays already.
    """

    def __init__(self, http: aiohttp.ClientSession, cookie: str = "") -> None:
        self.http = http
        self.cookie = cookie

    async def begin(self) -> Player:
        """Start an investigation."""
        async with self.http.post("/api/session", json={}) as response:
            assert response.status == 201, await response.text()
            self.cookie = response.headers["set-cookie"].partition(";")[0]
        return self

    async def ask(self, question: Question | str, *, stream: bool = False) -> Answered:
        """Ask and wait for the whole reply."""
        accept = "text/event-stream" if stream else "application/json"
        begun = time.monotonic()
        async with self.post("/api/chat", _body(question), accept=accept) as response:
            body = await response.text()
            seconds = time.monotonic() - begun
            events = events_of(body) if stream and response.status == 200 else []
            reply = events[-1].data if events else await response.json()
            return Answered(response.status, seconds, reply, events)

    async def drop(self, question: Question | str) -> str:
        """Ask and do not listen: the turn's id."""
        async with self.post("/api/chat", _body(question), prefer="respond-async") as response:
            assert response.status == 202
            return str((await response.json())["turn_id"])

    async def state(self) -> dict[str, Any]:
        """What the team knows."""
        return dict(await self.get("/api/state"))

    async def get(self, path: str) -> Any:
        """A JSON document."""
        async with self.http.get(path, headers={"cookie": self.cookie}) as response:
            assert response.status == 200
            return await response.json()

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """A request, to be entered."""
        return self.http.post(path, json=body, headers={"cookie": self.cookie, **headers})

    def listen(self, turn_id: str) -> Any:
        """The stream of a turn, to be entered."""
        return self.http.get(f"/api/turns/{turn_id}/events", headers={"cookie": self.cookie})


def _body(question: Question | str) -> dict[str, str]:
    if isinstance(question, str):
        return {"entity_id": "cida", "message": question}
    return {"entity_id": question.who, "message": question.message}


# ── connections ─────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def connections(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A new connection for every request, so that either process may have it."""
    async with _session(server, aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        yield http


@asynccontextmanager
async def each_worker(server: Server) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """One lasting connection to either process, told apart by who owns a turn asked there."""
    found: dict[str, aiohttp.ClientSession] = {}
    tried: list[aiohttp.ClientSession] = []
    try:
        while len(found) < 2:
            assert len(tried) < 60, "all connections came to one process"
            http = _session(server, aiohttp.TCPConnector(limit=1, keepalive_timeout=60))
            tried.append(http)
            player = await Player(http).begin()
            refused = await player.ask(LOCKED)
            found.setdefault(owner_of(server, refused.reply["turn_id"]), http)
        yield list(found.values())
    finally:
        for http in tried:
            await http.close()


def _session(server: Server, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        server.url,
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=30),
    )


async def health(http: aiohttp.ClientSession) -> dict[str, Any]:
    """What a process says of itself, which it must say at once."""
    begun = time.monotonic()
    async with http.get("/health") as response:
        assert response.status == 200
        told = dict(await response.json())
    assert time.monotonic() - begun < 0.5
    return told


async def provider_of(http: aiohttp.ClientSession, number: int = 0) -> dict[str, Any]:
    """What a process says of a provider."""
    return dict((await health(http))["checks"]["providers"][number])


async def clear_cache(http: aiohttp.ClientSession) -> int:
    """Forget every kept reply; how many there were."""
    bearer = {"authorization": f"Bearer {ADMIN}"}
    async with http.post("/api/clear-cache", headers=bearer) as response:
        assert response.status == 200
        return int((await response.json())["cleared"]["replies"])


# ── the database, read only ─────────────────────────────────────────────────────────────────────


def rows(server: Server, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the server's database."""
    file = server.data / "amazonia.sqlite3"
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def owner_of(server: Server, turn_id: str) -> str:
    """The process that speaks or spoke a turn."""
    return str(rows(server, "SELECT owner FROM turns WHERE id = ?", turn_id)[0][0])


def pid_of(owner: str) -> int:
    """The process's number."""
    return int(owner.rsplit(".", 2)[1])


async def saved(server: Server, turn_id: str, patience: float = 10.0) -> tuple[str, str]:
    """The reply of a turn and its source, once it is done; nothing here finishes it."""
    query = "SELECT reply, source FROM turns WHERE id = ? AND status = 'done'"
    found: list[tuple[Any, ...]] = []

    async def is_done() -> bool:
        found[:] = rows(server, query, turn_id)
        return bool(found)

    await until(is_done, patience)
    return found[0][0], found[0][1]


async def until(holds: Callable[[], Awaitable[bool]], patience: float = 10.0) -> None:
    """Wait until something holds; fails when patience ends."""
    async with asyncio.timeout(patience):
        while not await holds():  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.02)
