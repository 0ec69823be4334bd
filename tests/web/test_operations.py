"""Health and beginning anew: told at once, whatever is down; done everywhere, by whoever may."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.providers import provider
from tests.worlds import mini_library, mini_settings

from amazonia.errors import StoreDown
from amazonia.groundwork import migrate
from amazonia.ops.health import Pulse, Tally
from amazonia.services import Services
from amazonia.web.app import create_app

TOKEN = {"authorization": "Bearer a-token-for-tests"}
CAKE = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}
WHO = {"entity_id": "cida", "message": "quem pegou o bolo?"}
AT_ONCE = 0.05
NewClient = Callable[[], httpx.AsyncClient]


@asynccontextmanager
async def process(data: Path, **environ: str) -> AsyncIterator[FastAPI]:
    """The application as one process has it; more of them may share a data folder."""
    settings = mini_settings(data, **environ)
    migrate(settings)
    app = create_app(settings, mini_library())
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client of a process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://game.test")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """A database that another program writes to and does not let go of."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110 - a clock makes it hold
            await asyncio.sleep(0.01)


# ── health ──────────────────────────────────────────────────────────────────────────────────────


async def test_health_tells_what_a_process_knows(client: httpx.AsyncClient) -> None:
    """Parts, version, process, uptime, and who answered lately."""
    await client.post("/api/chat", json=CAKE)
    told = (await client.get("/health")).json()
    assert told["status"] == "ok"
    assert told["checks"] == {
        "database": "ok",
        "cache": "off",
        "cache_why": "",
        "queue": "in process",
        "moderation": "off",
        "moderation_why": "",
        "providers": [],
    }
    assert told["turns"] == {"minutes": 5, "model": 0, "cache": 0, "scripted": 1}
    assert told["process"] > 0
    assert told["uptime_s"] >= 0
    assert told["version"]


async def test_a_frozen_database_is_told_at_once(app: FastAPI, client: httpx.AsyncClient) -> None:
    """503 in at most 50 ms each time once it is known, and 200 again when it is well."""
    services: Services = app.state.services
    pulse = Pulse(
        lambda: services.database.write(lambda _: None), time.monotonic, every=0.02, patience=0.1
    )
    app.state.services = replace(services, health=replace(services.health, database=pulse))
    took: list[float] = []

    async def status(path: str = "/health") -> int:
        begun = time.monotonic()
        response = await client.get(path)
        took.append(time.monotonic() - begun)
        return response.status_code

    async def is_down() -> bool:
        return await status() == 503

    async def is_well() -> bool:
        return await status() == 200

    assert await status() == 200
    with locked(services.settings.database_file):
        await until(is_down)
        known = len(took)
        answers = [await status() for _ in range(10)]
        assert answers == [503] * 10
        assert await status("/health/ready") == 503
        assert await status("/health/live") == 200
    assert max(took[known:]) <= AT_ONCE
    await until(is_well)
    assert await status("/health/ready") == 200
    await pulse.close()


async def test_a_closing_process_is_not_ready(app: FastAPI, client: httpx.AsyncClient) -> None:
    """It lives, and takes no turns any more."""
    app.state.services.closing.set()
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/health/live")).status_code == 200


async def test_a_refused_key_shows(tmp_path: Path) -> None:
    """The provider is parked, why is told, and the game is degraded, not down."""
    with provider("badkey") as upstream:
        environ = {"OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "bad"}
        async with process(tmp_path / "data", **environ) as app, client_of(app) as client:
            await client.post("/api/session", json={})
            assert (await client.post("/api/chat", json=CAKE)).json()["source"] == "scripted"
            response = await client.get("/health")
    (voice,) = response.json()["checks"]["providers"]
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert (voice["state"], voice["why"]) == ("parked", "unauthorized")


class Patient:
    """A probe that a test answers, and a clock that it moves."""

    def __init__(self) -> None:
        self.at = 100.0
        self.waiting: asyncio.Future[None] | None = None
        self.begun = 0
        self.began = asyncio.Event()

    def monotonic(self) -> float:
        return self.at

    async def probe(self) -> None:
        self.begun += 1
        self.waiting = asyncio.get_running_loop().create_future()
        self.began.set()
        await self.waiting

    async def answer(self, *, well: bool = True) -> None:
        """End the present probe and wait for the next."""
        assert self.waiting is not None
        self.began.clear()
        if well:
            self.waiting.set_result(None)
        else:
            self.waiting.set_exception(StoreDown("no"))
        await self.began.wait()


async def test_a_pulse_is_known_without_waiting() -> None:
    """Unknown at first; then as the last probe found; down as soon as one takes too long."""
    world = Patient()
    pulse = Pulse(world.probe, world.monotonic, every=0.0, patience=2.0)
    assert await pulse.state(within=0.0) == "unknown"
    await world.began.wait()
    await world.answer()
    assert await pulse.state() == "ok"
    await world.answer(well=False)
    assert await pulse.state() == "down"
    await world.answer()
    assert await pulse.state() == "ok"
    world.at += 2.0
    assert await pulse.state() == "down"
    assert world.begun == 4
    await pulse.close()


async def test_what_a_pulse_knew_long_ago_does_not_count() -> None:
    """Probing ends when nobody asks; who asks again hears no old news."""
    world = Patient()
    pulse = Pulse(world.probe, world.monotonic, every=0.0, asked_for=60.0)
    await pulse.state(within=0.0)
    await world.began.wait()
    world.at += 60.0
    assert world.waiting is not None
    world.waiting.set_result(None)
    await asyncio.sleep(0.01)  # nothing tells that nothing happens
    assert world.begun == 1
    assert await pulse.state(within=0.0) == "unknown"
    await pulse.close()


def test_a_tally_forgets() -> None:
    """Turns count for five minutes."""
    now = 1000.0
    tally = Tally(lambda: now)
    tally.note("model")
    now += 240
    tally.note("model")
    tally.note("cache")
    assert tally.counts() == {"model": 2, "cache": 1, "scripted": 0}
    now += 61
    assert tally.counts() == {"model": 1, "cache": 1, "scripted": 0}
    now += 3600
    assert tally.counts() == {"model": 0, "cache": 0, "scripted": 0}


# ── beginning anew ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer wrong", "a-token-for-tests", "Basic a-token-for-tests", "Bearer é"],
)
async def test_who_has_no_token_clears_nothing(client: httpx.AsyncClient, given: str) -> None:
    """403, and a kept question stays kept."""
    first = (await client.post("/api/chat", json=CAKE)).json()
    headers = {b"authorization": given.encode()}
    response = await client.post("/api/clear-cache", headers=headers)
    assert response.status_code == 403
    again = (await client.post("/api/chat", json=CAKE)).json()
    assert (again["turn_id"], again["duplicate"]) == (first["turn_id"], True)


async def test_without_a_token_nobody_may(tmp_path: Path) -> None:
    """Not even with an empty one."""
    async with process(tmp_path / "data") as app, client_of(app) as client:
        for given in ("Bearer ", "Bearer None", ""):
            response = await client.post("/api/clear-cache", headers={"authorization": given})
            assert response.status_code == 403


async def test_a_cleared_question_is_a_new_turn_in_every_process(tmp_path: Path) -> None:
    """One process is told; another one asks the model again, and says how many were forgotten."""
    with provider("fast") as upstream:
        environ = {
            "OPENAI_BASE_URL": upstream.url,
            "ADMIN_TOKEN": "a-token-for-tests",
            "DUPLICATE_WINDOW": "60",
        }
        async with two(tmp_path / "data", environ) as (one, other):
            first = (await one.post("/api/chat", json=CAKE)).json()
            await one.post("/api/chat", json={**CAKE, "message": "quem fez o bolo?"})
            kept = (await other.post("/api/chat", json=CAKE)).json()
            assert (kept["turn_id"], kept["duplicate"]) == (first["turn_id"], True)
            cleared = (await one.post("/api/clear-cache", headers=TOKEN)).json()["cleared"]
            assert cleared == {"replies": cleared["replies"], "duplicates": 2}
            anew = (await other.post("/api/chat", json=CAKE)).json()
            assert not anew["duplicate"]
            assert anew["turn_id"] != first["turn_id"]
            again = (await one.post("/api/clear-cache", headers=TOKEN)).json()["cleared"]
            assert again["duplicates"] == 1


async def test_a_cleared_reply_is_asked_for_again(tmp_path: Path) -> None:
    """Another team hears a kept reply; after clearing, the model is called once more."""
    with provider("fast") as upstream:
        environ = {"OPENAI_BASE_URL": upstream.url, "ADMIN_TOKEN": "a-token-for-tests"}
        async with process(tmp_path / "data", **environ) as app:
            sources = []
            for clear in (False, True, False):
                async with client_of(app) as team:
                    await team.post("/api/session", json={})
                    sources.append((await team.post("/api/chat", json=WHO)).json()["source"])
                    if clear:
                        cleared = await team.post("/api/clear-cache", headers=TOKEN)
                        assert cleared.json()["cleared"]["replies"] == 1
    assert sources == ["model", "cache", "model"]


async def test_a_turn_that_is_answered_now_stays_one(tmp_path: Path) -> None:
    """Asking again joins it, whatever was cleared: one character speaks one reply at a time."""
    with provider("outage") as upstream:
        environ = {
            "OPENAI_BASE_URL": upstream.url,
            "ADMIN_TOKEN": "a-token-for-tests",
            "FIRST_TOKEN_TIMEOUT": "1",
            "TURN_DEADLINE": "3",
        }
        later = {"prefer": "respond-async"}
        async with process(tmp_path / "data", **environ) as app, client_of(app) as client:
            await client.post("/api/session", json={})
            first = (await client.post("/api/chat", json=CAKE, headers=later)).json()
            cleared = await client.post("/api/clear-cache", headers=TOKEN)
            assert cleared.json()["cleared"]["duplicates"] == 0
            again = (await client.post("/api/chat", json=CAKE, headers=later)).json()
    assert again == first


@asynccontextmanager
async def two(
    data: Path, environ: dict[str, str]
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The same team at two processes."""
    async with (
        process(data, **environ) as one,
        process(data, **environ) as other,
        client_of(one) as here,
        client_of(other) as there,
    ):
        await here.post("/api/session", json={})
        there.cookies = here.cookies
        yield here, there
