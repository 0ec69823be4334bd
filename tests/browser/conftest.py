"""A real Chromium before a real server; nothing may go wrong unnoticed on any page."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.server import Server, serve

CASES = Path(__file__).parents[2] / "cases"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Studio:
    """A browser window of one team.

    Attributes:
        faults: what no page may do: errors on the console, requests to strangers.
    """

    url: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the game."""
        self.page.goto(self.url + path)
        return self.page

    def begin(self) -> Page:
        """Start an investigation without looking at the pages that lead to it."""
        assert self.context.request.post(f"{self.url}/api/session", data={}).ok
        return self.go("/newsroom")

    def ask(self, question: str) -> str:
        """Ask whoever is interviewed and wait for the whole reply."""
        replies = self.page.locator(".turn[data-turn] .said.done")
        before = replies.count()
        self.page.fill("#question", question)
        self.page.keyboard.press("Enter")
        replies.nth(before).wait_for()
        self.page.wait_for_function("!document.body.classList.contains('on-air')")
        return replies.nth(before).inner_text()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the bundled cases."""
    with serve(tmp_path_factory.mktemp("browser") / "data", cases=CASES) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Closed after each file: it keeps an event loop, in which other tests of
    the run could not run their own.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def studio(server: Server, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Studio]:
    """A window; after the test there must be no fault but those that it expected.

    A test may ask for another window with ``@pytest.mark.parametrize("window", […])``.
    """
    window = getattr(request, "param", {})
    context = chromium.new_context(
        **{"viewport": {"width": 1366, "height": 768}, "locale": "pt-BR", **window}
    )
    context.set_default_timeout(10_000)
    studio = Studio(server.url, context, context.new_page())
    host = urlsplit(server.url).netloc
    studio.page.on(
        "console",
        lambda m: studio.faults.append(m.text) if m.type in {"error", "warning"} else None,
    )
    studio.page.on("pageerror", lambda error: studio.faults.append(str(error)))
    studio.page.on(
        "request",
        lambda r: (
            studio.faults.append(f"asked {r.url}")
            if re.match("https?:", r.url) and urlsplit(r.url).netloc != host
            else None
        ),
    )
    yield studio
    context.close()
    assert not studio.faults
