"""Turns as they are kept: who listens to them elsewhere, what a conversation was about."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.worlds import new_team

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.director import Beat
from amazonia.ports import Asked, Listening, Opening, Team, Turn
from amazonia.store import statements as sql
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.rows import beat_json
from amazonia.store.sqlite import SqliteDatabase
from amazonia.store.teams import StoredTeams
from amazonia.store.turns import StoredTurns

CIDA = CharacterId("cida")


@pytest.fixture
async def databases(tmp_path: Path) -> AsyncIterator[list[SqliteDatabase]]:
    """Two processes on one file."""
    migrate_sqlite(tmp_path / "test.sqlite3")
    databases = [SqliteDatabase(tmp_path / "test.sqlite3") for _ in range(2)]
    yield databases
    for database in databases:
        await database.close()


@pytest.fixture
async def here(databases: list[SqliteDatabase]) -> StoredTurns:
    await StoredTeams(databases[0]).add(new_team(), 1.0)
    return StoredTurns(databases[0])


@pytest.fixture
def there(databases: list[SqliteDatabase]) -> StoredTurns:
    return StoredTurns(databases[1])


def opening(turn_id: str, at: float, **more: bool) -> Callable[[Team], Opening]:
    lines, topics = ("topics/bolo/steps/0/says/0",), (TopicId("bolo"),)
    beat = Beat(CIDA, "answer", "calm", "", lines, topics, (), (), **more)
    return lambda _: Opening(turn_id, 77, beat, {"kind": "answer"}, "a", at)


async def ask(turns: StoredTurns, turn_id: str, at: float = 1.0, **more: bool) -> Turn:
    asked = Asked("team", CIDA, f"E o bolo? {turn_id}", turn_id, None, at)
    return (await turns.accept(asked, opening(turn_id, at, **more))).turn


async def finish(turns: StoredTurns, turn_id: str) -> None:
    await turns.finish(turn_id, [], "Que bolo?", "scripted", 2.0)


# ── listeners ───────────────────────────────────────────────────────────────────────────────────


async def test_the_speaker_sees_who_listens_elsewhere(
    here: StoredTurns, there: StoredTurns
) -> None:
    """Each process once, however often it says so, and when its last listener left."""
    await ask(here, "t1")
    assert await here.listeners(["t1"]) == {}
    await there.listen("t1", "b")
    await there.listen("t1", "b")
    await there.listen("t1", "c")
    await there.leave("t1", "b", 5.5)
    both = (Listening("b", 5.5), Listening("c", None))
    assert await here.listeners(["t1", "t2"]) == {"t1": both}


async def test_who_comes_back_listens_again(here: StoredTurns, there: StoredTurns) -> None:
    """A dropped connection that resumes undoes the leaving."""
    await ask(here, "t1")
    await there.listen("t1", "b")
    await there.leave("t1", "b", 5.5)
    await there.listen("t1", "b")
    assert await here.listeners(["t1"]) == {"t1": (Listening("b", None),)}


async def test_a_finished_turn_has_no_listeners(here: StoredTurns, there: StoredTurns) -> None:
    """They vanish with its end, and none come after it; nor to a turn that never was."""
    await ask(here, "t1")
    await there.listen("t1", "b")
    await finish(here, "t1")
    assert await here.listeners(["t1"]) == {}
    await there.listen("t1", "b")
    await there.listen("nothing", "b")
    await there.leave("t1", "b", 9.0)
    assert await here.listeners(["t1", "nothing"]) == {}


# ── what is kept of a turn ──────────────────────────────────────────────────────────────────────


async def test_a_turn_keeps_what_its_voice_needs(here: StoredTurns, there: StoredTurns) -> None:
    """Its topics, its seed and whether it follows come back as they were accepted."""
    accepted = await ask(here, "t1", follows=True)
    assert (accepted.topics, accepted.follows, accepted.seed) == (("bolo",), True, 77)
    assert await there.get("team", "t1") == accepted


async def test_an_old_turn_follows_nothing(
    databases: list[SqliteDatabase], here: StoredTurns
) -> None:
    """A beat that was stored without topics or `follows` can still be read."""
    await ask(here, "t1", follows=True)
    old = text("UPDATE turns SET beat = json_remove(beat, '$.topics', '$.follows')")
    await databases[0].write(lambda tx: tx.run(old, {}))
    turn = await here.get("team", "t1")
    assert turn is not None
    assert (turn.topics, turn.follows, turn.seed) == ((), False, 77)


def test_what_is_stored_of_a_beat_is_whole() -> None:
    """Nothing that a beat holds is lost but the events, which have their own table, and whose."""
    kept = {*beat_json(opening("t1", 1.0)(new_team()).beat)}
    assert kept == {*Beat.__dataclass_fields__, "clues"} - {"events", "character"}


# ── the newest of a conversation ────────────────────────────────────────────────────────────────


async def test_recent_turns_are_the_newest_finished_ones(here: StoredTurns) -> None:
    """Oldest first, without the one that is still spoken, and of this character alone."""
    for i in range(5):
        await ask(here, f"t{i}", float(i))
        await finish(here, f"t{i}")
    await ask(here, "running", 9.0)
    assert [turn.id for turn in await here.recent("team", CIDA, 3)] == ["t2", "t3", "t4"]
    assert len(await here.recent("team", CIDA, 50)) == 5
    assert await here.recent("team", CIDA, 0) == []
    assert await here.recent("team", CharacterId("beto"), 3) == []
    assert await here.recent("other", CIDA, 3) == []


async def test_recent_turns_are_found_by_the_index(databases: list[SqliteDatabase]) -> None:
    """However long the conversation, nothing is sorted and no other talk is read."""
    values = {"team_id": "team", "character": "cida", "most": 3}
    explain = text(f"EXPLAIN QUERY PLAN {sql.recent.compile()}")
    plan = await databases[0].read(lambda tx: tx.rows(explain, {**values, "status_1": "done"}))
    assert [row[3] for row in plan] == [
        "SEARCH turns USING INDEX ix_turns_talk (team_id=? AND character=?)"
    ]
