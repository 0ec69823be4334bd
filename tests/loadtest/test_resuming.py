"""Players on a bad line go on where they were, and keep a book that the game is held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.loadtest.fakes import TURN, FakeGame, serving
from tests.server import serve

from amazonia.loadtest.figures import Turn
from amazonia.loadtest.ledger import audit, compare
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.players import play
from amazonia.loadtest.questions import Question

EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("turn", {"turn_id": TURN}),
    ("sentence", {"text": "Foi de manhã."}),
    ("sentence", {"text": "Cedo."}),
    ("done", {"reply": "Foi de manhã. Cedo.", "source": "model", "kind": "answer"}),
]
TOLD = Turn(0.0, whole=1.0, message="Quem?", reply="Eu.", turn="t1", character="c", team="x")
KEPT = {"turn_id": "t1", "message": "Quem?", "reply": "Eu."}


async def _start() -> None:
    """Nobody to wait for."""


async def _ask(game: FakeGame) -> Turn:
    async with serving(game) as url:
        plan = Plan(url, "resume", 1, turns=1, think=(0.0, 0.0), patience=5.0, keep=True)
        [turn] = await play(plan, _start)
        return turn


async def test_a_broken_line_is_taken_up_after_the_last_event():
    """Each new connection names the last event, and the reply is whole in the end."""
    game = FakeGame(EVENTS)
    game.cuts = [1, 2]
    turn = await _ask(game)
    assert (turn.fault, turn.reply, turn.resumed) == ("", "Foi de manhã. Cedo.", 2)
    assert game.heard_from == ["", "1", "3"]
    assert 0.0 < turn.gap < 5.0


async def test_a_refused_question_is_asked_again():
    """ "Later" is no answer and no fault."""
    game = FakeGame(EVENTS)
    game.refusals = 2
    turn = await _ask(game)
    assert (turn.fault, turn.refused, turn.turn) == ("", 2, TURN)


async def test_an_event_that_is_missing_is_a_fault():
    """A stream with a hole is not taken for a whole one."""
    game = FakeGame(EVENTS)
    game.numbers = (1, 3, 4, 5)
    assert (await _ask(game)).fault == "event 3 came after 1"


def test_a_book_that_agrees_has_no_faults():
    """What was told is what is kept."""
    found = compare([TOLD], [KEPT])
    assert (found.lost, found.doubled, found.kept) == ((), (), 1)


@pytest.mark.parametrize(
    ("kept", "fault"),
    [
        ([], "t1 is not there"),
        ([{**KEPT, "message": "Onde?"}], "t1 is another question"),
        ([{**KEPT, "reply": " "}], "t1 has no reply"),
        ([{**KEPT, "reply": "Ele."}], "t1 has another reply than was told"),
    ],
)
def test_a_turn_that_is_not_as_told_is_lost(kept: list[dict[str, Any]], fault: str):
    """Missing, mixed up, empty or changed: each is a loss, and is named."""
    assert compare([TOLD], kept).lost == (fault,)


def test_a_question_that_stands_twice_is_doubled():
    """One question, two turns."""
    found = compare([TOLD], [KEPT, {**KEPT, "turn_id": "t2"}])
    assert found.doubled == ("2 times: Quem?",)


async def test_the_real_game_agrees_with_its_players(data_folder: Path):
    """Two players of the small case; their book and the game's history are the same."""
    asked = tuple(Question("cida", f"o que aconteceu com o bolo, parte {n}?") for n in range(4))
    with serve(data_folder) as server:
        plan = Plan(
            server.url, "resume", 2, turns=2, say=asked, think=(0.0, 0.0), patience=9.0, keep=True
        )
        turns = await play(plan, _start)
        found = await audit(server.url, turns)
    assert [turn.fault for turn in turns] == [""] * 4
    assert (found.lost, found.doubled, found.kept) == ((), (), 4)
