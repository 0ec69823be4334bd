"""The whole case in a browser while its provider goes through every way of failing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import CASES, Studio
from tests.browser.test_endings import Player
from tests.domain.world import lama
from tests.providers import FaultyProvider, provider
from tests.server import Server, serve

from amazonia.devprovider.profiles import NAMES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PROFILES = [name for name in NAMES if name not in {"badkey", "mixed", "refuse"}] + ["refuse"]
"""In this order; a refused key would end it, and `mixed` is what all this is."""


@pytest.fixture(scope="module")
def failing() -> Iterator[FaultyProvider]:
    """A provider, ten times as fast as a real one."""
    with provider("fast", speed=10) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, failing: FaultyProvider) -> Iterator[Server]:
    """The game with that provider, and as impatient as it is fast."""
    data = tmp_path_factory.mktemp("failing") / "data"
    times = {"TURN_DEADLINE": "3", "FIRST_TOKEN_TIMEOUT": "1", "STALL_TIMEOUT": "0.7"}
    with serve(data, cases=CASES, OPENAI_BASE_URL=failing.url, **times) as running:
        yield running


@pytest.mark.parametrize("studio", [{"reduced_motion": "reduce"}], indirect=True)
def test_the_case_is_played_through_every_fault(studio: Studio, failing: FaultyProvider) -> None:
    """The same moves lead to the same ending; every reply is there, whole, and none is an error."""
    world = lama()
    studio.begin()
    player = Player(studio)
    profiles = cycle(PROFILES)
    for action in world.guide.walkthrough(None):
        if action["do"] == "chat":
            failing.switch(next(profiles), speed=10)
        player.act(action)
    headline = world.words.publication.endings[world.case.publication.best].headline
    expect(studio.page.locator("main")).to_contain_text(headline, ignore_case=True)
    tried = failing.stats()["by_profile"]
    assert len(tried) >= 6, tried  # the others met an open breaker, which is a fault of its own
