"""A provider that does what the player says, whatever it was told before."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.serving import serving

Json = dict[str, Any]


@dataclass
class Obedient:
    """It runs at `url`.

    Attributes:
        says: the reply to each message; None for its own orders.
        asked: the messages of every call.
    """

    url: str = ""
    says: dict[str, str | None] = field(default_factory=dict)
    asked: list[list[Json]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A streamed chat completion."""
        messages: list[Json] = (await request.json())["messages"]
        self.asked.append(messages)
        told = self.says.get(messages[-1]["content"], "Pois é.")
        text = messages[0]["content"] if told is None else told
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in (*text.split(" "), ""):
            delta = {"delta": {"content": f"{word} "}, "finish_reason": None if word else "stop"}
            data = json.dumps({"choices": [delta]})
            await response.write(f"data: {data}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def obedient() -> AsyncIterator[Obedient]:
    """Serve one until the block ends."""
    provider = Obedient()
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/v1/chat/completions", provider.answer)
    async with serving(app) as address:
        provider.url = f"{address}/v1"
        yield provider
