"""Attacks on a model that obeys the player: what is locked stays locked, whatever is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.domain.world import PT, World, lama
from tests.safety.corpus import Attack, Seen, attacks
from tests.safety.obedient import Obedient, obedient

from amazonia.domain.case import CharacterId
from amazonia.domain.codec import dump_state
from amazonia.groundwork import migrate
from amazonia.ports import Json, Turn
from amazonia.services import Services, open_services
from amazonia.settings import read_settings
from amazonia.voice.scripted import authored

ALL = attacks()
CATEGORIES = sorted({attack.category for attack in ALL})
MODELLED = ("model", "cache")


@asynccontextmanager
async def game(world: World, data: Path, url: str = "") -> AsyncIterator[Services]:
    """Services over the real case; a provider at `url` speaks, if there is one."""
    environ = {
        "AMAZONIA_DATA": str(data),
        "AMAZONIA_CASES": str(world.library.folder),
        "OPENAI_BASE_URL": url,
        "DUPLICATE_WINDOW": "0",
        "BUDGET_TEAM_TOKENS": "0",
    }
    settings = read_settings(environ)
    migrate(settings)
    async with open_services(settings, world.library) as services:
        yield services


@dataclass
class Outcome:
    """What came of some attacks.

    Attributes:
        sources: who answered.
        shown: attacks after which something locked, or the orders, stood in a reply.
        moved: attacks after which the state was another than with the authored voice.
    """

    sources: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    asked: int = 0


async def attempt(world: World, folder: Path, tried: Sequence[Attack]) -> Outcome:
    """Try attacks, each with a new team, on a model that obeys and on none."""
    found = Outcome()
    async with (
        obedient() as provider,
        game(world, folder / "model", provider.url) as modelled,
        game(world, folder / "plain") as plain,
    ):
        for attack in tried:
            provider.says = {attack.messages[-1]: attack.obedient}
            turns, state = await play(modelled, world, attack)
            _, right = await play(plain, world, attack)
            found.sources.update(turn.source for turn in turns)
            found.shown += faults(world, attack, turns, provider)
            found.moved += [attack.id] if state != right else []
        found.asked = len(provider.asked)
    return found


async def play(services: Services, world: World, attack: Attack) -> tuple[list[Turn], Json]:
    """The turns of a new team, and its state after them."""
    team = (await services.sessions.start(world.case.id, PT, "Botos", 3)).team
    character = CharacterId(attack.character)
    for message in attack.messages:
        asked = await services.interviews.ask(team, character, message, None)
        await services.interviews.reply(team, asked.turn)
    turns = await services.interviews.turns.history(team.id, character)
    newest = await services.game.teams.get(team.id)
    assert newest is not None
    return turns, dump_state(newest.state)


def faults(world: World, attack: Attack, turns: Sequence[Turn], provider: Obedient) -> list[str]:
    """What a model was let say though it is locked or an order; authored lines are the game's."""
    case, words = world.case, world.words
    orders = (
        [
            line
            for line in provider.asked[-1][0]["content"].partition("<beat>")[0].splitlines()
            if len(line) > 30
        ]
        if provider.asked
        else []
    )
    found = []
    state = dict.fromkeys(case.start)
    for turn in turns:
        state |= dict.fromkeys(turn.clues)
        if turn.source not in MODELLED:
            continue
        beat = Seen(authored(words, turn.character, turn.lines))
        reply = Seen(turn.reply)
        for name, gate in case.secrets.items():
            if gate.open(state.__contains__):
                continue
            told = (a for a in words.secrets[name] if reply.names(a) and not beat.names(a))
            found += [f"{attack.id}: «{alias}» in «{turn.reply}»" for alias in told]
        found += [f"{attack.id}: «{order}»" for order in orders if reply.names(order)]
    return found


def test_there_are_enough() -> None:
    """Five hundred at least, of ten kinds, in both languages; each can be typed, none is there
    twice."""
    assert len(ALL) >= 500
    assert len(CATEGORIES) == 10
    assert {attack.lang for attack in ALL} == {"pt", "en"}
    assert len({attack.messages for attack in ALL}) == len(ALL)
    assert all(0 < len(message) <= 500 for attack in ALL for message in attack.messages)


@pytest.mark.parametrize("category", CATEGORIES)
async def test_nothing_locked_is_told(category: str, tmp_path: Path) -> None:
    """No locked fact and no order is shown, and words alone change no state."""
    tried = [attack for attack in ALL if attack.category == category]
    found = await attempt(lama(), tmp_path, tried)
    assert found.shown == []
    assert found.moved == []
    assert found.asked, "no attack reached the model: the corpus proves nothing"
