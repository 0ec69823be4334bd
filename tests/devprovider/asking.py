"""A client of the development provider, and what it asks."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

SPEED = 50.0
PROMPT = [
    {
        "role": "system",
        "content": "<beat>\n- O rio subiu.\n- Ninguém viu o barco, nem o Zé.\n</beat>",
    },
    {"role": "user", "content": "E o barco?"},
]


@dataclass
class Client:
    """Asks one provider."""

    http: aiohttp.ClientSession
    url: str

    def chat(self, model: str = "m", **fields: Any) -> Any:
        """Ask for a streamed completion (an aiohttp request, to be awaited or entered)."""
        body = {"model": model, "messages": PROMPT, "stream": True, **fields}
        return self.http.post(f"{self.url}/v1/chat/completions", json=body)

    async def status(self, model: str = "m") -> int:
        """The status of a completion that ends."""
        async with self.chat(model) as response:
            await response.read()
            return response.status

    async def events(self, model: str = "m", **fields: Any) -> list[str]:
        """The data of every event of a stream that ends."""
        async with self.chat(model, **fields) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            body = (await response.read()).decode()
        assert body.endswith("\n\n")
        return [event.removeprefix("data: ") for event in body.split("\n\n")[:-1]]

    async def get(self, path: str) -> Any:
        """A JSON document."""
        async with self.http.get(f"{self.url}{path}") as response:
            assert response.status == 200
            return await response.json()

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON answer."""
        async with self.http.post(f"{self.url}{path}", json=body) as response:
            return response.status, await response.json()

    async def stats_when(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The counts as soon as they are as asked; fails after two seconds."""
        give_up = time.monotonic() + 2
        while not holds(stats := await self.get("/stats")):
            assert time.monotonic() < give_up, stats
            await asyncio.sleep(0.002)
        return dict(stats)


def text_of(events: list[str]) -> str:
    """The reply that a stream's events tell."""
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def drain(response: aiohttp.ClientResponse, into: bytearray) -> None:
    """Add the body as it comes, so that what came before a failure is known."""
    async for data in response.content.iter_any():
        into += data
