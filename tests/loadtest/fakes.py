"""A server that answers like the game, as well or as badly as a test asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from tests.serving import serving as served

TURN = "abc"


class FakeGame:
    """Teams, questions and turns' events on loopback.

    Attributes:
        events: what every turn's stream says.
        questions: what was asked, in order.
        hold: the stream stays open after its events.
        cuts: the line breaks after as many events of a connection, as often as it says.
        numbers: the ids of the events.
        refusals: how many questions are answered "later" first.
        heard_from: the `Last-Event-ID` of every connection.
    """

    def __init__(
        self, events: Sequence[tuple[str, dict[str, Any]]], *, status: int = 202, hold: bool = False
    ) -> None:
        self.events = events
        self.status = status
        self.hold = hold
        self.cuts: list[int] = []
        self.numbers = tuple(range(1, len(events) + 1))
        self.refusals = 0
        self.heard_from: list[str] = []
        self.questions: list[str] = []
        self.teams = 0

    async def session(self, _request: web.Request) -> web.Response:
        self.teams += 1
        response = web.json_response({}, status=201)
        response.set_cookie("amazonia", f"team-{self.teams}")
        return response

    async def chat(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        self.questions.append((await request.json())["message"])
        return web.json_response({"turn_id": TURN}, status=self.status)

    async def listen(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        seen = request.headers.get("Last-Event-ID", "")
        self.heard_from.append(seen)
        cut = self.cuts.pop(0) if self.cuts else len(self.events)
        numbered = list(zip(self.numbers, self.events, strict=True))[int(seen or 0) :][:cut]
        for number, (kind, data) in numbered:
            line = b"id: %d\nevent: %s\ndata: %s\n\n"
            await response.write(line % (number, kind.encode(), orjson.dumps(data)))
        if self.hold:
            await request.content.read()
            await asyncio.get_running_loop().create_future()
        return response


@asynccontextmanager
async def serving(game: FakeGame) -> AsyncIterator[str]:
    """The address of a fake game that runs."""
    app = web.Application()
    app.add_routes(
        [
            web.post("/api/session", game.session),
            web.post("/api/chat", game.chat),
            web.get(f"/api/turns/{TURN}/events", game.listen),
        ]
    )
    async with served(app) as address:
        yield address
