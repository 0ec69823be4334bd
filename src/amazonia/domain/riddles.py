"""Riddles and challenges: judging an answer. A wrong answer costs nothing and always teaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amazonia.domain.case import Case, Challenge, ChallengeId, ClueId, Riddle, RiddleId
from amazonia.domain.errors import BadAnswer, NotOwned, Unknown
from amazonia.domain.gates import Holds
from amazonia.domain.session import (
    ChallengeTried,
    Event,
    HintTaken,
    RiddleTried,
    State,
    Tries,
    holds,
    opens,
)
from amazonia.domain.words import CaseWords, ChallengeWords, RiddleWords

Answer = str | Sequence[str] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an answer.

    Attributes:
        explanation: why, in words for players.
        hint: the last hint that the team has taken, if any.
    """

    correct: bool
    explanation: str
    events: tuple[Event, ...]
    hint: str = ""


def open_riddle(case: Case, state: State, name: str) -> Riddle:
    """The riddle of that name.

    Raises:
        Unknown: there is none, or the team must not know of it yet.
    """
    riddle = case.riddles.get(RiddleId(name))
    if riddle is None or not opens(case, state, riddle.when):
        raise Unknown("riddle", name)
    return riddle


def open_challenge(case: Case, state: State, name: str) -> Challenge:
    """The challenge of that name; it opens with its gate and with whoever asks it.

    Raises:
        Unknown: there is none, or the team must not know of it yet.
    """
    challenge = case.challenges.get(ChallengeId(name))
    if challenge is None or not is_listed(case, holds(case, state), challenge):
        raise Unknown("challenge", name)
    return challenge


def is_listed(case: Case, have: Holds, challenge: Challenge) -> bool:
    """Whether a challenge is shown to a team of which this holds."""
    return case.characters[challenge.by].when.open(have) and challenge.when.open(have)


def answer_riddle(
    case: Case, words: CaseWords, state: State, riddle: Riddle, answer: Answer
) -> Judged:
    """Judge an answer, given in internal ids.

    Args:
        answer: an option, a list of parts that name one, an order of items, or
            ``{"clues": […], "union": …}``, by the riddle's type.

    Raises:
        BadAnswer: its shape does not fit the riddle.
        NotOwned: a clue was used that the team has not found.
    """
    text = words.riddles[riddle.id]
    match riddle.type:
        case "order":
            correct, why = _order(riddle, text, answer)
        case "link":
            correct, why = _link(case, state, riddle, text, answer)
        case _:
            correct, why = _choice(riddle, text, answer)
    if correct:
        why = explanation(case, words, state, riddle)
    hints = text.hints[: state.hints.get(riddle.id, 0)]
    hint = hints[-1] if hints and not correct else ""
    return Judged(correct, why, (RiddleTried(riddle.id, correct),), hint)


def explanation(case: Case, words: CaseWords, state: State, riddle: Riddle) -> str:
    """What a solved riddle taught, with the remarks that fit the state."""
    text = words.riddles[riddle.id]
    return " ".join([text.explanation, *_remarks(case, state, riddle, text)])


def take_hint(state: State, subject: str, hints: Sequence[str]) -> tuple[str, tuple[Event, ...]]:
    """The next hint of a ladder; at its end the last one again, without an event."""
    taken = state.hints.get(subject, 0)
    if taken < len(hints):
        return hints[taken], (HintTaken(subject),)
    return (hints[-1] if hints else ""), ()


def answer_challenge(
    words: CaseWords, state: State, challenge: Challenge, answer: Answer
) -> Judged:
    """Judge the choice of an option.

    Raises:
        BadAnswer: it is not one of the challenge's options.
    """
    if not isinstance(answer, str) or answer not in challenge.options:
        raise BadAnswer("answer must be the id of one of the challenge's options")
    text: ChallengeWords = words.challenges[challenge.id]
    correct = answer == challenge.answer
    why = text.explanation if correct else text.feedback[answer]
    tried = state.challenges.get(challenge.id, Tries()).count
    hint = text.hints[min(tried, len(text.hints) - 1)] if text.hints and not correct else ""
    return Judged(correct, why, (ChallengeTried(challenge.id, correct),), hint)


def _remarks(case: Case, state: State, riddle: Riddle, text: RiddleWords) -> list[str]:
    """Remarks on what the team has not measured yet: those whose gate is still closed."""
    have = holds(case, state)
    return [text.remark[name] for name, gate in riddle.remarks if not gate.open(have)]


def _order(riddle: Riddle, text: RiddleWords, answer: Answer) -> tuple[bool, str]:
    if not _is_list(answer) or sorted(answer) != sorted(riddle.pieces):
        raise BadAnswer("answer must be the list of all the riddle's items, each once, in order")
    order = list(answer)
    if tuple(order) == riddle.answer:
        return True, ""
    for rule in riddle.wrong:
        if order.index(rule.first) < order.index(rule.then):
            return False, text.wrong[rule.id]
    return False, text.wrong_default


def _choice(riddle: Riddle, text: RiddleWords, answer: Answer) -> tuple[bool, str]:
    option = _option(riddle, answer)
    if option is None:
        return False, text.wrong_default
    return option in riddle.answer, text.feedback.get(option, text.wrong_default)


def _option(riddle: Riddle, answer: Answer) -> str | None:
    """The option that was chosen or whose parts were named; None if the parts name none."""
    if isinstance(answer, str) and answer in riddle.options:
        return answer
    if riddle.parts and _is_list(answer) and set(answer) <= set(riddle.pieces):
        named = frozenset(answer)
        return next((o for o, parts in riddle.parts.items() if parts == named), None)
    raise BadAnswer("answer must be the id of an option" + (" or its parts" * bool(riddle.parts)))


def _link(
    case: Case, state: State, riddle: Riddle, text: RiddleWords, answer: Answer
) -> tuple[bool, str]:
    if not isinstance(answer, Mapping):
        raise BadAnswer('answer must be {"clues": [clue ids], "union": union id}')
    clues, union = answer.get("clues"), answer.get("union")
    unions = {name for name, gate in riddle.unions if opens(case, state, gate)}
    if not isinstance(clues, list | tuple) or len(set(clues)) != riddle.pick or union not in unions:
        raise BadAnswer(f"answer must name {riddle.pick} different clues and one of the unions")
    for clue in clues:
        if clue not in state.clues:
            raise NotOwned(ClueId(str(clue)))
    picked = frozenset(clues).__contains__
    if any(a.union == union and a.clues.open(picked) for a in riddle.accepts):
        return True, ""
    if str(union) in text.feedback:
        return False, text.feedback[str(union)]
    if any(a.union == union for a in riddle.accepts):
        return False, text.wrong_clues
    return False, text.wrong_default


def _is_list(answer: Answer) -> bool:
    return isinstance(answer, list | tuple) and all(isinstance(part, str) for part in answer)
