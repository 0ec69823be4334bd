"""The live view: made once for all who look on, told only what changed, thinking only at rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.worlds import mini_library, mini_services, new_team

from amazonia.classroom.live import IDLE, STUCK, Boards
from amazonia.classroom.missing import NextSteps, told
from amazonia.classroom.rooms import Rooms
from amazonia.classroom.standing import standing
from amazonia.domain.case import Case, ClueId
from amazonia.domain.session import ClueFound, HintTaken, State
from amazonia.domain.solve import Move, next_move
from amazonia.ports import Change, Clock, StreamEvent, Team
from amazonia.ports.classes import Classroom
from amazonia.services import Services


@dataclass
class Later:
    """The server's clock, set forward."""

    clock: Clock
    ahead: float = 0.0

    def now(self) -> float:
        return self.clock.now() + self.ahead

    def monotonic(self) -> float:
        return self.clock.monotonic() + self.ahead


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with mini_services(tmp_path / "data") as services:
        yield services


@pytest.fixture
async def room(services: Services) -> Classroom:
    return (await services.registry.open("mini", None)).room


async def added(services: Services, room: Classroom, id_: str, at: float) -> Team:
    """A team of the class, which joined at a moment."""
    team = replace(new_team(id_, id_.upper().ljust(12, "X")), class_id=room.id)
    await services.game.teams.add(team, at)
    return team


async def moved(services: Services, team: Team, at: float, *events: Any) -> None:
    """The team does something at a moment."""
    events = events or (HintTaken("r_relogio"),)
    await services.game.teams.change(team.id, lambda _: Change(events, None), at)


def boards(services: Services, clock: Clock) -> tuple[Boards, Rooms]:
    """The live view by another clock."""
    registry = services.registry
    rooms = Rooms(registry.classes, clock)
    steps = services.lessons.steps
    return Boards(registry.library, registry.classes, rooms, steps, clock), rooms


async def teams_of(events: AsyncIterator[StreamEvent]) -> dict[str, Any]:
    """The next `teams` event, by team."""
    async with asyncio.timeout(10):
        async for event in events:
            if event.kind == "teams":
                return {team["id"]: team for team in event.data["teams"]}
    raise AssertionError("the stream ended")


async def test_a_team_that_tries_in_vain_is_stuck_and_one_that_does_nothing_idle(
    services: Services, room: Classroom
) -> None:
    """By the server's clock; the stuck one's teacher is told what it is missing."""
    now = services.clock.now()
    trying = await added(services, room, "trying", now)
    await added(services, room, "asleep", now)
    await moved(services, trying, now + STUCK - 5)
    found, rooms = boards(services, Later(services.clock, ahead=max(STUCK, IDLE) + 10))
    events = found.follow(room.id)
    teams = await teams_of(events)
    assert (teams["trying"]["mood"], teams["asleep"]["mood"]) == ("stuck", "idle")
    missing = teams["trying"]["missing"] or (await teams_of(events))["trying"]["missing"]
    case = services.library.case("mini")
    assert missing == told(case, case.words[trying.lang], next_move(case, trying.state))
    await events.aclose()  # type: ignore[attr-defined]
    await rooms.close()


async def test_a_step_forward_is_progress(services: Services, room: Classroom) -> None:
    """A team that found something lately is playing, however long it has been there."""
    now = services.clock.now()
    team = await added(services, room, "finder", now)
    await moved(services, team, now + STUCK, ClueFound(ClueId("migalhas"), "cida"))
    found, rooms = boards(services, Later(services.clock, ahead=STUCK + 20))
    events = found.follow(room.id)
    assert (await teams_of(events))["finder"]["mood"] == "playing"
    await events.aclose()  # type: ignore[attr-defined]
    await rooms.close()


async def test_one_reading_serves_all_who_look_on(services: Services, room: Classroom) -> None:
    """Ten pages cost as many queries as one."""
    team = await added(services, room, "seen", services.clock.now())
    found, rooms = boards(services, services.clock)
    pages = [found.follow(room.id) for _ in range(10)]
    await asyncio.gather(*(teams_of(page) for page in pages))
    before = services.database.jobs
    await moved(services, team, services.clock.now())
    told_all = await asyncio.gather(*(teams_of(page) for page in pages))
    assert all(list(teams) == ["seen"] for teams in told_all)
    # Writing, the looks at what moved, and one reading of the team; not ten.
    assert services.database.jobs - before <= 10
    for page in pages:
        await page.aclose()  # type: ignore[attr-defined]
    await rooms.close()


async def test_a_held_act_holds_those_who_reached_the_next(services: Services) -> None:
    """And nobody else; what the rules open stays open."""
    case = mini_library().case("mini")
    team = new_team()
    room = (await services.registry.open("mini", None)).room
    first = case.acts[0][0]
    held = replace(room, held=first)
    now = services.clock.now()
    assert standing(held, team, case, now) == "playing"
    if len(case.acts) > 1:
        needed = next(iter(case.acts[1][1].ways))
        state = replace(team.state, clues=tuple(ClueId(name) for name in needed))
        assert standing(held, replace(team, state=state), case, now) in {"held", "playing"}
    assert standing(replace(room, paused=True), team, case, now) == "paused"
    assert standing(replace(room, paused=True), replace(team, removed=True), case, now) == "removed"
    assert standing(room, team, case, room.ends_at) == "ended"


async def test_thinking_is_done_once_for_a_place_and_one_at_a_time() -> None:
    """Two teams at the same point cost one search; it runs in the background and then is known."""
    case, thought = mini_library().case("mini"), []

    def think(case: Case, state: State) -> Move | None:
        thought.append(state)
        return next_move(case, state)

    steps, rung = NextSteps(think), asyncio.Event()
    state = new_team().state
    assert steps.known(case, state, rung.set) is None
    assert steps.known(case, replace(state), rung.set) is None
    async with asyncio.timeout(10):
        await rung.wait()
    found = steps.known(case, state, rung.set)
    assert found is not None
    assert found.move == next_move(case, state)
    assert await steps.find(case, state) == found
    assert len(thought) == 1
    await steps.close()


@pytest.mark.parametrize("lang", ["pt-BR"])
async def test_every_step_of_the_way_can_be_told(lang: str) -> None:
    """From the beginning to the end, whatever a team is missing has words."""
    from amazonia.domain.case import Lang
    from amazonia.domain.solve import plan

    case = mini_library().case("mini")
    words = case.words[Lang(lang)]
    told_steps = [told(case, words, move) for move in plan(case)]
    assert told_steps[-1] == {"do": "publish"}
    assert {step["do"] for step in told_steps} >= {"chat", "riddle"}
    assert all(
        value != "" or key in {"show", "gives"} for s in told_steps for key, value in s.items()
    )
    assert told(case, words, None) == {"do": "none"}
