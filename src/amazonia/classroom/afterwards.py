"""What a teacher has of a class afterwards: the report, the data, and the end of the data."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from amazonia.classroom.questionnaire import HIGHEST, LOWEST, form_for
from amazonia.classroom.report import Report, make_report
from amazonia.classroom.rooms import Rooms
from amazonia.domain.case import Form, Lang
from amazonia.domain.errors import BadAnswer
from amazonia.ports import Clock, Library, Team
from amazonia.ports.classes import Classes, Classroom, Command
from amazonia.ports.reports import Judgement, Moment, Records

DAY = 86400.0
FEWEST_DAYS, MOST_DAYS = 7, 730
"""Days for which a class may be kept after something last happened in it."""
REPORTS = 8
"""Reports that a process remembers, to be shown again while nothing moved."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A questionnaire that waits for a team's answers."""

    moment: Moment
    form: Form


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The use cases around what is left of a class.

    Attributes:
        most_days: for how long this server keeps a class at most, whatever its teacher wants.
    """

    library: Library
    classes: Classes
    rooms: Rooms
    records: Records
    clock: Clock
    most_days: int = MOST_DAYS
    _made: OrderedDict[tuple[str, str, str], Report] = field(default_factory=OrderedDict)

    # ── the report ──────────────────────────────────────────────────────────────────────────────

    async def report(self, room: Classroom, lang: str) -> Report:
        """The report on a class as it is now.

        Args:
            lang: a language of the case; the class's own if the case does not have it.
        """
        case = self.library.case(room.case_id)
        spoken = Lang(lang) if lang in case.words else room.lang
        key = (room.id, spoken, await self.records.versions(room.id) + case.revision)
        made = self._made.get(key)
        if made is None:
            records = await self.records.of_class(room.id)
            made = await asyncio.to_thread(make_report, case, case.words[spoken], records)
            self._made[key] = made
            while len(self._made) > REPORTS:
                self._made.popitem(last=False)
        return made

    # ── the questionnaire ───────────────────────────────────────────────────────────────────────

    async def asked(self, team: Team) -> Asked | None:
        """The questionnaire that a team is to be shown now, if any.

        Before: as long as it asked nobody anything. After: once it has published. Whatever it
        answered or skipped is not asked again.
        """
        moment = _moment(team)
        case = self.library.case(team.case_id)
        if not team.class_id or moment is None or not case.questionnaire:
            return None
        if not (await self.rooms.get(team.class_id)).questionnaire:
            return None
        answered = {judged.moment: judged for judged in await self.records.judgements(team.id)}
        if moment in answered:
            return None
        number = await self.records.place(team.id)
        return Asked(moment, form_for(case, number, answered.get("before")))

    async def answer(self, team: Team, marks: Mapping[str, int]) -> bool:
        """Keep a team's answers; no marks at all mean that it skipped them.

        Returns:
            False if nothing was asked, or it was answered on another machine meanwhile.

        Raises:
            BadAnswer: a source has no mark, or one that is not on the scale.
        """
        asked = await self.asked(team)
        if asked is None:
            return False
        if marks:
            _check(asked.form, marks)
        answers = Judgement(asked.moment, asked.form.id, marks, self.clock.now())
        return await self.records.judge(team.id, answers)

    async def switch_questionnaire(self, room: Classroom, *, on: bool) -> Classroom:
        """Ask the teams of a class to judge sources, or stop asking."""
        return await self._change(room, questionnaire=on)

    # ── the end of the data ─────────────────────────────────────────────────────────────────────

    async def keep(self, room: Classroom, days: int) -> Classroom:
        """Keep a class for so many days after something last happened in it.

        Raises:
            BadAnswer: fewer or more than may be.
        """
        if not FEWEST_DAYS <= days <= self.most_days:
            raise BadAnswer(f"days must be from {FEWEST_DAYS} to {self.most_days}")
        return await self._change(room, keep_days=days)

    def kept_days(self, room: Classroom) -> int:
        """For how many days after its last activity a class is kept."""
        return min(room.keep_days, self.most_days)

    async def erase(self, room: Classroom) -> Mapping[str, int]:
        """Erase a class with everything that is kept of it, at once; how many rows by table."""
        for key in [key for key in self._made if key[0] == room.id]:
            del self._made[key]
        erased = await self.records.erase(room.id)
        self.rooms.changed(room.id)
        return erased

    async def erase_expired(self) -> int:
        """Erase the classes that were kept long enough; how many."""
        now, erased = self.clock.now(), 0
        least = min(FEWEST_DAYS, self.most_days)
        for class_id, last in await self.records.unused_since(now - least * DAY):
            room = await self.classes.get(class_id)
            if room is not None and last + self.kept_days(room) * DAY <= now:
                await self.erase(room)
                erased += 1
        return erased

    async def _change(self, room: Classroom, **what: Any) -> Classroom:
        now = self.clock.now()
        kept = Command("keep", what, now)
        after = await self.classes.change(room.id, lambda new: replace(new, **what), [kept], now)
        self.rooms.changed(room.id)
        return after


def _moment(team: Team) -> Moment | None:
    if team.state.editions:
        return "after"
    return None if team.state.said else "before"


def _check(form: Form, marks: Mapping[str, int]) -> None:
    if marks.keys() != form.items.keys():
        raise BadAnswer(f"marks must hold one mark for each of: {', '.join(form.items)}")
    if not all(LOWEST <= mark <= HIGHEST for mark in marks.values()):
        raise BadAnswer(f"a mark must be from {LOWEST} to {HIGHEST}")
