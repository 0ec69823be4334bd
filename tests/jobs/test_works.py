"""The jobs themselves: what a purge takes and keeps, a whole export, a warm cache, a quiet hour."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.jobs.kinds import over
from tests.providers import FaultyProvider, provider
from tests.worlds import mini_library, mini_services, new_team

from amazonia.domain.case import CharacterId, Lang
from amazonia.domain.session import opens
from amazonia.errors import UnknownCode
from amazonia.jobs.nightly import is_due, purge_if_due
from amazonia.jobs.opening import open_desk
from amazonia.jobs.purge import DAY, forget_team
from amazonia.play.preheat import openers
from amazonia.play.sessions import show_code
from amazonia.ports import Json, Purse, Team
from amazonia.ports.jobs import Job
from amazonia.services import Services
from amazonia.store import tables
from amazonia.store.attic import SIGNS_IN
from amazonia.store.database import Row, Tx
from amazonia.store.spending import StoredSpending

CAKE = "o que aconteceu com o bolo?"


async def done(services: Services, name: str, arguments: Json, key: str = "") -> Job:
    """A job, done by a desk of its own."""
    async with open_desk(services) as desk:
        return await over(desk, await desk.order(name, arguments, key=key), 30)


async def playing(services: Services) -> Team:
    """A team that is signed in, asked a question and objected to the reply."""
    team = (await services.sessions.start(None, None, None, 3)).team
    accepted = await services.interviews.ask(team, "cida", CAKE, None)
    await services.interviews.reply(team, accepted.turn)
    await services.interviews.turns.report(accepted.turn.id, team.id, "não gostei", 1.0)
    return team


async def rows(services: Services) -> dict[str, int]:
    """How many rows each table has."""
    counts = {t.name: select(func.count()).select_from(t) for t in tables.metadata.sorted_tables}
    read = services.database.read
    return {name: (await read(partial(_rows, query)))[0][0] for name, query in counts.items()}


def _rows(query: Any, tx: Tx) -> list[Row]:
    return tx.rows(query, {})


async def age(services: Services, days: float) -> None:
    """Let everything have happened so many days earlier."""
    moved = [
        update(table).values({column: column - days * DAY})
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if column.name in {"created_at", "updated_at", "accepted_at", "finished_at", "ended_at"}
    ]
    await services.database.write(lambda tx: [tx.run(each, {}) for each in moved])


# ── purge ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_fresh_day_loses_nothing(services: Services) -> None:
    """What was played today is all there after the purge."""
    await playing(services)
    before = await rows(services)
    job = await done(services, "purge", {})
    after = await rows(services)
    assert set(job.result["gone"].values()) == {0}
    assert {n: c for n, c in after.items() if c < before[n]} == {}


async def test_small_old_things_go_and_the_game_stays(services: Services) -> None:
    """After forty days a browser has to sign in again; team, turns and events are all there."""
    team = await playing(services)
    spending = StoredSpending(services.database)
    purse = Purse("all", 0, 0)
    for day in ("2020-01-01", "2999-01-01"):
        await spending.reserve(day, [purse], 10, 1)
    before = await rows(services)
    await age(services, 40)
    gone = (await done(services, "purge", {})).result["gone"]
    after = await rows(services)
    assert (gone["devices"], gone["teams"], gone["spending"]) == (1, 0, 1)
    assert gone["turn_events"] == before["turn_events"] > 0
    assert (after["devices"], after["turn_events"], after["spending"]) == (0, 0, 1)
    for kept in ("teams", "turns", "events", "reports"):
        assert after[kept] == before[kept], kept
    (turn,) = await services.interviews.turns.history(team.id, CharacterId("cida"))
    assert turn.reply


async def test_a_team_is_forgotten_whole(services: Services) -> None:
    """After RETENTION_DAYS no row of any table is about it; another team keeps every row."""
    old = await playing(services)
    await age(services, 181)
    young = await playing(services)
    assert (await done(services, "purge", {})).result["gone"]["teams"] == 1
    everything = await services.attic.whole_team(old.id)
    assert everything == {}
    for table in tables.metadata.sorted_tables:
        if "team_id" in table.columns:
            about = select(func.count()).where(table.c.team_id == old.id)
            assert await services.database.read(partial(_rows, about)) == [(0,)]
    kept = await services.attic.whole_team(young.id)
    assert (len(kept["turns"]), len(kept["reports"]), len(kept["devices"])) == (1, 1, 1)


async def test_a_team_that_asks_is_forgotten_at_once(services: Services) -> None:
    """By its resume code, however young it is; nobody else is touched."""
    team, other = await playing(services), await playing(services)
    with pytest.raises(UnknownCode):
        await forget_team(services, "AAAA-AAAA-AAAA")
    assert await forget_team(services, show_code(team.resume_code).lower()) == team.name
    assert await services.attic.whole_team(team.id) == {}
    assert len((await services.attic.whole_team(other.id))["turns"]) == 1


async def test_purging_twice_is_purging_once(services: Services) -> None:
    """The second finds nothing, and takes nothing."""
    await playing(services)
    await age(services, 181)
    first = await done(services, "purge", {})
    before = await rows(services)
    second = await done(services, "purge", {})
    after = await rows(services)
    assert first.result["gone"]["teams"] == 1
    assert set(second.result["gone"].values()) == {0}
    assert {**after, "jobs": 0} == {**before, "jobs": 0}


async def test_nothing_is_forgotten_where_retention_is_off(tmp_path: Path) -> None:
    """RETENTION_DAYS=0 keeps teams for good."""
    async with mini_services(tmp_path / "data", RETENTION_DAYS="0") as services:
        team = await playing(services)
        await age(services, 4000)
        await done(services, "purge", {})
        assert await services.game.teams.get(team.id) is not None


async def test_many_old_teams_go_a_few_at_a_time(services: Services) -> None:
    """More than one handful, and a player who asks meanwhile is answered."""
    for number in range(60):
        code = f"{number:04}".translate(str.maketrans("01", "XY")) + "ABCDEFGH"
        await services.game.teams.add(new_team(f"t{number}", code), 1.0)
    young = await playing(services)
    job = await done(services, "purge", {})
    assert job.result["gone"]["teams"] == 60
    assert await services.game.teams.get(young.id) is not None


# ── at night ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        ("2026-11-27T03:10", "2026-11-26", True),
        ("2026-11-27T05:59", "2026-11-26", True),
        ("2026-11-27T03:10", "2026-11-27", False),
        ("2026-11-27T10:00", "2026-11-26", False),
        ("2026-11-27T10:00", "2026-11-24", True),
        ("2026-11-27T10:00", "", False),
        ("2026-11-27T03:10", "", True),
    ],
)
def test_it_runs_once_a_night_or_when_long_overdue(now: str, last: str, due: bool) -> None:
    """In the quiet hours; by day only on a machine that sleeps at night."""
    assert is_due(datetime.fromisoformat(now), last, 3) is due


async def test_one_process_of_all_purges(tmp_path: Path) -> None:
    """Each orders it at the quiet hour, and it is one job; afterwards nobody orders it."""
    hour = str(datetime.now().astimezone().hour)
    data = tmp_path / "data"
    async with (
        mini_services(data, PURGE_HOUR=hour) as one,
        mini_services(data, PURGE_HOUR=hour) as two,
        open_desk(one) as first,
        open_desk(two) as second,
    ):
        ordered = await asyncio.gather(*(purge_if_due(d) for d in (first, second, first, second)))
        jobs = [job for job in ordered if job is not None]
        assert len({job.id for job in jobs}) == 1
        assert (await over(first, jobs[0])).status == "done"
        assert await purge_if_due(second) is None
        assert len(await second.newest(10)) == 1


# ── export ──────────────────────────────────────────────────────────────────────────────────────


async def test_an_export_holds_everything_about_a_team(services: Services) -> None:
    """Every table about teams is there, every row of this one, and of no other."""
    team, other = await playing(services), await playing(services)
    async with open_desk(services) as desk:
        job = await over(desk, await desk.order("export", {"team": team.id}))
        file = await desk.file(job.id)
    assert file is not None
    archive = zipfile.ZipFile(io.BytesIO(file.body))
    exported = {n.removesuffix(".json"): archive.read(n) for n in archive.namelist()}
    about_teams = {t.name for t in tables.metadata.sorted_tables if "team_id" in t.columns}
    assert about_teams | {"teams", "turn_events", "listeners"} <= set(exported)
    assert "README.txt" in exported
    assert b"".join(exported.values()).count(other.id.encode()) == 0
    (turn,) = json.loads(exported["turns"])
    assert turn["message"] == CAKE
    assert turn["reply"]
    assert json.loads(exported["teams"])[0]["state"]["said"]
    assert job.result["rows"]["events"] == len(json.loads(exported["events"])) > 0
    assert json.loads(exported["reports"])[0]["reason"] == "não gostei"


async def test_an_export_lets_nobody_in(services: Services) -> None:
    """The resume code and the ids of devices stay inside."""
    team = await playing(services)
    found = await services.attic.whole_team(team.id)
    assert team.resume_code not in repr(found)
    for name, columns in SIGNS_IN.items():
        assert all(not columns & set(row) for row in found[name])


async def test_an_export_of_nobody_says_so(services: Services) -> None:
    """It is given up at once, with what to write instead."""
    for arguments in ({}, {"team": "nobody"}, {"team": 7}):
        job = await done(services, "export", arguments)
        assert job.status == "dead"
        assert "there is no team of that id" in job.error


# ── preheat ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def speaks() -> Iterator[FaultyProvider]:
    with provider("fast") as running:
        yield running


@pytest.fixture
async def spoken(tmp_path: Path, speaks: FaultyProvider) -> AsyncIterator[Services]:
    """Services with a provider."""
    speaks.reset()
    async with mini_services(tmp_path / "data", OPENAI_BASE_URL=speaks.url) as services:
        yield services


async def test_a_class_s_first_questions_come_from_the_cache(
    spoken: Services, speaks: FaultyProvider
) -> None:
    """Every question that a team may click first is answered without a call."""
    job = await done(spoken, "preheat", {"case": "mini"})
    assert job.status == "done"
    assert job.result["left"] == 0
    assert set(job.result["spoken"]) <= {"model", "scripted"}
    speaks.reset()
    case = spoken.library.case("mini")
    sources = []
    for lang in case.words:
        for opener in openers(spoken.game, case, lang):
            if opener.early:
                team = (await spoken.sessions.start(None, lang, None, 3)).team
                message = opener.performance.message
                accepted = await spoken.interviews.ask(team, opener.character, message, None)
                sources.append((await spoken.interviews.reply(team, accepted.turn))["source"])
    assert len(sources) >= 2
    assert set(sources) == {"cache"}
    assert speaks.stats()["calls"] == 0


async def test_what_is_warm_is_not_asked_again(spoken: Services, speaks: FaultyProvider) -> None:
    """A second preheat costs nothing."""
    first = await done(spoken, "preheat", {"case": "mini", "lang": "pt-BR"})
    calls = speaks.stats()["calls"]
    second = await done(spoken, "preheat", {"case": "mini", "lang": "pt-BR"})
    assert speaks.stats()["calls"] == calls > 0
    assert second.result["spoken"]["cache"] == first.result["spoken"]["model"]


async def test_an_empty_purse_ends_it(tmp_path: Path, speaks: FaultyProvider) -> None:
    """The day's budget is for players as well: what is left unasked is said."""
    environ = {"OPENAI_BASE_URL": speaks.url, "BUDGET_DAY_TOKENS": "1"}
    speaks.reset()
    async with mini_services(tmp_path / "data", **environ) as services:
        job = await done(services, "preheat", {"case": "mini"})
    assert job.status == "done"
    assert set(job.result["spoken"]) == {"budget"}
    assert speaks.stats()["calls"] == 0


async def test_silent_providers_are_no_success(tmp_path: Path) -> None:
    """Where nobody answers it is tried again, then given up with what happened."""
    async with mini_services(tmp_path / "data", OPENAI_BASE_URL="http://127.0.0.1:9/v1") as silent:
        job = await done(silent, "preheat", {"case": "mini"})
    assert (job.status, job.attempt) == ("dead", 2)
    assert "no model answers" in job.error


async def test_without_a_provider_there_is_nothing_to_keep(services: Services) -> None:
    """It says so, and is done."""
    job = await done(services, "preheat", {"case": "mini"})
    assert job.status == "done"
    assert "no provider" in job.result["note"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "no case ''"),
        ({"case": "nowhere"}, "no case 'nowhere'; there are: mini"),
        ({"case": "mini", "lang": "xx"}, "mini has no 'xx'"),
    ],
)
async def test_what_cannot_be_warmed_says_why(
    services: Services, arguments: Json, words: str
) -> None:
    """A bad order is given up with words that say what there is."""
    job = await done(services, "preheat", arguments)
    assert job.status == "dead"
    assert words in job.error


def test_every_opener_is_asked_where_it_can_be() -> None:
    """The team that asks holds what opens the character, the topic and its first step."""
    from amazonia.fabric.system import SystemClock
    from amazonia.play.game import Game

    library = mini_library()
    game, case = Game(library, None, SystemClock()), library.case("mini")  # type: ignore[arg-type]
    for lang in case.words:
        found = openers(game, case, Lang(lang))
        assert len(found) >= len(case.characters)
        for opener in found:
            character = case.characters[opener.character]
            topic = character.topics[opener.topic]
            state = opener.performance.state
            assert all(
                opens(case, state, gate)
                for gate in (character.when, topic.when, topic.steps[0].when)
            )
