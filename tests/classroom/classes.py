"""Classes for tests: teams whose records are written by hand, and some that a simulation played."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.domain.world import PT, World

from amazonia.content.playtest import playtest
from amazonia.domain.session import Event, Spoken
from amazonia.ports.reports import Happened, Judgement, Question, Record

NINE = 1_790_000_000.0
"""Some moment in the morning at which classes begin here."""


def record(
    *moments: tuple[float, Sequence[Event]],
    name: str = "Botos",
    judgements: Sequence[Judgement] = (),
    joined: float = NINE,
) -> Record:
    """A team to which events happened at these seconds after it joined."""
    happened = [Happened(joined + after, event) for after, events in moments for event in events]
    questions = [
        Question(h.at, h.event.character, "scripted")
        for h in happened
        if isinstance(h.event, Spoken)
    ]
    return Record(name, name, 3, joined, tuple(happened), tuple(questions), tuple(judgements))


def simulated(world: World, teams: int, seed: int, turns: int = 120) -> list[Record]:
    """A class that played by itself: a turn takes from twenty seconds to two minutes."""
    chance = Random(seed)
    records = []
    for number, game in enumerate(
        playtest(world.case, PT, world.listener, teams, seed, turns=turns).games
    ):
        after, moments = 0.0, []
        for events in game.events:
            after += chance.uniform(20, 120)
            moments.append((after, events))
        records.append(record(*moments, name=f"Equipe {number + 1:02}"))
    return records
