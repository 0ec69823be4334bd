"""Turns as they are kept: who listens to them elsewhere, what a conversation was about."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from tests.worlds import new_team

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.director import Beat
from amazonia.ports import Asked, Listening, Opening, Team, Turn
from amazonia.store.database import OpenDatabase
from amazonia.store.rows import beat_json, dump
from amazonia.store.teams import StoredTeams
from amazonia.store.turns import StoredTurns

CIDA = CharacterId("cida")


@pytest.fixture
async def ours(here: OpenDatabase) -> StoredTurns:
    await StoredTeams(here).add(new_team(), 1.0)
    return StoredTurns(here)


@pytest.fixture
def theirs(there: OpenDatabase) -> StoredTurns:
    return StoredTurns(there)


def opening(turn_id: str, at: float, **more: bool) -> Callable[[Team], Opening]:
    lines, topics = ("topics/bolo/steps/0/says/0",), (TopicId("bolo"),)
    beat = Beat(CIDA, "answer", "calm", "", lines, topics, (), (), **more)
    return lambda _: Opening(turn_id, 77, beat, {"kind": "answer"}, "a", at)


async def ask(turns: StoredTurns, turn_id: str, at: float = 1.0, **more: bool) -> Turn:
    asked = Asked("team", CIDA, f"E o bolo? {turn_id}", turn_id, None, at)
    return (await turns.accept(asked, opening(turn_id, at, **more))).turn


async def finish(turns: StoredTurns, turn_id: str) -> None:
    turn = await turns.get("team", turn_id)
    assert turn is not None
    await turns.finish(turn, [], "Que bolo?", "scripted", 2.0)


# ── listeners ───────────────────────────────────────────────────────────────────────────────────


async def test_the_speaker_sees_who_listens_elsewhere(
    ours: StoredTurns, theirs: StoredTurns
) -> None:
    """Each process once, however often it says so, and when its last listener left."""
    await ask(ours, "t1")
    assert await ours.listeners(["t1"]) == {}
    await theirs.listen("t1", "b")
    await theirs.listen("t1", "b")
    await theirs.listen("t1", "c")
    await theirs.leave("t1", "b", 5.5)
    both = (Listening("b", 5.5), Listening("c", None))
    assert await ours.listeners(["t1", "t2"]) == {"t1": both}


async def test_who_comes_back_listens_again(ours: StoredTurns, theirs: StoredTurns) -> None:
    """A dropped connection that resumes undoes the leaving."""
    await ask(ours, "t1")
    await theirs.listen("t1", "b")
    await theirs.leave("t1", "b", 5.5)
    await theirs.listen("t1", "b")
    assert await ours.listeners(["t1"]) == {"t1": (Listening("b", None),)}


async def test_a_finished_turn_has_no_listeners(ours: StoredTurns, theirs: StoredTurns) -> None:
    """They vanish with its end, and none come after it; nor to a turn that never was."""
    await ask(ours, "t1")
    await theirs.listen("t1", "b")
    await finish(ours, "t1")
    assert await ours.listeners(["t1"]) == {}
    await theirs.listen("t1", "b")
    await theirs.listen("nothing", "b")
    await theirs.leave("t1", "b", 9.0)
    assert await ours.listeners(["t1", "nothing"]) == {}


# ── what is kept of a turn ──────────────────────────────────────────────────────────────────────


async def test_a_turn_keeps_what_its_voice_needs(ours: StoredTurns, theirs: StoredTurns) -> None:
    """Its topics, its seed and whether it follows come back as they were accepted."""
    accepted = await ask(ours, "t1", follows=True)
    assert (accepted.topics, accepted.follows, accepted.seed) == (("bolo",), True, 77)
    assert await theirs.get("team", "t1") == accepted


async def test_an_old_turn_follows_nothing(here: OpenDatabase, ours: StoredTurns) -> None:
    """A beat that was stored without topics or `follows` can still be read."""
    await ask(ours, "t1", follows=True)
    beat = beat_json(opening("t1", 1.0)(new_team()).beat)
    old = {"beat": dump({name: beat[name] for name in beat.keys() - {"topics", "follows"}})}
    await here.write(lambda tx: tx.run(text("UPDATE turns SET beat = :beat"), old))
    turn = await ours.get("team", "t1")
    assert turn is not None
    assert (turn.topics, turn.follows, turn.seed) == ((), False, 77)


def test_what_is_stored_of_a_beat_is_whole() -> None:
    """Nothing that a beat holds is lost but the events, which have their own table, and whose."""
    kept = {*beat_json(opening("t1", 1.0)(new_team()).beat)}
    assert kept == {*Beat.__dataclass_fields__, "clues"} - {"events", "character"}


# ── the newest of a conversation ────────────────────────────────────────────────────────────────


async def test_recent_turns_are_the_newest_finished_ones(ours: StoredTurns) -> None:
    """Oldest first, without the one that is still spoken, and of this character alone."""
    for i in range(5):
        await ask(ours, f"t{i}", float(i))
        await finish(ours, f"t{i}")
    await ask(ours, "running", 9.0)
    assert [turn.id for turn in await ours.recent("team", CIDA, 3)] == ["t2", "t3", "t4"]
    assert len(await ours.recent("team", CIDA, 50)) == 5
    assert await ours.recent("team", CIDA, 0) == []
    assert await ours.recent("team", CharacterId("beto"), 3) == []
    assert await ours.recent("other", CIDA, 3) == []
