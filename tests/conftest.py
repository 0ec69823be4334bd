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


IS_SHARED = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process has a part of a run."""


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """A run that is shared out learns the cases anew, while the first tests run."""
    if IS_SHARED or not config.getoption("numprocesses", None):
        return (yield)
    with learning():
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share a run out among processes."""
    from tests.lanes import Lanes

    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    if IS_SHARED:
        from tests.lanes import in_order

        items.sort(key=in_order)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave the processor to what is timed."""
    if IS_SHARED:
        from tests.lanes import step_back

        step_back(item)


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
