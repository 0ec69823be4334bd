"""Every page and call there is, from the application's own table, with addresses that exist."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from starlette.routing import Route

TOKEN = "a-token-for-tests"
ORIGIN = "https://game.test"
ENDLESS = ("/events", "/live")
"""How the addresses of streams end that go on for as long as somebody listens."""
HTML = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one address.

    Attributes:
        template: the address as the table has it.
    """

    method: str
    path: str
    template: str

    @property
    def is_change(self) -> bool:
        """Whether it may change something."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}

    @property
    def is_page(self) -> bool:
        """Whether people look at it."""
        return not self.is_change and not self.path.startswith(("/api/", "/health", "/metrics"))

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


@dataclass(frozen=True, slots=True)
class World:
    """An application in use.

    Attributes:
        insider: a browser that is all at once: a team of a class, its teacher, the administrator.
        stranger: one that is nobody.
        calls: all of them, but endless streams.
    """

    app: FastAPI
    insider: httpx.AsyncClient
    stranger: httpx.AsyncClient
    calls: list[Call]

    async def ask(self, client: httpx.AsyncClient, call: Call, **headers: str) -> httpx.Response:
        """Make a call without a body, as a person's browser for pages."""
        return await client.request(
            call.method, call.path, headers={**(HTML if call.is_page else {}), **headers}
        )


def calls(app: FastAPI, values: Mapping[str, str]) -> Iterator[Call]:
    """The table of routes with values in the addresses."""
    for route in app.router.routes:
        if isinstance(route, Route) and not route.path.endswith(ENDLESS):
            path = re.sub(r"\{(\w+)\}", lambda m: values[m[1]], route.path)
            for method in sorted(route.methods or ()):
                yield Call(method, path, route.path)


@asynccontextmanager
async def used(app: FastAPI) -> AsyncIterator[World]:
    """The application after a class was opened, joined and played in; called by TLS."""

    def browser() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    async with browser() as insider, browser() as stranger:
        post = insider.post
        code = (await post("/api/classes", json={})).json()["code"]
        team = (await post("/api/session", json={"class_code": code})).json()["team_id"]
        asked = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}
        turn = (await post("/api/chat", json=asked)).json()["turn_id"]
        assert (await post("/admin/sign-in", data={"token": TOKEN})).status_code == 303
        values = {
            "code": code,
            "team_id": team,
            "turn_id": turn,
            "entity_id": "cida",
            "character": "cida",
            "id": "r_relogio",
            "riddle_id": "r_relogio",
            "name": "not-found",
        }
        yield World(app, insider, stranger, list(calls(app, values)))
