"""Every move of a case, with what it needs and what it gives.

The game is monotone, so it is a planning problem without deletions: what a state can reach is a
fixpoint (`reach`). A counter-question's first answer stands, so a model may be made for one fixed
answer each (`all_answers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product

from amazonia.domain.case import Case, Character, Confrontation, CounterId, Riddle, Topic
from amazonia.domain.gates import OPEN, Gate
from amazonia.domain.session import State, atoms

Atoms = frozenset[str]
Answers = Mapping[CounterId, str]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing a team does.

    Attributes:
        do: chat, riddle, challenge, counter, confront or publish.
        subject: a topic's key, or the id of a riddle, counter-question or confrontation.
        detail: the step of a topic, the answer to a counter-question, the round.
        show: a clue that is laid on the table with the question.
        clues: those laid down in a confrontation or a link riddle.
        choice: the union or the reason.
    """

    do: str
    subject: str
    detail: str = ""
    show: str = ""
    clues: tuple[str, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A move in one of the ways in which it can be made; `needs` all hold before, `gives` after."""

    needs: Atoms
    gives: Atoms
    move: Move | None


@dataclass(frozen=True, slots=True)
class Model:
    """Every move of a case, with what it needs and gives, for one answer to each question."""

    case: Case
    actions: tuple[Action, ...]
    givers: Mapping[str, tuple[Action, ...]] = field(repr=False)


def all_answers(case: Case) -> Iterator[dict[CounterId, str]]:
    """Every combination of answers to the counter-questions."""
    names = list(case.counters)
    for options in product(*(case.counters[name].options for name in names)):
        yield dict(zip(names, options, strict=True))


def model(case: Case, answers: Answers | None = None) -> Model:
    """The moves of a case. Without `answers` every option of a counter-question is a move."""
    actions = tuple(_actions(case, answers))
    givers: dict[str, list[Action]] = {}
    for action in actions:
        for atom in action.gives:
            givers.setdefault(atom, []).append(action)
    return Model(case, actions, {atom: tuple(found) for atom, found in givers.items()})


def reach(world: Model, start: Iterable[str], without: Iterable[str] = ()) -> Atoms:
    """Everything that can hold some day.

    Args:
        start: what holds now.
        without: subjects (topics' keys, riddles, characters with a dot after: ``josue.``) that
            are taken away, to prove that the case does not hang on them.
    """
    gone = tuple(without)
    have = set(start)
    left = [a for a in world.actions if not (gone and a.move and _is_gone(a.move, gone))]
    while True:
        possible = [a for a in left if a.needs <= have]
        if not possible:
            return frozenset(have)
        for action in possible:
            have |= action.gives
        left = [a for a in left if not a.gives <= have]


def start_atoms(case: Case, state: State) -> Atoms:
    """What holds in a state; counter-questions that were asked and rounds won included."""
    won = {key for key, tries in state.rounds.items() if tries.right}
    return atoms(case, state) | {asked(counter) for counter in state.counters} | won


# ── the moves of a case ─────────────────────────────────────────────────────────────────────────


def _actions(case: Case, answers: Answers | None) -> Iterator[Action]:
    for character in case.characters.values():
        for topic in character.topics.values():
            yield from _tell(character, topic)
    for riddle in case.riddles.values():
        yield from _riddle(riddle)
    for counter in case.counters.values():
        options = counter.options if answers is None else (answers[counter.id],)
        for option in options:
            gives = frozenset({f"{counter.id}_{option}"})
            move = Move("counter", counter.id, option)
            yield Action(frozenset({asked(counter.id)}), gives, move)
    for confrontation in case.confrontations.values():
        yield from _rounds(confrontation)


def _tell(character: Character, topic: Topic) -> Iterator[Action]:
    """Each step of a topic, in every way that its gates can be open."""
    for number, step in enumerate(topic.steps, 1):
        gives = {f"{topic.key}@{number}"}
        if step.clue:
            gives.add(step.clue)
        if step.asks:
            gives.add(asked(step.asks))
        before = {f"{topic.key}@{number - 1}"} if number > 1 else set()
        for way in ways_of(character.when, topic.when, step.when):
            yield from _with_evidence(topic, number, way | before, frozenset(gives))


def _with_evidence(topic: Topic, number: int, needs: Atoms, gives: Atoms) -> Iterator[Action]:
    """As it is and, where evidence must have been shown, showing it with the question."""
    key = topic.key
    yield Action(needs, gives, Move("chat", key, str(number)))
    prefix = f"mostra:{topic.character}:"
    for atom in needs:
        if atom.startswith(prefix):
            clue = atom.removeprefix(prefix)
            shown = needs - {atom} | {clue}
            yield Action(shown, gives | {atom}, Move("chat", key, str(number), show=clue))


def _riddle(riddle: Riddle) -> Iterator[Action]:
    gives = frozenset({riddle.id})
    if riddle.type != "link":
        for way in riddle.when.ways:
            yield Action(way, gives, Move("riddle", riddle.id))
        return
    unions = dict(riddle.unions)
    for accepted in riddle.accepts:
        for way in accepted.clues.ways:
            if len(way) != riddle.pick:
                continue
            clues = tuple(sorted(way))
            move = Move("riddle", riddle.id, clues=clues, choice=accepted.union)
            for needs in ways_of(riddle.when, unions.get(accepted.union, OPEN)):
                yield Action(needs | way, gives, move)


def _rounds(confrontation: Confrontation) -> Iterator[Action]:
    for round_ in confrontation.rounds.values():
        right = next(reason for reason in round_.reasons if reason.right)
        for clues in round_.accepts.ways:
            if len(clues) > round_.pick:
                continue
            move = Move(
                "confront", confrontation.id, round_.id, clues=tuple(sorted(clues)), choice=right.id
            )
            gives = frozenset({f"{confrontation.id}/{round_.id}"})
            for way in ways_of(confrontation.when, round_.when, right.when):
                yield Action(way | clues, gives, move)
    won: set[str] = {confrontation.id}
    if confrontation.asks:
        won.add(asked(confrontation.asks))
    names = sorted(f"{confrontation.id}/{name}" for name in confrontation.rounds)
    for rounds in combinations(names, confrontation.wins):
        yield Action(frozenset(rounds), frozenset(won), None)


def ways_of(*gates: Gate) -> Iterator[Atoms]:
    for ways in product(*(gate.ways for gate in gates)):
        yield frozenset().union(*ways)


def asked(counter: str) -> str:
    return f"asked:{counter}"


def _is_gone(move: Move, gone: tuple[str, ...]) -> bool:
    return any(
        move.subject == name or (name.endswith(".") and move.subject.startswith(name))
        for name in gone
    )
