"""Confrontations, and answering a character's question."""

from __future__ import annotations

from collections.abc import Sequence

from amazonia.domain.confrontation import (
    answer_counter,
    confront,
    open_confrontation,
    pending_counter,
)
from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.play.game import Game, Table
from amazonia.ports import Change, Json, Team


async def try_round(
    game: Game, team: Team, confrontation: str, round_: str, clues: Sequence[str], reason: str
) -> Json:
    """Try to defeat a statement: `{accepted, partial, reply, next, unlocked, counter}`.

    Raises:
        Unknown: there is no such confrontation, round or reason, or not yet.
        NotOwned: it uses a clue that the team has not found.
        BadAnswer: no clue, or too many.
    """

    def rule(table: Table) -> Change[Json]:
        case, codes = table.case, table.codes
        name = codes.inner("confrontation", confrontation, case.confrontations)
        opponent = open_confrontation(case, table.state, name)
        round_id = codes.inner(f"round:{name}", round_, opponent.rounds)
        reasons = [r.id for r in opponent.rounds[round_id].reasons]
        reason_id = codes.inner(f"reason:{name}/{round_id}", reason, reasons)
        tried = confront(case, table.words, table.state, opponent, round_id, clues, reason_id)
        return table.after(
            tried.events,
            accepted=tried.accepted,
            partial=tried.partial,
            reply=tried.reply,
            next=case.code(f"round:{name}", tried.next) if tried.next else None,
        )

    return await game.act(team, rule)


async def answer_question(game: Game, team: Team, counter_id: str, answer: str) -> Json:
    """Answer a character's question: `{reply, unlocked}`. The first answer stands.

    Raises:
        Unknown: nobody asked this.
        BadAnswer: the answer is none of its options.
    """

    def rule(table: Table) -> Change[Json]:
        counter = pending_counter(table.case, table.state, counter_id)
        try:
            option = table.codes.inner(f"option:{counter.id}", answer, counter.options)
        except Unknown as exc:
            raise BadAnswer("answer must be the id of one of the options") from exc
        replies, events = answer_counter(table.words, table.state, counter, option)
        return table.after(events, reply=" ".join(replies), by=counter.by)

    return await game.act(team, rule)
