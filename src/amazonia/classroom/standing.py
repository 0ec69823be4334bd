"""What a teacher lets a team do: one pure question, asked by the game's door and by every page."""

from __future__ import annotations

from typing import Literal

from amazonia.domain.case import Case
from amazonia.domain.session import State, holds
from amazonia.errors import ClassEnded, ClassHeld, ClassPaused, TeamRemoved
from amazonia.ports import Team
from amazonia.ports.classes import Classroom

Standing = Literal["playing", "paused", "held", "ended", "removed"]

_REFUSALS = {
    "paused": ClassPaused,
    "held": ClassHeld,
    "ended": ClassEnded,
    "removed": TeamRemoved,
}


def acts_of(case: Case, state: State) -> int:
    """How many acts a team has reached; at least one."""
    have = holds(case, state)
    return max(1, sum(1 for _, gate in case.acts if gate.open(have)))


def standing(room: Classroom, team: Team, case: Case, now: float) -> Standing:
    """How a team of a class stands. A held act is no gate: the team's state moves as ever."""
    if team.removed:
        return "removed"
    if room.is_over(now):
        return "ended"
    if room.paused:
        return "paused"
    names = [name for name, _ in case.acts]
    if room.held in names and acts_of(case, team.state) > names.index(room.held) + 1:
        return "held"
    return "playing"


def refuse_unless_playing(room: Classroom, team: Team, case: Case, now: float) -> None:
    """Stop an action of a team that its teacher does not let play now.

    Raises:
        ClassPaused, ClassHeld, ClassEnded, TeamRemoved: why. Nothing was changed.
    """
    refusal = _REFUSALS.get(standing(room, team, case, now))
    if refusal is not None:
        raise refusal(room.id)
