"""The application in process, and clients for it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.worlds import mini_library, mini_settings

from amazonia import log
from amazonia.groundwork import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    log.set_up(read_settings({"LOG_FORMAT": "json"}))


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The application over the small case, with a data folder of its own."""
    settings = mini_settings(tmp_path / "data", ADMIN_TOKEN="a-token-for-tests")
    migrate(settings)
    app = create_app(settings, mini_library())
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def browser(app: FastAPI) -> Callable[[], httpx.AsyncClient]:
    """Makes clients, each with its own cookies."""

    def new() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://game.test")

    return new


@pytest.fixture
async def client(browser: Callable[[], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session."""
    async with browser() as client:
        (await client.post("/api/session", json={"team": "Botos"})).raise_for_status()
        yield client
