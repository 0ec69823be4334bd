"""What every test may rely on: an empty environment and a data folder of its own."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.learned import learning

OURS = re.compile(
    r"^(AMAZONIA_|OPENAI_|OTEL_|GUNICORN_|DB_)"
    r"|^(PORT|SECRET_KEY|ADMIN_TOKEN|DATABASE_URL|REDIS_URL|REDIS_TIMEOUT|CELERY_BROKER_URL|ASSET_URL)$"
    r"|^(HISTORY_MESSAGES|TURN_DEADLINE|FIRST_TOKEN_TIMEOUT|STALL_TIMEOUT|DUPLICATE_WINDOW)$"
    r"|^(LOG_FORMAT|WEB_CONCURRENCY)$"
    r"|^(http|https|all)_proxy$",
    re.IGNORECASE,
)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """A run that is shared out among processes learns the cases while its first tests run."""
    if "PYTEST_XDIST_WORKER" in os.environ or not config.getoption("numprocesses", None):
        return (yield)
    with learning():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing from outside, no key above all, reaches a test or a process that it starts."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if OURS.search(name)]:
            patch.delenv(name)
        patch.setenv("PYTHON_DOTENV_DISABLED", "1")  # a developer's .env is no test's affair
        patch.setenv("AMAZONIA_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def data_folder(clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, for this test alone."""
    folder = tmp_path / "data"
    monkeypatch.setenv("AMAZONIA_DATA", str(folder))
    return folder
