"""What a team is missing: the next step of a short way, for its teacher's eyes.

Finding it takes some milliseconds of thinking, so it is never done while anybody waits for a turn:
one at a time, in a thread, with long rests, and once for all teams that stand at the same point.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from amazonia.domain.case import Case, ClueId, ConfrontationId, CounterId, RiddleId
from amazonia.domain.session import State
from amazonia.domain.solve import Move, next_move, start_atoms
from amazonia.domain.words import CaseWords
from amazonia.ports import Json

REST = 50.0
"""For each second of thinking, as many of rest: two hundredths of one core at most."""
MOST_KEPT = 4096

Place = tuple[str, str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """A next step; there is none if `move` is None."""

    move: Move | None


class NextSteps:
    """The next steps of teams, found in the background and kept."""

    def __init__(self, think: Callable[[Case, State], Move | None] = next_move) -> None:
        self._think = think
        self._kept: dict[Place, Found] = {}
        self._waiting: dict[Place, tuple[Case, State, list[Callable[[], None]]]] = {}
        self._task: asyncio.Task[None] | None = None

    def known(self, case: Case, state: State, tell: Callable[[], None]) -> Found | None:
        """The next step if it is known; else it is looked for, and `tell` called once it is."""
        place = _place(case, state)
        found = self._kept.get(place)
        if found is None:
            self._waiting.setdefault(place, (case, state, []))[2].append(tell)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._work())
        return found

    async def find(self, case: Case, state: State) -> Found:
        """The next step, looked for now: a teacher asks for this one team."""
        place = _place(case, state)
        if place not in self._kept:
            self._keep(place, Found(await asyncio.to_thread(self._think, case, state)))
        return self._kept[place]

    async def close(self) -> None:
        """Think no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            place = next(iter(self._waiting))
            case, state, tell = self._waiting[place]
            began = loop.time()
            self._keep(place, Found(await asyncio.to_thread(self._think, case, state)))
            took = loop.time() - began
            del self._waiting[place]
            for call in tell:
                call()
            await asyncio.sleep(REST * took)

    def _keep(self, place: Place, found: Found) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[place] = found


def told(case: Case, words: CaseWords, move: Move | None) -> Json:
    """A next step for people: `do`, and the names of what it is about.

    `who` and `about` for a conversation, `show` the clue to lay on the table, `gives` the clue
    that comes of it; `title` for a riddle or a confrontation, `clues` those to lay down.
    """
    if move is None:
        return {"do": "none"}
    match move.do:
        case "chat":
            topic = case.topic(move.subject)
            who = words.characters[topic.character]
            clue = topic.steps[int(move.detail) - 1].clue
            return {
                "do": "chat",
                "who": who.short,
                "about": who.topics[topic.id].suggestion,
                "show": words.clues[ClueId(move.show)].title if move.show else "",
                "gives": words.clues[clue].title if clue else "",
            }
        case "riddle":
            return {"do": "riddle", "title": words.riddles[RiddleId(move.subject)].title}
        case "counter":
            counter = case.counters[CounterId(move.subject)]
            return {"do": "counter", "who": words.characters[counter.by].short}
        case "confront":
            title = words.confrontations[ConfrontationId(move.subject)].title
            clues = [words.clues[ClueId(name)].title for name in move.clues]
            return {"do": "confront", "title": title, "clues": clues}
    return {"do": "publish"}


def _place(case: Case, state: State) -> Place:
    return case.id, case.revision, start_atoms(case, state)
