"""Players ask, read what comes, and tell answered turns from others."""

from __future__ import annotations

import pytest
from tests.loadtest.fakes import FakeGame, serving

from amazonia.loadtest.figures import Turn
from amazonia.loadtest.plans import NotHere, Plan, plan_from, plan_json
from amazonia.loadtest.players import play
from amazonia.loadtest.questions import POOL, Question

WHOLE = (
    ("turn", {"turn_id": "abc"}),
    ("gesture", {"text": "olha o rio"}),
    ("sentence", {"text": "Foi de manhã."}),
    ("done", {"reply": "Foi de manhã.", "source": "model", "kind": "answer"}),
)
AT_ONCE = (0.0, 0.0)


async def _start() -> None:
    """Nobody to wait for."""


async def _play(game: FakeGame, **options: object) -> list[Turn]:
    async with serving(game) as url:
        fields = {"players": 1, "turns": 1, "think": AT_ONCE, "patience": 2.0, **options}
        return await play(Plan(url, "page", **fields), _start)  # type: ignore[arg-type]


async def test_an_answered_turn_has_its_times_and_its_speaker():
    """A whole stream is an answered turn, whose first sentence came before its end."""
    [turn] = await _play(FakeGame(WHOLE))
    assert (turn.fault, turn.source, turn.kind) == ("", "model", "answer")
    assert turn.first is not None
    assert turn.whole is not None
    assert 0 < turn.first <= turn.whole


async def test_a_stream_without_its_end_is_no_answer():
    """A stream that ends before `done` counts as broken off."""
    [turn] = await _play(FakeGame(WHOLE[:-1]))
    assert (turn.fault, turn.whole) == ("broken off", None)


async def test_an_error_status_is_no_answer():
    """A refusal counts as a failure, named by its status."""
    [turn] = await _play(FakeGame(WHOLE, status=500))
    assert turn.fault == "status 500"


async def test_an_empty_reply_is_no_answer():
    """A blank reply is a failure however well it was delivered."""
    [turn] = await _play(FakeGame([("done", {"reply": " ", "source": "model"})]))
    assert turn.fault == "empty reply"


async def test_patience_ends():
    """A turn that does not end is given up."""
    [turn] = await _play(FakeGame(WHOLE[:-1], hold=True), patience=0.2)
    assert turn.fault == "not answered within 0.2 s"


async def test_leaving_is_no_fault():
    """A player who leaves while listening notes when, and that is no failure."""
    [turn] = await _play(FakeGame(WHOLE[:-1], hold=True), leave=(0.2, 0.2))
    assert turn.fault == ""
    assert turn.left_at is not None


async def test_every_question_is_another():
    """Players never ask the same text twice, and begin new teams before the pool is through."""
    game = FakeGame(WHOLE)
    await _play(game, players=3, turns=50)
    assert len(set(game.questions)) == len(game.questions) == 150
    assert game.teams == 9


async def test_the_same_question_by_all():
    """With one question given, all ask it."""
    game = FakeGame(WHOLE)
    await _play(game, players=4, same=POOL[0])
    assert set(game.questions) == {POOL[0].message}


def test_other_machines_are_not_loaded():
    """A plan against another machine cannot be made."""
    with pytest.raises(NotHere, match="not on this machine"):
        Plan("http://192.0.2.1:8000", "page", 1, turns=1)


def test_a_plan_needs_an_end():
    """Players who would never stop are refused."""
    with pytest.raises(ValueError, match="needs an end"):
        Plan("http://127.0.0.1", "page", 1)


def test_a_plan_survives_its_way_to_another_process():
    """What is sent to a process of players is what it reads."""
    plan = Plan(
        "http://127.0.0.1", "relay", 7, turns=2, same=POOL[1], say=(Question("a", "b"),),
        bodies=({"model": "m"},), leave=(0.1, 1.0),
    )  # fmt: skip
    assert plan_from(plan_json(plan)) == plan
