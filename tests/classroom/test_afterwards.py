"""What is left of a class: its report from the database, its questionnaire, the end of its data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.postgres import new_database
from tests.worlds import mini_services

from amazonia.classroom.afterwards import DAY, Afterwards
from amazonia.domain.case import CharacterId
from amazonia.domain.errors import BadAnswer
from amazonia.domain.session import Published, Spoken
from amazonia.jobs.purge import purge
from amazonia.play.sessions import Joining
from amazonia.ports import Change, Purse, Team
from amazonia.ports.classes import Classroom, Flag
from amazonia.ports.jobs import Job, JobFile
from amazonia.services import Services
from amazonia.store.spending import StoredSpending
from amazonia.store.tables import metadata


@dataclass(frozen=True)
class Stopped:
    """A clock that stands."""

    at: float

    def now(self) -> float:
        """Always the same."""
        return self.at

    def monotonic(self) -> float:
        """Always the same."""
        return self.at


SOLID_AND_WEAK = {"a": {"placar": 5, "recado": 1}, "b": {"mural": 5, "fofoca": 1}}


@pytest.fixture(params=["sqlite", "postgres"])
async def services(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Services]:
    """The services over an empty database, of either kind."""
    with ExitStack() as stack:
        environ = {}
        if request.param == "postgres":
            environ["DATABASE_URL"] = stack.enter_context(new_database(empty=True))
        async with mini_services(tmp_path / "data", **environ) as services:
            yield services


@dataclass(frozen=True)
class School:
    """A class with its teams."""

    room: Classroom
    teams: tuple[Team, ...]


async def school(services: Services, *names: str, lived: bool = True) -> School:
    """A class whose teams did a bit of everything that leaves something behind."""
    opened = await services.registry.open("mini", "pt-BR")
    room = await services.afterwards.switch_questionnaire(opened.room, on=True)
    teams = []
    for name in names:
        joining = Joining(room.id, (), 60)
        team = (await services.sessions.start("mini", "pt-BR", None, 3, joining)).team
        await services.game.teams.rename(team.id, name, 3, services.clock.now())
        if lived:
            await _live(services, team)
        teams.append(team)
    if lived:
        await _order(services, room)
    return School(room, tuple(teams))


async def _order(services: Services, room: Classroom) -> None:
    """A job of the class's, with the file that it made."""
    now = services.clock.now()
    job = Job(
        id=room.id,
        name="report",
        arguments={},
        owner=f"class:{room.id}",
        key=room.id,
        status="queued",
        attempt=0,
        progress=0.0,
        note="",
        result={},
        error="",
        trace="",
        created_at=now,
        deadline=now + 60,
        due_at=now + 60,
        ended_at=None,
    )
    await services.jobs.add(job, now)
    begun = await services.jobs.begin(job.id, now, now + 60)
    assert begun is not None
    assert await services.jobs.finish(begun, {}, JobFile("x", "y", b"z", now + 60), now)


async def _live(services: Services, team: Team) -> None:
    asked = await services.afterwards.asked(team)
    assert asked is not None
    await services.afterwards.answer(team, SOLID_AND_WEAK[asked.form.id])
    interviews = services.interviews
    accepted = await interviews.ask(team, "cida", "Quem comeu o bolo?", None)
    await interviews.reply(team, accepted.turn)
    await interviews.turns.report(accepted.turn.id, team.id, "rude", 1.0)
    await services.registry.classes.flag(Flag(team.id, "distress", "…", 2.0))
    spending = StoredSpending(services.database)
    purses = [Purse(f"team:{team.id}", 0, 0), Purse(f"class:{team.class_id}", 0, 0)]
    await spending.reserve("2026-11-27", purses, 10, 10)
    rule = Change([Published(("f1",), (), "e3")], None)
    await services.game.teams.change(team.id, lambda _: rule, services.clock.now())


async def counts(services: Services) -> dict[str, int]:
    """How many rows every table of the database holds."""

    async def count(name: str) -> int:
        statement = select(func.count()).select_from(metadata.tables[name])
        row = await services.database.read(lambda tx: tx.row(statement, {}))
        assert row is not None
        return int(row[0])

    return {name: await count(name) for name in metadata.tables}


async def test_erasing_a_class_leaves_nothing_of_it(services: Services) -> None:
    """Whatever a class and its teams left in any table is gone at once; another class's is not."""
    await school(services, "Boto", "Tucuxi")
    before = await counts(services)
    doomed = await school(services, "Ariranha", "Mucura", "Jaçanã")
    await services.registry.classes.remove_team(doomed.room.id, doomed.teams[2].id, 3.0)
    full = await counts(services)
    personal = [
        name
        for name, table in metadata.tables.items()
        if {"team_id", "class_id", "turn_id"} & set(table.c.keys())
        or name in {"classes", "spending", "jobs", "job_files"}
    ]
    for name in personal:
        # A test that proves erasing must have something to erase. Streams end with their turns.
        if name not in {"listeners", "turn_events"}:
            assert full[name] > before[name], f"nothing in '{name}' to erase"

    erased = await services.afterwards.erase(doomed.room)

    assert await counts(services) == before
    assert erased["teams"] == 3
    assert {n: full[n] - before[n] for n in full if n in personal} == {
        n: erased.get(n, 0) for n in personal
    }
    assert await services.registry.classes.get(doomed.room.id) is None


async def test_everything_that_is_kept_is_handed_over(services: Services) -> None:
    """An export has each row that erasing would take, and nothing that opens doors."""
    await school(services, "Boto")
    ours = await school(services, "Ariranha", "Mucura")
    kept = await services.afterwards.records.everything(ours.room.id)
    text = repr(kept)
    assert {team["name"] for team in kept["teams"]} == {"Ariranha", "Mucura"}
    assert kept["turns"][0]["message"] == "Quem comeu o bolo?"
    assert kept["judgements"][0]["marks"]
    for team in ours.teams:
        assert team.resume_code not in text
    assert ours.room.key not in text
    erased = await services.afterwards.erase(ours.room)
    made = {"jobs", "job_files"}
    assert {name: len(rows) for name, rows in kept.items()} == {
        name: n for name, n in erased.items() if name not in made
    }


async def test_the_report_is_of_what_is_stored(services: Services) -> None:
    """Events, questions, marks and answers of the class's teams, and of no other's."""
    await school(services, "Boto")
    ours = await school(services, "Ariranha", "Mucura")
    report = await services.afterwards.report(ours.room, "pt-BR")
    assert [team.name for team in report.teams] == ["Ariranha", "Mucura"]
    for team in report.teams:
        assert (team.questions, team.complaints, team.flags) == (1, 1, ((2.0, "distress"),))
        assert [issue.ending for issue in team.issues] == ["e3"]
    assert report.judging is not None
    assert (report.judging.before, report.judging.n) == (2, 0)


async def test_a_report_moves_with_the_class(services: Services) -> None:
    """A report is made once; when a team moves it is made anew; a removed team is left out."""
    ours = await school(services, "Ariranha", "Mucura")
    afterwards, room = services.afterwards, ours.room
    first = await afterwards.report(room, "pt-BR")
    assert await afterwards.report(room, "pt-BR") is first
    said = Change([Spoken(CharacterId("beto"), ("x",))], None)
    await services.game.teams.change(ours.teams[0].id, lambda _: said, services.clock.now())
    second = await afterwards.report(room, "pt-BR")
    assert second.teams[0].state.said != first.teams[0].state.said
    await services.registry.classes.remove_team(room.id, ours.teams[0].id, services.clock.now())
    assert [t.name for t in (await afterwards.report(room, "pt-BR")).teams] == ["Mucura"]


async def test_the_questionnaire_is_asked_before_and_after(services: Services) -> None:
    """In one form before the first question, in the other after an edition, each once."""
    ours = await school(services, "Ariranha", "Mucura", lived=False)
    first, second = ours.teams
    afterwards = services.afterwards
    forms = [await afterwards.asked(team) for team in ours.teams]
    assert [(a.moment, a.form.id) for a in forms if a] == [("before", "a"), ("before", "b")]
    assert await afterwards.answer(first, SOLID_AND_WEAK["a"])
    assert not await afterwards.answer(first, SOLID_AND_WEAK["a"]), "the first answers stand"
    assert await afterwards.answer(second, {}), "it may be skipped"
    assert await afterwards.asked(second) is None

    await services.game.teams.change(
        first.id, lambda _: Change([Spoken(CharacterId("cida"), ("x",))], None), 1.0
    )
    talking = await services.game.teams.get(first.id)
    assert talking is not None
    assert await afterwards.asked(talking) is None, "it has begun, and published nothing yet"
    rule = Change([Published(("f1",), (), "e3")], None)
    await services.game.teams.change(first.id, lambda _: rule, 2.0)
    published = await services.game.teams.get(first.id)
    assert published is not None
    asked = await afterwards.asked(published)
    assert asked is not None
    assert (asked.moment, asked.form.id) == ("after", "b")


@pytest.mark.parametrize(
    "marks", [{"placar": 5}, {"placar": 5, "recado": 6}, {"placar": 5, "fofoca": 1}]
)
async def test_answers_that_do_not_fit_are_refused(
    services: Services, marks: dict[str, int]
) -> None:
    """Every source of the form gets one mark on the scale."""
    (team,) = (await school(services, "Ariranha", lived=False)).teams
    with pytest.raises(BadAnswer):
        await services.afterwards.answer(team, marks)


async def test_nobody_is_asked_unless_the_teacher_wants_it(services: Services) -> None:
    """A class begins without the questionnaire, and a team without a class never has it."""
    opened = await services.registry.open("mini", "pt-BR")
    joining = Joining(opened.room.id, (), 60)
    inside = (await services.sessions.start("mini", "pt-BR", None, 3, joining)).team
    outside = (await services.sessions.start("mini", "pt-BR", "B", 3)).team
    assert await services.afterwards.asked(inside) is None
    assert await services.afterwards.asked(outside) is None


async def test_a_class_is_erased_when_its_time_is_over(services: Services) -> None:
    """Counted from when something last happened in it; a teacher may keep it for longer."""
    short = await school(services, "Ariranha")
    long = await school(services, "Mucura")
    await services.afterwards.keep(short.room, 10)
    now = services.clock.now()

    def after(days: float) -> Afterwards:
        return replace(services.afterwards, clock=Stopped(now + days * DAY))

    assert await after(9.9).erase_expired() == 0
    assert await after(10.1).erase_expired() == 1
    assert await services.registry.classes.get(short.room.id) is None
    assert await services.registry.classes.get(long.room.id) is not None
    assert await after(179).erase_expired() == 0
    assert await after(181).erase_expired() == 1


async def test_the_purge_erases_classes(services: Services) -> None:
    """The nightly job does it, and tells how many."""
    ours = await school(services, "Ariranha")
    later = Stopped(services.clock.now() + 181 * DAY)
    aged = replace(services, afterwards=replace(services.afterwards, clock=later))

    async def told(part: float, note: str = "") -> None:
        del part, note

    gone = (await purge(aged, {}, told)).result["gone"]
    assert gone["classes"] == 1
    assert await services.registry.classes.get(ours.room.id) is None


@pytest.mark.parametrize("days", [6, 181])
async def test_a_class_is_kept_within_bounds(services: Services, days: int) -> None:
    """From a week to what this server keeps at all."""
    room = (await services.registry.open("mini", "pt-BR")).room
    with pytest.raises(BadAnswer):
        await services.afterwards.keep(room, days)
