"""Confrontations and counter-questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amazonia.domain.case import (
    Case,
    ClueId,
    Confrontation,
    ConfrontationId,
    Counter,
    CounterId,
    Round,
)
from amazonia.domain.errors import BadAnswer, NotOwned, Unknown
from amazonia.domain.session import (
    CounterAnswered,
    CounterAsked,
    Event,
    RoundTried,
    State,
    Tries,
    is_won,
    opens,
)
from amazonia.domain.words import CaseWords

FAILURES_BEFORE_TELLING = 2
"""After this many failures in a round the character says one true number."""


@dataclass(frozen=True, slots=True)
class Confronted:
    """What a try at a round came to.

    Attributes:
        accepted: the round is won.
        partial: right clues with a wrong reason, or some of the right clues.
        next: the id of a round that is still to be won, or None when all is won.
    """

    accepted: bool
    partial: bool
    reply: str
    next: str | None
    events: tuple[Event, ...]


def open_confrontation(case: Case, state: State, name: str) -> Confrontation:
    """The confrontation of that name.

    Raises:
        Unknown: there is none, or the team must not know of it yet.
    """
    confrontation = case.confrontations.get(ConfrontationId(name))
    if confrontation is None or not opens(case, state, confrontation.when):
        raise Unknown("confrontation", name)
    return confrontation


def open_rounds(case: Case, state: State, confrontation: Confrontation) -> list[Round]:
    """The rounds that are listed: their gate is open."""
    return [r for r in confrontation.rounds.values() if opens(case, state, r.when)]


def confront(
    case: Case,
    words: CaseWords,
    state: State,
    confrontation: Confrontation,
    round_id: str,
    clues: Sequence[str],
    reason: str,
) -> Confronted:
    """Try to defeat a statement with clues and a reason. Rounds won stay won.

    Raises:
        Unknown: the round or the reason is not listed.
        NotOwned: a clue was used that the team has not found.
        BadAnswer: no clue, or more than may be laid down at once.
    """
    rounds = open_rounds(case, state, confrontation)
    round_ = next((r for r in rounds if r.id == round_id), None)
    if round_ is None:
        raise Unknown("round", round_id)
    reasons = {r.id: r for r in round_.reasons if opens(case, state, r.when)}
    if reason not in reasons:
        raise Unknown("reason", reason)
    picked = frozenset(clues)
    if not 1 <= len(picked) <= round_.pick:
        raise BadAnswer(f"clues must be 1 to {round_.pick} different clues")
    for clue in picked:
        if clue not in state.clues:
            raise NotOwned(ClueId(clue))

    text = words.confrontations[confrontation.id].rounds[round_.id]
    enough = round_.accepts.open(picked.__contains__)
    some = round_.partial is not None and round_.partial.open(picked.__contains__)
    won = enough and reasons[reason].right
    tried = RoundTried(confrontation.id, round_.id, won)
    failures = state.rounds.get(f"{confrontation.id}/{round_.id}", Tries()).count
    if won:
        return _won(case, words, state, confrontation, tried, text.won)
    if enough:
        reply = text.wrong_reason[reason]
    elif some:
        reply = text.partial
    else:
        reply = text.wrong_clues[failures % len(text.wrong_clues)]
    if failures + 1 >= FAILURES_BEFORE_TELLING:
        reply = f"{reply} {text.tell}"
    return Confronted(False, enough or some, reply, round_.id, (tried,))


def _won(
    case: Case,
    words: CaseWords,
    state: State,
    confrontation: Confrontation,
    tried: RoundTried,
    reply: str,
) -> Confronted:
    won_before = state.won_rounds(confrontation.id)
    won_now = won_before | {tried.round}
    events: tuple[Event, ...] = (tried,)
    left = [r.id for r in open_rounds(case, state, confrontation) if r.id not in won_now]
    next_round = left[0] if left else None
    if len(won_now) >= confrontation.wins and not is_won(
        confrontation.wins, state, confrontation.id
    ):
        reply = f"{reply} {words.confrontations[confrontation.id].won}"
        if confrontation.asks and confrontation.asks not in state.counters:
            events = (*events, CounterAsked(confrontation.asks))
    return Confronted(True, False, reply, next_round, events)


def pending_counter(case: Case, state: State, name: str) -> Counter:
    """The counter-question of that name, asked already, answered or not.

    Raises:
        Unknown: there is none, or nobody asked it yet.
    """
    counter = case.counters.get(CounterId(name))
    if counter is None or counter.id not in state.counters:
        raise Unknown("counter-question", name)
    return counter


def answer_counter(
    words: CaseWords, state: State, counter: Counter, option: str
) -> tuple[tuple[str, ...], tuple[Event, ...]]:
    """The character's reply to the team's answer. A second answer changes nothing.

    Raises:
        BadAnswer: it is not one of the options.
    """
    if option not in counter.options:
        raise BadAnswer("answer must be the id of one of the counter-question's options")
    stands = state.counters[counter.id]
    events = () if stands else (CounterAnswered(counter.id, option),)
    return words.counters[counter.id].replies[stands or option], events
