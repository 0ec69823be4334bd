"""What jobs may do in any database: ask several things at once, put changes, expect something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from tests.postgres import new_database
from tests.store.proxy import Proxy
from tests.worlds import new_team

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.director import Beat
from amazonia.domain.session import Spoken
from amazonia.errors import Conflict
from amazonia.ports import Asked, Opening, StreamEvent, Team
from amazonia.store import statements as sql
from amazonia.store.database import OpenDatabase, Overtaken, Tx, hopefully
from amazonia.store.postgres import PostgresDatabase
from amazonia.store.teams import StoredNotes, StoredTeams
from amazonia.store.turns import StoredTurns

CIDA, LINES = CharacterId("cida"), ("topics/bolo/steps/0/says/0",)
SPOKEN = Spoken(CIDA, LINES, TopicId("bolo"))
BEAT = Beat(CIDA, "answer", "calm", "", LINES, (TopicId("bolo"),), (), (SPOKEN,))


def note(name: str, text: str = "1") -> dict[str, object]:
    return {"name": name, "text": text}


async def test_several_queries_are_answered_at_once(here: OpenDatabase) -> None:
    """Each with its own rows, those without any too, and every kind of value as it was stored."""
    await StoredTeams(here).add(new_team("a", "0" * 12), 1.5)
    await StoredNotes(here).set("x", "$1 'quoted' \\ ção")
    team, none, text = await here.read(
        lambda tx: tx.rows_of(
            (sql.team, {"team_id": "a"}), (sql.team, {"team_id": "b"}), (sql.note, {"name": "x"})
        )
    )
    assert team == await here.read(lambda tx: tx.rows(sql.team, {"team_id": "a"}))
    assert none == []
    assert text == [("$1 'quoted' \\ ção",)]


async def test_what_is_put_is_done_together(here: OpenDatabase) -> None:
    """Every change tells how many rows it touched once the job is done."""
    await here.write(lambda tx: tx.put(sql.add_note, note("old")))
    first, second, third = await here.write(
        lambda tx: (
            tx.put(sql.add_note, note("new")),
            tx.put(sql.change_note, note("old", "2")),
            tx.put(sql.change_note, note("nobody", "2")),
        )
    )
    assert (first.count, second.count, third.count) == (1, 1, 0)
    assert await StoredNotes(here).get(["old", "new", "nobody"]) == {"old": "2", "new": "1"}


@pytest.mark.parametrize("begun", [False, True])
async def test_an_expectation_that_fails_undoes_the_job(here: OpenDatabase, *, begun: bool) -> None:
    """Whether or not it changed something at once before."""

    def job(tx: Tx) -> None:
        if begun:
            tx.run(sql.add_note, note("run"))
        tx.put(sql.add_note, note("put"))
        tx.put(sql.change_note, note("nobody"), must=True)

    with pytest.raises(Overtaken):
        await here.write(job)
    assert await StoredNotes(here).get(["run", "put"]) == {}
    await StoredNotes(here).set("still", "well")


async def test_a_taken_value_undoes_the_job(here: OpenDatabase) -> None:
    """What was put beside it is not done."""
    await StoredNotes(here).set("taken", "1")
    with pytest.raises(Conflict):
        await here.write(
            lambda tx: (tx.put(sql.add_note, note("free")), tx.put(sql.add_note, note("taken")))
        )
    assert await StoredNotes(here).get(["free", "taken"]) == {"taken": "1"}


async def test_who_hopes_in_vain_goes_again_with_care(here: OpenDatabase) -> None:
    """A job that was overtaken is told to lock what it reads."""
    asked: list[bool] = []

    def job(tx: Tx, lock: bool) -> str:
        asked.append(lock)
        tx.put(sql.add_note if lock else sql.change_note, note("x"), must=True)
        return "done"

    assert await hopefully(here, job) == "done"
    assert asked == [False, True]


def opened(opening: Opening, _team: Team) -> Opening:
    return opening


@pytest.fixture
def url() -> Iterator[str]:
    """A new database on a server."""
    with new_database() as url:
        yield url


async def test_a_turn_is_five_messages(url: str) -> None:
    """Reading the team, accepting (a query and a change), reading what was said, finishing."""
    async with Proxy(url) as proxy:
        database = PostgresDatabase(proxy.url, 1, 0)
        teams, turns = StoredTeams(database), StoredTurns(database)
        await teams.add(new_team(), 1.0)
        counts = []
        for number in range(3):
            before, at = proxy.messages, float(number)
            await teams.get("team")
            asked = Asked("team", CIDA, f"{number}", f"{number}", None, at)
            opening = Opening(f"t{number}", 7, BEAT, {"kind": "answer"}, "a", at)
            accepted = await turns.accept(asked, partial(opened, opening))
            await turns.recent("team", CIDA, 3)
            said = [StreamEvent(3, "sentence", {"text": "Quem comeu o bolo?"})]
            await turns.finish(accepted.turn, said, "Quem comeu o bolo?", "scripted", at + 1)
            counts.append(proxy.messages - before)
        await database.close()
    assert counts[1:] == [5, 5]
