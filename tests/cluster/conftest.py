"""One cluster for all tests of this folder: they break it, and leave it whole."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.learned import LEARNED, learn
from tests.providers import FaultyProvider, provider

from amazonia.content.library import bundled_cases
from amazonia.loadtest.cluster import Cluster, cluster

SPEED = 3.0


@pytest.fixture(scope="package")
def model() -> Iterator[FaultyProvider]:
    """A provider that speaks for one to three seconds."""
    with provider("healthy", speed=SPEED) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def running(
    tmp_path_factory: pytest.TempPathFactory, model: FaultyProvider
) -> AsyncIterator[Cluster]:
    """Three games behind nginx, with PostgreSQL, Redis and a worker."""
    learn(bundled_cases())
    folder = tmp_path_factory.mktemp("cluster")
    environ = {
        "AMAZONIA_CASES": str(bundled_cases()),
        "OPENAI_BASE_URL": model.url,
        "TURN_DEADLINE": "10",
        "FIRST_TOKEN_TIMEOUT": "3",
    }
    async with cluster(folder, LEARNED, environ=environ, postgres_settings=("fsync=off",)) as made:
        yield made
        _keep_logs(folder)


def _keep_logs(folder: Path) -> None:
    """Logs of a run are worth more than the folder that pytest forgets."""
    kept = Path("test-results/cluster")
    kept.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)


@pytest_asyncio.fixture(loop_scope="package", autouse=True)
async def whole(running: Cluster) -> AsyncIterator[None]:
    """What a test has ended runs again after it."""
    yield
    for part in running.parts:
        if part.process is None or part.process.poll() is not None:
            part.launch()
        part.thaw()
    await asyncio.gather(*(part.answers() for part in running.parts))
