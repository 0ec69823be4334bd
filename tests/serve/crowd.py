"""Players as browsers are: they ask, listen, and resume where they were when the line breaks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.web.events import Event, events_of

PATIENCE = 30.0
RETRY = 0.3
"""Seconds before a broken connection is tried again; within the window for duplicates."""


@dataclass
class Player:
    """A team with one browser.

    Attributes:
        replies: turn → its `done` event, in the order of asking.
        resumed: how often a stream was taken up again.
    """

    http: httpx.AsyncClient
    number: int
    replies: dict[str, Any] = field(default_factory=dict)
    resumed: int = 0

    async def begin(self) -> None:
        """Found the team."""
        response = await self.send("POST", "/api/session", json={"team": f"Equipe {self.number}"})
        assert response.status_code == 201, response.text

    async def ask(self, message: str) -> None:
        """Ask, and listen until the reply is complete."""
        body = {"entity_id": "cida", "message": message}
        headers = {"prefer": "respond-async"}
        accepted = await self.send("POST", "/api/chat", json=body, headers=headers)
        assert accepted.status_code == 202, accepted.text
        turn = accepted.json()["turn_id"]
        assert turn not in self.replies
        self.replies[turn] = await self._listen(turn)

    async def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A request, sent again while nobody answers it."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                response = await self.http.request(method, path, **given)
                if response.status_code != 503:
                    return response
            except httpx.TransportError:
                assert time.monotonic() < until, "nobody answers"
            await asyncio.sleep(RETRY)

    async def _listen(self, turn: str) -> Any:
        seen: dict[int, Event] = {}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            headers = {"last-event-id": f"{max(seen)}"} if seen else {}
            for event in await self._hear(turn, headers):
                if event.id in seen:
                    assert seen[event.id] == event, "an event changed"
                seen[event.id] = event
                if event.kind == "done":
                    return event.data
            self.resumed += 1
            await asyncio.sleep(RETRY)
        raise AssertionError(f"no `done` within {PATIENCE} s: {seen}")

    async def _hear(self, turn: str, headers: dict[str, str]) -> list[Event]:
        """What comes before the line breaks or the stream ends."""
        heard = ""
        url = f"/api/turns/{turn}/events"
        try:
            async with self.http.stream("GET", url, headers=headers) as response:
                assert response.status_code in {200, 503}, response.status_code
                async for text in response.aiter_text():
                    heard += text
        except httpx.TransportError:
            pass
        whole, _, _ = heard.rpartition("\n\n")
        return events_of(whole)
