"""The small case `mini`, and services over it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from tests.learned import SharedLibrary

from amazonia.content.library import Library
from amazonia.domain.session import begin
from amazonia.groundwork import migrate
from amazonia.ports import Team
from amazonia.services import Services, open_services
from amazonia.settings import Settings, read_settings

CASES = Path(__file__).parent / "cases"


def mini_settings(data: Path, **environ: str) -> Settings:
    """Settings for the small case with a data folder."""
    return read_settings({"AMAZONIA_DATA": str(data), "AMAZONIA_CASES": str(CASES), **environ})


@cache
def mini_library() -> Library:
    """The small case."""
    library = SharedLibrary(CASES)
    library.open()
    return library


def new_team(id_: str = "team", code: str = "AAAABBBBCCCC") -> Team:
    """A team of the small case that has done nothing."""
    case = mini_library().case("mini")
    lang = next(iter(case.words))
    return Team(id_, case.id, lang, "Botos", 3, code, 0, begin(case))


@asynccontextmanager
async def mini_services(data: Path, **environ: str) -> AsyncIterator[Services]:
    """Services over a data folder, as one process has them."""
    settings = mini_settings(data, **environ)
    migrate(settings)
    async with open_services(settings, mini_library()) as services:
        yield services
