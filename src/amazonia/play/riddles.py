"""Answering riddles and challenges, and asking for hints."""

from __future__ import annotations

from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.domain.projection import riddle_answer
from amazonia.domain.riddles import (
    answer_challenge,
    answer_riddle,
    open_challenge,
    open_riddle,
    take_hint,
)
from amazonia.play.game import Game, Table
from amazonia.ports import Change, Json, Team


async def try_riddle(game: Game, team: Team, riddle_id: str, answer: object) -> Json:
    """Answer a riddle: `{correct, explanation, hint, unlocked}`. Retryable without end.

    Raises:
        Unknown: there is no such riddle, or not yet.
        BadAnswer: the answer's shape does not fit the riddle.
        NotOwned: it uses a clue that the team has not found.
    """

    def rule(table: Table) -> Change[Json]:
        riddle = open_riddle(table.case, table.state, riddle_id)
        inner = riddle_answer(table.codes, riddle, answer)
        judged = answer_riddle(table.case, table.words, table.state, riddle, inner)
        return table.after(
            judged.events,
            correct=judged.correct,
            explanation=judged.explanation,
            hint=judged.hint,
        )

    return await game.act(team, rule)


async def try_challenge(game: Game, team: Team, challenge_id: str, answer: object) -> Json:
    """Answer a challenge: `{correct, explanation, hint, unlocked}`, and its slip when right.

    Raises:
        Unknown: there is no such challenge, or not yet.
        BadAnswer: the answer is none of its options.
    """

    def rule(table: Table) -> Change[Json]:
        challenge = open_challenge(table.case, table.state, challenge_id)
        option = _option(table, f"option:{challenge.id}", answer, challenge.options)
        judged = answer_challenge(table.words, table.state, challenge, option)
        text = table.words.challenges[challenge.id]
        slip = {"id": challenge.id, "text": text.slip, "signed": text.signed}
        return table.after(
            judged.events,
            correct=judged.correct,
            explanation=judged.explanation,
            hint=judged.hint,
            slip=slip if judged.correct else None,
        )

    return await game.act(team, rule)


async def riddle_hint(game: Game, team: Team, riddle_id: str) -> Json:
    """The next hint of a riddle: `{hint, hints_left}`.

    Raises:
        Unknown: there is no such riddle, or not yet.
    """

    def rule(table: Table) -> Change[Json]:
        riddle = open_riddle(table.case, table.state, riddle_id)
        hints = table.words.riddles[riddle.id].hints
        hint, events = take_hint(table.state, riddle.id, hints)
        taken = table.state.hints.get(riddle.id, 0) + len(events)
        return Change(events, {"hint": hint, "hints_left": len(hints) - taken})

    return await game.act(team, rule)


def _option(table: Table, kind: str, answer: object, options: tuple[str, ...]) -> str:
    """The inner id of an option."""
    try:
        return table.codes.inner(kind, str(answer), options)
    except Unknown as exc:
        raise BadAnswer("answer must be the id of one of the options; see /api/state") from exc
