"""What a request is called, and where it is counted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from tests.ops.test_metrics import samples

from amazonia.ops import metrics
from amazonia.ops.requests import Requests


@pytest.fixture
async def client() -> Any:
    """A client of a small application, which answers with the ids that are bound."""
    app = FastAPI()

    @app.get("/things/{thing}")
    async def thing(thing: str) -> dict[str, Any]:
        return structlog.contextvars.get_contextvars()

    times = iter(range(1000))
    app.add_middleware(
        Requests, monotonic=lambda: float(next(times)), new_id=lambda: "made-0123456789"
    )
    metrics.open_metrics()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://game.test"
    ) as client:
        yield client


async def test_a_request_has_an_id(client: httpx.AsyncClient) -> None:
    """It is bound while the request is answered, told to the client and then forgotten."""
    answer = await client.get("/things/1")
    assert answer.json() == {"request": "made-0123456789"}
    assert answer.headers["x-request-id"] == "made-0123456789"
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(
    ("given", "taken"),
    [("a-proxys.id_123", True), ("short", False), ("x" * 65, False), ("with space in", False)],
)
async def test_a_proxys_id_is_kept(client: httpx.AsyncClient, given: str, taken: bool) -> None:
    """An id that a proxy gave goes on, if it is one."""
    answer = await client.get("/things/1", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == (given if taken else "made-0123456789")


async def test_requests_are_counted_by_route(client: httpx.AsyncClient) -> None:
    """However many paths are asked for, there are as many series as routes."""
    for number in range(5):
        await client.get(f"/things/{number}")
        await client.get(f"/made-up/{number}")
        await client.get(f"/static/{number}.css")
    read = {k: v for k, v in samples().items() if k.startswith("amazonia_http_requests_total")}
    assert read == {
        'amazonia_http_requests_total{route="/things/{thing}",status="200"}': 5,
        'amazonia_http_requests_total{route="other",status="404"}': 5,
        'amazonia_http_requests_total{route="files",status="404"}': 5,
    }
    assert samples()['amazonia_http_seconds_sum{route="/things/{thing}"}'] == 5


@pytest.mark.parametrize(
    ("client", "headers", "local"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("10.0.0.9", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "10.0.0.9"}, False),
        ("127.0.0.1", {"forwarded": "for=10.0.0.9"}, False),
    ],
)
def test_who_is_local(client: str, headers: dict[str, str], local: bool) -> None:
    """Whoever comes through a proxy on this machine is not on this machine."""
    assert metrics.is_local(client, headers) is local
