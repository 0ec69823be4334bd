"""Services over the small case."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.worlds import mini_services

from amazonia import log
from amazonia.services import Services
from amazonia.settings import read_settings


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """Services as one process has them."""
    async with mini_services(tmp_path / "data") as services:
        yield services


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Faults in the log as text, not as pictures."""
    log.set_up(read_settings({"LOG_FORMAT": "json"}))
