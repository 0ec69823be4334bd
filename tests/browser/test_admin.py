"""The control room in a browser: by keyboard, without a script, on a phone, in any light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Studio
from tests.server import Server, serve

pytestmark = pytest.mark.browser

TOKEN = "a-token-for-tests"
NOBODY = "http://127.0.0.1:9/v1"

FAINT = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const linear = (v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("script, .skip")) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(1)} ${text}`);
  }
  return found;
}"""
"""Texts whose contrast is less than 4.5 (WCAG 2.2, 1.4.3, relative luminance)."""

NAMELESS = """() => [...document.querySelectorAll("button, a, input:not([hidden], [type=hidden])")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
  .map((e) => e.outerHTML)"""
"""What can be used and has no name for a screen reader."""

BIGGER = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a provider that nobody ever calls."""
    data = tmp_path_factory.mktemp("admin") / "data"
    with serve(data, "--workers", "1", ADMIN_TOKEN=TOKEN, OPENAI_BASE_URL=NOBODY) as running:
        yield running


def enter(studio: Studio) -> Page:
    """Sign in by keyboard."""
    page = studio.go("/admin")
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.locator("#voice-rows").wait_for()
    return page


def switch(page: Page) -> Any:
    """The button of the only provider."""
    return page.locator("#switch-1")


@pytest.mark.parametrize(
    "studio",
    [{"java_script_enabled": True}, {"java_script_enabled": False}],
    ids=["script", "no script"],
    indirect=True,
)
def test_everything_is_done_with_or_without_a_script(studio: Studio) -> None:
    """A wrong token, the right one, off, on, clear, leave."""
    page = studio.go("/admin")
    page.fill("#token", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".error#wrong")).to_be_visible()
    studio.faults.clear()  # the browser tells of the 403 on the console
    enter(studio)
    expect(switch(page)).to_have_text("Desligar")
    switch(page).press("Enter")
    expect(switch(page)).to_have_text("Ligar")
    expect(page.locator(".state")).to_have_text("desligada")
    switch(page).press("Enter")
    expect(page.locator(".state")).to_have_text("atende")
    page.get_by_role("button", name="Esvaziar caches").press("Enter")
    expect(page.locator(".told")).to_contain_text("Esvaziado")
    page.get_by_role("button", name="Sair").press("Enter")
    expect(page.locator("#token")).to_be_visible()


def test_the_page_renews_itself(studio: Studio) -> None:
    """What another administrator does shows soon, and the focus stays where it is."""
    studio.page.clock.install()
    page = enter(studio)
    switch(page).focus()
    with httpx.Client(base_url=studio.url, trust_env=False) as other:
        other.post("/admin/sign-in", data={"token": TOKEN})
        for turn, told in (("off", "Ligar"), ("on", "Desligar")):
            other.post("/admin/voices", data={"voice": "openai", "turn": turn})
            page.clock.fast_forward(6_000)
            expect(switch(page)).to_have_text(told)
            expect(switch(page)).to_be_focused()


@pytest.mark.parametrize(
    "studio",
    [
        {"color_scheme": scheme, "viewport": {"width": width, "height": height}, "locale": lang}
        for scheme, lang in (("light", "pt-BR"), ("dark", "en-US"))
        for width, height in ((1366, 768), (360, 740))
    ],
    ids=lambda w: f"{w['color_scheme']} {w['viewport']['width']}",
    indirect=True,
)
def test_everybody_can_read_it(studio: Studio) -> None:
    """Enough contrast, a name for every control, one first heading, nothing beyond the edge."""
    page = studio.go("/admin")
    for show in (lambda: None, lambda: enter(studio)):
        show()
        assert page.evaluate(FAINT) == []
        assert page.evaluate(NAMELESS) == []
        assert page.locator("h1").count() == 1
        wide, window = page.evaluate(BIGGER)
        assert wide <= window
