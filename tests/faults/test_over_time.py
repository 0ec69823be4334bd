"""A provider that fails and comes back, is limited, refuses the key; and a second one behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.faults.playing import (
    SPEED,
    Answered,
    Player,
    check,
    clear_cache,
    connections,
    each_worker,
    health,
    playing,
    provider_of,
    until,
    visit,
)
from tests.providers import FaultyProvider, provider
from tests.server import Server
from tests.serving import serving

from amazonia.devprovider.server import Provider, create_app
from amazonia.fabric.bell import PEERS_FOR

pytestmark = pytest.mark.slow

AT_ONCE = 0.5
"""Seconds that a reply may take which waits for nobody, on a busy machine."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultyProvider]:
    with provider("fast", speed=SPEED) as running:
        yield running


@pytest.fixture(autouse=True)
def well(upstream: FaultyProvider) -> None:
    """Every test begins with a provider that is well."""
    upstream.switch("fast")
    upstream.reset()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: FaultyProvider) -> Iterator[Server]:
    """A server whose provider was never parked for long."""
    with playing(tmp_path_factory.mktemp("time") / "server", upstream) as running:
        yield running


@pytest.fixture
def new_server(tmp_path: Path, upstream: FaultyProvider) -> Iterator[Server]:
    """A server for one test."""
    with playing(tmp_path / "server", upstream) as running:
        yield running


async def ask_new(http: aiohttp.ClientSession, message: str) -> Answered:
    """What a team that has just begun is told."""
    return await (await Player(http).begin()).ask(message)


def cake(number: int) -> str:
    """A question about the cake that nobody asked before."""
    return f"fala do bolo, dona Cida, pedido {number}"


async def test_an_outage_is_noticed_and_outlived(server: Server, upstream: FaultyProvider) -> None:
    """Both processes leave it alone, probe it one call at a time, and speak by it again."""
    async with each_worker(server) as workers:
        for worker in workers:
            assert (await ask_new(worker, visit(1)[0].message)).source in {"model", "cache"}

        upstream.switch("outage")
        async with connections(server) as http:
            lost = await asyncio.gather(*(ask_new(http, cake(n)) for n in range(30)))
        assert {answered.source for answered in lost} == {"scripted"}
        for worker in workers:
            number = 1000
            while (await provider_of(worker))["state"] != "open":
                number += 1
                assert (await ask_new(worker, cake(number))).source == "scripted"
            assert (await provider_of(worker))["why"] == "silent"

        upstream.reset()
        answers: list[Answered] = []
        begun = time.monotonic()
        while time.monotonic() - begun < 7:
            await asyncio.sleep(0.1)
            both = (ask_new(worker, cake(2000 + len(answers))) for worker in workers)
            answers += await asyncio.gather(*both)
        assert {answered.source for answered in answers} == {"scripted"}
        assert max(answered.seconds for answered in answers) < AT_ONCE
        stats = upstream.stats()
        assert 1 <= stats["calls"] <= 4
        assert stats["peak"] <= len(workers)

        upstream.switch("fast")
        back = time.monotonic()
        for worker in workers:
            await until(partial(_speaks, worker), 30)
        assert time.monotonic() - back < 30


async def _speaks(worker: aiohttp.ClientSession) -> bool:
    """Whether a model speaks there again."""
    told = await ask_new(worker, cake(round(time.time() * 1000)))
    assert told.seconds < AT_ONCE or told.source == "model"
    return told.source == "model"


async def test_a_rate_limit_is_kept(server: Server, upstream: FaultyProvider) -> None:
    """After a 429 no call is made for as long as `Retry-After` says, and then one."""
    async with each_worker(server) as (worker, _):
        upstream.switch("ratelimit")
        assert (await ask_new(worker, cake(1))).source == "scripted"
        told = await provider_of(worker)
        assert (told["state"], told["why"]) == ("parked", "rate_limited")
        assert 0 < told["retry_in_s"] <= 2
        begun, calls = time.monotonic(), upstream.stats()["calls"]
        upstream.switch("fast")
        number = 2
        while time.monotonic() - begun < 1.5:
            assert (await ask_new(worker, cake(number))).source == "scripted"
            number += 1
        assert upstream.stats()["calls"] == calls
        await until(partial(_speaks, worker))
        assert time.monotonic() - begun < 5


async def test_a_refused_key_is_told_once(new_server: Server, upstream: FaultyProvider) -> None:
    """Players notice nothing; a log line and `/health` say what is wrong. A process that was told
    by another sees for itself, by one call, and keeps quiet about what is no news.
    """
    upstream.switch("badkey")
    async with each_worker(new_server) as workers:
        await asyncio.sleep(PEERS_FOR)  # they know of each other
        for number, worker in enumerate(workers):
            if number:
                await until(partial(_suspects, worker))
            player = await Player(worker).begin()
            for question in visit(1):
                answered = await player.ask(question)
                check(question, answered, within=AT_ONCE)
                assert answered.source == "scripted"
            await until(partial(_is_parked, worker))
            assert (await health(worker))["status"] == "degraded"
    assert upstream.stats()["calls"] == len(workers)
    assert _times_told(new_server) == 1


async def _suspects(worker: aiohttp.ClientSession) -> bool:
    """Whether it was told by another process that the key is refused."""
    told = await provider_of(worker)
    return (told["state"], told["why"]) == ("half_open", "unauthorized")


async def _is_parked(worker: aiohttp.ClientSession) -> bool:
    """Whether it will not show the key again for long."""
    told = await provider_of(worker)
    return (told["state"], told["why"]) == ("parked", "unauthorized")


async def test_a_refused_key_is_told_once_though_many_ask(
    new_server: Server, upstream: FaultyProvider
) -> None:
    """Calls that were under way together are one finding, not one each."""
    upstream.switch("badkey")
    async with each_worker(new_server) as (worker, _), connections(new_server) as http:
        await asyncio.gather(*(ask_new(http, cake(number)) for number in range(20)))
        await ask_new(worker, cake(20))
    assert 1 <= _times_told(new_server) <= 2


def _times_told(server: Server) -> int:
    lines = server.log.read_text(encoding="utf-8").splitlines()
    return sum('"provider.unauthorized"' in line for line in lines)


# ── two providers ───────────────────────────────────────────────────────────────────────────────

KEY = "k-of-the-second-provider"


@asynccontextmanager
async def second_provider(keys: list[str]) -> AsyncIterator[str]:
    """A quick provider in this process that notes the keys which it is shown; its base URL."""
    app = create_app(Provider("fast", speed=SPEED))

    @web.middleware
    async def note(request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
        keys.append(request.headers.get("authorization", ""))
        return await handler(request)

    app.middlewares.append(note)
    async with serving(app) as address:
        yield f"{address}/v1"


def as_second(url: str) -> dict[str, str]:
    """The environment that names it."""
    entry = {"name": "second", "base_url": url, "api_key_env": "SECOND_KEY", "model": "m2"}
    return {"AMAZONIA_PROVIDERS": json.dumps([entry]), "SECOND_KEY": KEY}


async def test_the_second_speaks_when_the_first_fails(
    tmp_path: Path, upstream: FaultyProvider
) -> None:
    """With its own key, which no log line holds; `/health` tells of both."""
    keys: list[str] = []
    async with second_provider(keys) as url, _playing(tmp_path, upstream, url) as server:
        for profile in ("error", "outage"):
            upstream.switch(profile)
            async with connections(server) as http:
                await clear_cache(http)
                player = await Player(http).begin()
                for question in visit(1):
                    answered = await player.ask(question)
                    check(question, answered)
                    assert answered.source == "model"
                providers = (await health(http))["checks"]["providers"]
                assert [told["name"] for told in providers] == ["openai", "second"]
                assert providers[1]["state"] == "closed"
        assert set(keys) == {f"Bearer {KEY}"}
        assert KEY not in server.log.read_text(encoding="utf-8")


async def test_hedges_are_few(tmp_path: Path, upstream: FaultyProvider) -> None:
    """A slow first provider is helped by the second, at most for two calls in a hundred."""
    keys: list[str] = []
    environ = {"HEDGE_AFTER": "0.2", "GUNICORN_WORKERS": "1"}
    async with second_provider(keys) as url, _playing(tmp_path, upstream, url, **environ) as server:
        async with connections(server) as http:
            for ten in range(6):
                asked = (ask_new(http, cake(10 * ten + n)) for n in range(10))
                await asyncio.gather(*asked)
            assert keys == []
            upstream.switch("late")
            slow = [ask_new(http, cake(1000 + n)) for n in range(5)]
            answers = await asyncio.gather(*slow)
        calls = upstream.stats()["calls"]
    hedged = [answered for answered in answers if answered.seconds < 0.9]
    assert len(hedged) == 1
    assert len(hedged) <= 0.02 * calls
    assert {answered.source for answered in answers} == {"model"}


@asynccontextmanager
async def _playing(
    folder: Path, first: FaultyProvider, second: str, **environ: str
) -> AsyncIterator[Server]:
    block = playing(folder / "server", first, **as_second(second), **environ)
    server = await asyncio.to_thread(block.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(block.__exit__, None, None, None)
