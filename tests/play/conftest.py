"""Logs of these tests are plain lines on standard error."""

import pytest

from amazonia import log
from amazonia.settings import read_settings


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    log.set_up(read_settings({"LOG_FORMAT": "json"}))
