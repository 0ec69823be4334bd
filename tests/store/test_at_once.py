"""What two processes do to the same thing at the same instant happens once, or in an order."""

import asyncio
from dataclasses import replace

import pytest
from tests.store.test_listeners import CIDA, opening
from tests.worlds import new_team

from amazonia.domain.case import Lang
from amazonia.errors import ClassFull
from amazonia.ports import Accepted, Asked, StreamEvent
from amazonia.ports.classes import Classroom, Command
from amazonia.store.classes import StoredClasses
from amazonia.store.database import OpenDatabase
from amazonia.store.teams import StoredNotes, StoredTeams
from amazonia.store.turns import StoredTurns

pytestmark = pytest.mark.parametrize("where", ["sqlite", "postgres", "pooler"], indirect=True)

ROOM = Classroom(
    "room", "ABCDEF", "mini", "k" * 64, "r" * 64, "", Lang("pt-BR"), 1.0, ends_at=9_000.0
)


@pytest.fixture
async def both(here: OpenDatabase, there: OpenDatabase) -> list[StoredTurns]:
    await StoredTeams(here).add(new_team(), 1.0)
    return [StoredTurns(here), StoredTurns(there)]


async def ask(turns: StoredTurns, number: int, key: str) -> Accepted:
    asked = Asked("team", CIDA, key, key, None, since=1.0)
    return await turns.accept(asked, opening(f"t{number}", 2.0))


async def test_a_question_asked_twice_at_once_is_one_turn(both: list[StoredTurns]) -> None:
    """Of twenty that come together over two processes one is new; the others are that one."""
    accepted = await asyncio.gather(*(ask(both[i % 2], i, "e o bolo?") for i in range(20)))
    (new,) = [each for each in accepted if each.how == "new"]
    assert [each.how for each in accepted].count("duplicate") == 19
    assert {each.turn.id for each in accepted} == {new.turn.id}


async def test_a_character_answers_one_question_at_a_time(both: list[StoredTurns]) -> None:
    """Of different questions that come together one is accepted; the others are told which."""
    accepted = await asyncio.gather(*(ask(both[i % 2], i, f"pergunta {i}") for i in range(10)))
    (new,) = [each for each in accepted if each.how == "new"]
    assert {(each.how, each.turn.id) for each in accepted if each is not new} == {
        ("busy", new.turn.id)
    }


async def test_a_turn_that_two_finish_has_one_reply(both: list[StoredTurns]) -> None:
    """Its speaker and its rescuer are both told the reply that was first, and it is kept once."""
    for number in range(10):
        turn = (await ask(both[0], number, f"pergunta {number}")).turn
        ends = [
            both[i].finish(
                turn,
                [StreamEvent(1, "sentence", {"text": f"{i}"})],
                f"{i}",
                "scripted",
                3.0,
            )
            for i in (0, 1)
        ]
        first, second = await asyncio.gather(*ends)
        assert first.turn.reply == second.turn.reply
        assert {first.first, second.first} == {True, False}
        said = (await both[0].spoke([(f"t{number}", 0)]))[(f"t{number}", 0)].said
        assert [event.data["text"] for event in said] == [first.turn.reply]


async def test_a_new_age_is_begun_by_each_who_asks(here: OpenDatabase, there: OpenDatabase) -> None:
    """Twenty at once get twenty numbers, though there was no note before."""
    notes = [StoredNotes(here), StoredNotes(there)]
    epochs = await asyncio.gather(*(notes[i % 2].next_epoch() for i in range(20)))
    assert sorted(epochs) == list(range(2, 22))


async def test_a_class_takes_no_more_teams_than_it_may(
    here: OpenDatabase, there: OpenDatabase
) -> None:
    """Twenty teams join at once; five get in."""
    teams = [StoredTeams(here), StoredTeams(there)]
    await StoredClasses(here).add(ROOM)
    joining = [replace(new_team(f"team{i}", f"{i:012}"), class_id="room") for i in range(20)]
    joined = await asyncio.gather(
        *(teams[i % 2].add(team, 1.0, most=5) for i, team in enumerate(joining)),
        return_exceptions=True,
    )
    assert joined.count(None) == 5
    assert {type(error) for error in joined if error is not None} == {ClassFull}


async def test_two_teachers_of_a_class_do_not_undo_each_other(
    here: OpenDatabase, there: OpenDatabase
) -> None:
    """Every command is there, and a reader who follows their numbers misses none."""
    rooms = [StoredClasses(here), StoredClasses(there)]
    await rooms[0].add(ROOM)
    seen: list[Command] = []

    async def follow() -> None:
        while len(seen) < 40:
            seen.extend(await rooms[0].commands("room", seen[-1].id if seen else 0))

    def pause(room: Classroom) -> Classroom:
        return replace(room, paused=not room.paused)

    async with asyncio.timeout(20):
        await asyncio.gather(
            follow(),
            *(
                rooms[i % 2].change("room", pause, [Command("x", {"n": i}, 2.0)], 2.0)
                for i in range(40)
            ),
        )
    assert sorted(command.data["n"] for command in seen) == list(range(40))
    room = await rooms[1].get("room")
    assert room is not None
    assert room.version == 41
