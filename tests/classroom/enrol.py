"""Puts recorded teams into a class of a real database, as if they had played there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from tests.classroom.classes import NINE

from amazonia.domain.case import CharacterId
from amazonia.domain.director import Beat
from amazonia.domain.session import Event
from amazonia.play.sessions import Joining
from amazonia.ports import Asked, Change, Opening, Team
from amazonia.ports.classes import Classroom
from amazonia.ports.reports import Record
from amazonia.services import Services


@dataclass
class Told:
    """A clock that is told the time."""

    at: float = NINE

    def now(self) -> float:
        """What it was told last."""
        return self.at

    def monotonic(self) -> float:
        """The same."""
        return self.at


async def enrol(services: Services, room: Classroom, records: Sequence[Record]) -> list[Team]:
    """Let the teams of the records join a class, with everything that happened to them."""
    return [await _enrol(services, room, record) for record in records]


async def _enrol(services: Services, room: Classroom, record: Record) -> Team:
    sessions = replace(services.sessions, clock=Told(record.joined_at))
    joining = Joining(room.id, (), 60)
    team = (await sessions.start(room.case_id, room.lang, None, record.members, joining)).team
    await services.game.teams.rename(team.id, record.name, record.members, record.joined_at)
    moments: dict[float, list[Event]] = {}
    for happened in record.happened:
        moments.setdefault(happened.at, []).append(happened.event)
    for at, events in moments.items():
        await services.game.teams.change(team.id, partial(_with, events), at)
    for number, question in enumerate(record.questions):
        await _ask(services, team, question.character, f"{team.id[:12]}{number:04}", question.at)
    for judged in record.judgements:
        await services.afterwards.records.judge(team.id, judged)
    return team


def _with(events: Sequence[Event], _team: Team) -> Change[None]:
    return Change(events, None)


async def _ask(services: Services, team: Team, who: CharacterId, turn_id: str, at: float) -> None:
    beat = Beat(who, "answer", "", "", (), (), (), ())
    opening = Opening(turn_id, 0, beat, {}, "nobody", at)
    turns = services.interviews.turns
    asked = Asked(team.id, who, turn_id, turn_id, None, at)
    accepted = await turns.accept(asked, lambda _: opening)
    await turns.finish(accepted.turn, [], "…", "scripted", at)
