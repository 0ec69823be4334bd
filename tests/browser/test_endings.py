"""The whole case in a browser, to each of its endings, by the moves of `amazonia solve`."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Studio
from tests.domain.world import lama

pytestmark = pytest.mark.browser


class Player:
    """Performs the actions of a walkthrough on the pages."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.page: Page = studio.page

    def act(self, action: dict[str, Any]) -> None:
        """One action, as a pupil would do it."""
        getattr(self, action["do"])(action)

    def chat(self, action: dict[str, Any]) -> None:
        """Ask on the interview page of whoever is meant."""
        path = f"/interview/{action['entity_id']}"
        if not self.page.url.endswith(path):
            self.studio.go(path)
        assert self.studio.ask(action["message"])

    def riddle(self, action: dict[str, Any]) -> None:
        """Answer on the riddle's page and read why it is right."""
        self.studio.go(f"/riddle/{action['id']}")
        match action["answer"]:
            case list(order):
                self._order(order)
            case {"clues": clues, "union": union}:
                self._pick([*clues, union])
            case option:
                self._pick([option])
        self.page.get_by_role("button", name="Responder").click()
        expect(self.page.locator("#solved")).to_be_visible()

    def confront(self, action: dict[str, Any]) -> None:
        """Lay clues and a reason down in a round."""
        self.studio.go(f"/confront/{action['confrontation']}")
        form = self.page.locator(f'form[data-round="{action["round"]}"]')
        if not form.is_visible():
            self.page.locator("details.round", has=form).locator("summary").click()
        for value in (*action["clues"], action["reason"]):
            form.locator(f'input[value="{value}"]').check(force=True)
        form.get_by_role("button", name="mesa").click()
        expect(self.page.locator("details.round.won, #solved").first).to_be_attached()
        expect(form).to_have_count(0)

    def publish(self, action: dict[str, Any]) -> None:
        """Choose the claims, read the galley, send it to the air."""
        self.studio.go("/publish")
        for code in action["claims"]:
            self.page.locator(f'input[name="claim"][value="{code}"]').check(force=True)
        for group in self.page.locator("fieldset:has([data-decision])").all():
            group.locator("input").first.check(force=True)
        self.page.locator("[data-publish] button[type=submit]").click()
        self.page.locator("[data-go]").click()
        self.page.wait_for_url("**/ending")

    def _pick(self, values: list[str]) -> None:
        for value in values:
            self.page.locator(f'form[data-riddle] input[value="{value}"]').check(force=True)

    def _order(self, order: list[str]) -> None:
        for place, code in enumerate(order):
            pieces = self.page.locator("[data-piece]")
            while pieces.nth(place).get_attribute("data-piece") != code:
                self.page.locator(f'[data-piece="{code}"] [data-up]').click()


@pytest.mark.parametrize("studio", [{"reduced_motion": "reduce"}], indirect=True)
@pytest.mark.parametrize("ending", ["e1", "e2", "e3", "e4"])
def test_the_case_is_played_to_each_ending(studio: Studio, ending: str) -> None:
    """Interviews, riddles, confrontation and publication, all on the pages themselves."""
    world = lama()
    studio.begin()
    player = Player(studio)
    for action in world.guide.walkthrough(ending):
        player.act(action)
    headline = world.words.publication.endings[ending].headline
    expect(studio.page.locator("main")).to_contain_text(headline, ignore_case=True)
    expect(studio.page.locator("main")).to_contain_text(world.words.debrief[0])
