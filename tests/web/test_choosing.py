"""Which case a team plays, where there are several."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.worlds import CASES

from amazonia.content.library import Library
from amazonia.groundwork import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app
from amazonia.web.phrases import phrases

HTML = {"Accept": "text/html"}


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a server with two cases, of which the one that comes second is the usual one."""
    for name in ("mini", "acude"):
        shutil.copytree(CASES / "mini", tmp_path / "cases" / name)
    file = tmp_path / "cases" / "acude" / "case.yaml"
    file.write_text(file.read_text("utf-8").replace("id: mini\n", "id: acude\n"), "utf-8")
    settings = read_settings(
        {
            "AMAZONIA_DATA": str(tmp_path / "data"),
            "AMAZONIA_CASES": str(tmp_path / "cases"),
            "DEFAULT_CASE": "mini",
        }
    )
    library = Library(tmp_path / "cases", tmp_path / "learned")
    library.open()
    migrate(settings)
    app = create_app(settings, library)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://game.test") as client,
    ):
        yield client


async def test_a_team_chooses_its_case(visitor: httpx.AsyncClient) -> None:
    """The start shows the usual case and leads to the other; what was chosen is played."""
    page = (await visitor.get("/", headers=HTML)).text
    assert 'href="/?case=acude"' in page
    assert '"case": "mini"' in page
    other = (await visitor.get("/?case=acude", headers=HTML)).text
    assert 'href="/?case=mini"' in other
    assert '"case": "acude"' in other
    assert (await visitor.post("/api/session", json={})).json()["case"] == "mini"
    assert (await visitor.post("/api/session", json={"case": "acude"})).json()["case"] == "acude"
    again = (await visitor.get("/", headers=HTML)).text
    assert '"case": "acude"' in again, "a team's own case is on its start page"


async def test_the_hours_are_those_of_the_case(visitor: httpx.AsyncClient) -> None:
    """Above every page: the hour in the newsroom, and when the paper is read out."""
    await visitor.post("/api/session", json={})
    page = (await visitor.get("/newsroom", headers=HTML)).text
    assert "9h00" in page
    assert "o jornal vai ao ar às 11h00" in page


def test_hours_are_written_as_in_the_language() -> None:
    """8h40 in Portuguese is 8:40 in English, and noon is a word."""
    assert [phrases(lang).hour("8h40") for lang in ("pt-BR", "en")] == ["8h40", "8:40"]
    assert [phrases(lang).at("12h00") for lang in ("pt-BR", "en")] == ["ao meio-dia", "at noon"]
    assert phrases("en").at("11h00") == "at 11:00"


async def test_a_case_that_is_none(visitor: httpx.AsyncClient) -> None:
    """A page that says so, not a failure."""
    answer = await visitor.get("/?case=nenhum", headers=HTML)
    assert answer.status_code == 404
    assert "<h1" in answer.text
