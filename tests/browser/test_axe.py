"""axe over every page that anybody sees, by day and by night."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page
from starlette.routing import Route
from tests.browser.conftest import CASES, Studio
from tests.browser.test_report import open_class, play
from tests.server import Server, free_port, serve

from amazonia.content.new import new_case
from amazonia.studio.app import create_desk
from amazonia.studio.desk import Desk
from amazonia.web import admin, class_pages, pages, reporting

pytestmark = pytest.mark.browser

TOKEN = "a-token-for-tests"
CALM = {"reduced_motion": "reduce", "color_scheme": "light"}
WHOLE, COLOURS = {"resultTypes": ["violations"]}, {"runOnly": ["color-contrast"]}
"""Only colours are others by night."""
MIDDLE = 25
"""Moves of the walkthrough after which much is open and nothing is over."""
ANYBODY = ["/", "/join", "/class", "/class/enter", "/class/sheet", "/credits", "/privacy"]
ANYBODY += ["/problems/not-found", "/nothing-there"]
PLAYING = ["/opening", "/newsroom", "/notebook", "/challenges", "/glossary", "/code"]
PLAYING += ["/interview/esmerina", "/interview/graca", "/publish"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has an administrator."""
    data = tmp_path_factory.mktemp("axe") / "data"
    with serve(data, "--workers", "1", cases=CASES, ADMIN_TOKEN=TOKEN) as running:
        yield running


class Visits:
    """Looks at pages, each by day and by night.

    Attributes:
        seen: the addresses.
        faults: what axe found, by address.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.seen: list[str] = []
        self.faults: list[str] = []

    def look(self, *paths: str) -> None:
        """Go to pages of the game."""
        for path in paths:
            self.judge(self.studio.go(path), path)

    def judge(self, page: Page, path: str) -> None:
        """Run axe over the page that is open."""
        page.wait_for_load_state()
        page.evaluate(AXE_SCRIPT)
        self.seen.append(path)
        for scheme, options in (("light", WHOLE), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            told: dict[str, Any] = page.evaluate("options => axe.run(options)", options)
            self.faults += [
                f"{path} by {scheme}: {found['id']} ({found['impact']}): {node['html'][:150]}"
                for found in told["violations"]
                for node in found["nodes"]
            ]
        page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("studio", [CALM], indirect=True)
def test_every_page_is_for_everybody(studio: Studio, server: Server) -> None:
    """Nothing that axe finds: names, roles, order, contrast. No page of the table is left out."""
    visits, call = Visits(studio), studio.context.request

    def begin(moves: int | None, **joins: str) -> None:
        """Be a new team that has played."""
        assert call.post(f"{studio.url}/api/session", data={"lang": "pt-BR", **joins}).ok
        play(call, studio.url, moves)

    visits.look(*ANYBODY)
    begin(MIDDLE)
    visits.look(*PLAYING)
    state = call.get(f"{studio.url}/api/state").json()
    visits.look(*(f"/riddle/{each['id']}" for each in state["riddles"]))
    visits.look(*(f"/confront/{each['id']}" for each in state["confrontations"]))
    begin(None)
    visits.look("/newsroom", "/publish", "/ending")
    code = open_class(studio)
    begin(0, class_code=code)
    visits.look(f"/j/{code}", f"/class/{code}", f"/class/{code}/wall", f"/class/{code}/report")
    visits.look("/newsroom", "/judge", "/admin")
    studio.page.fill("#token", TOKEN)
    studio.page.keyboard.press("Enter")
    studio.page.locator("#token").wait_for(state="detached")
    visits.judge(studio.page, "/admin")
    studio.faults[:] = [fault for fault in studio.faults if "the server responded" not in fault]
    assert visits.faults == []
    assert unseen(visits.seen) == []


def unseen(seen: list[str]) -> list[str]:
    """The pages of the application's own tables that were not looked at."""
    tables = (pages.router, class_pages.router, reporting.pages, admin.router)
    routes = [route for table in tables for route in table.routes if isinstance(route, Route)]
    paths = {route.path for route in routes if "GET" in (route.methods or ())}
    shown = [path for path in paths if not path.endswith("/file")]
    return sorted(path for path in shown if not any(fits(path, one) for one in seen))


def fits(template: str, path: str) -> bool:
    """Whether an address is one of a route."""
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


@contextmanager
def desk(folder: Path) -> Iterator[str]:
    """The address of an author's desk with a new case on it."""
    case = Desk(new_case(folder, "filo"), folder / "learned")
    case.look()
    port = free_port()
    config = uvicorn.Config(create_desk(case, "pt-BR"), port=port, log_config=None)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join()


@pytest.mark.parametrize("studio", [CALM], indirect=True)
def test_the_author_s_desk_is_for_everybody(studio: Studio, tmp_path: Path) -> None:
    """The live preview, with a question asked."""
    with desk(tmp_path) as url:
        visits = Visits(studio)
        studio.page.goto(url)
        studio.page.wait_for_load_state("networkidle")
        visits.judge(studio.page, "desk")
        studio.page.goto("about:blank")  # it asks the desk for news
    studio.faults.clear()  # another address than the game's, and portraits that are not drawn yet
    assert visits.faults == []
