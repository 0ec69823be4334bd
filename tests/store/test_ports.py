"""What every store promises, in a file and on a server."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.worlds import new_team

from amazonia.domain.case import ClueId
from amazonia.domain.session import ClueFound, Event, HintTaken
from amazonia.errors import Conflict, NoSession
from amazonia.ports import Change, Team
from amazonia.store import tables
from amazonia.store.database import OpenDatabase
from amazonia.store.teams import StoredDevices, StoredNotes, StoredTeams

pytestmark = pytest.mark.parametrize("where", ["sqlite", "postgres", "pooler"], indirect=True)


@pytest.fixture
async def team(here: OpenDatabase) -> Team:
    team = new_team()
    await StoredTeams(here).add(team, 1.0)
    return team


async def test_a_team_comes_back_as_it_was(here: OpenDatabase, team: Team) -> None:
    """By its id and by its code."""
    teams = StoredTeams(here)
    assert await teams.get(team.id) == team
    assert await teams.by_code(team.resume_code) == team
    assert await teams.by_code("ZZZZZZZZZZZZ") is None


async def test_a_code_is_one_team_s(here: OpenDatabase, team: Team) -> None:
    """A second team cannot have the same code."""
    with pytest.raises(Conflict):
        await StoredTeams(here).add(replace(team, id="other"), 1.0)


async def test_changes_add_up(here: OpenDatabase, team: Team) -> None:
    """A hundred changes at once are all there afterwards, and the version counts them."""
    teams = StoredTeams(here)

    def rule(newest: Team) -> Change[int]:
        return Change([HintTaken("r_relogio")], newest.version)

    seen = await asyncio.gather(*(teams.change(team.id, rule, 2.0) for _ in range(100)))
    assert sorted(seen) == list(range(100))
    after = await teams.get(team.id)
    assert after is not None
    assert after.version == 100
    assert after.state.hints == {"r_relogio": 100}
    assert await teams.versions([team.id, "nobody"]) == {team.id: 100}


async def test_a_refused_change_changes_nothing(here: OpenDatabase, team: Team) -> None:
    """What the rule raises is raised, and the state is as before."""
    teams = StoredTeams(here)

    def rule(_: Team) -> Change[None]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await teams.change(team.id, rule, 2.0)
    assert await teams.get(team.id) == team


async def test_events_are_kept_in_order(here: OpenDatabase, team: Team) -> None:
    """The state is the fold over the events that are stored."""
    teams = StoredTeams(here)
    events: list[Event] = [ClueFound(ClueId("migalhas"), "cida.bolo"), HintTaken("r_relogio")]
    await teams.change(team.id, lambda _: Change(events, None), 2.0)
    kept = select(tables.events.c.seq, tables.events.c.kind).order_by(tables.events.c.seq)
    rows = await here.read(lambda tx: tx.rows(kept, {}))
    assert rows == [(1, "ClueFound"), (2, "HintTaken")]


async def test_nobody_changes_nothing(here: OpenDatabase) -> None:
    """A team that does not exist has no session."""
    with pytest.raises(NoSession):
        await StoredTeams(here).change("nobody", lambda _: Change([], None), 1.0)


async def test_a_device_is_signed_in_until_revoked_or_old(here: OpenDatabase, team: Team) -> None:
    """The cookie's row decides, not the cookie."""
    devices = StoredDevices(here)
    await devices.add("phone", team.id, 10.0)
    assert await devices.team("phone", since=5.0) == team
    assert await devices.team("phone", since=10.0) is None
    assert await devices.team("other", since=5.0) is None
    await devices.revoke("phone", 11.0)
    assert await devices.team("phone", since=5.0) is None


async def test_epochs_count_up(here: OpenDatabase) -> None:
    """Every process sees the new age."""
    notes = StoredNotes(here)
    before = await notes.epoch()
    assert await notes.next_epoch() == before + 1
    assert await notes.next_epoch() == before + 2
    assert await notes.epoch() == before + 2
