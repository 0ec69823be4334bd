"""A development provider on a real socket, fifty times faster than a real one."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.devprovider.asking import SPEED, Client

from amazonia.devprovider.server import Provider, serving


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a healthy, hurried provider."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        serving(Provider("healthy", seed=1, speed=SPEED)) as url,
        aiohttp.ClientSession(timeout=timeout) as http,
    ):
        yield Client(http, url)
