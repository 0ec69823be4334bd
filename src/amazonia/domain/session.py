"""A team's session: what happened (events) and where that leaves it (state).

State is a fold over events, `reduce(apply, events, begin(case))`. Nothing is ever taken back, so
what one sequence of events reached stays reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import assert_never

from amazonia.domain.case import (
    Case,
    ChallengeId,
    CharacterId,
    ClueId,
    ConfrontationId,
    CounterId,
    RiddleId,
    TopicId,
)
from amazonia.domain.gates import Gate, Holds

# ── events ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Spoken:
    """A character answered with these authored lines (see `amazonia.domain.lines`)."""

    character: CharacterId
    lines: tuple[str, ...]
    topic: TopicId | None = None


@dataclass(frozen=True, slots=True)
class TopicDeepened:
    """A topic was told to this depth (from 1)."""

    character: CharacterId
    topic: TopicId
    depth: int


@dataclass(frozen=True, slots=True)
class ClueFound:
    """The team owns a clue now; `origin` names who or what gave it."""

    clue: ClueId
    origin: str


@dataclass(frozen=True, slots=True)
class EvidenceShown:
    """A clue was laid on a character's table."""

    character: CharacterId
    clue: ClueId


@dataclass(frozen=True, slots=True)
class CounterAsked:
    """A counter-question waits for its answer."""

    counter: CounterId


@dataclass(frozen=True, slots=True)
class CounterAnswered:
    """The team answered; the first answer stands."""

    counter: CounterId
    option: str


@dataclass(frozen=True, slots=True)
class RiddleTried:
    """An answer to a riddle."""

    riddle: RiddleId
    right: bool


@dataclass(frozen=True, slots=True)
class HintTaken:
    """The team took the next hint of a riddle, a challenge or the case (`subject`)."""

    subject: str


@dataclass(frozen=True, slots=True)
class ChallengeTried:
    """An answer to a challenge."""

    challenge: ChallengeId
    right: bool


@dataclass(frozen=True, slots=True)
class RoundTried:
    """A try at a round of a confrontation."""

    confrontation: ConfrontationId
    round: str
    won: bool


@dataclass(frozen=True, slots=True)
class LinkDrawn:
    """The team tied a string between two clues on its board."""

    clues: tuple[ClueId, ClueId]


@dataclass(frozen=True, slots=True)
class LinkErased:
    """The team took a string off its board."""

    clues: tuple[ClueId, ClueId]


@dataclass(frozen=True, slots=True)
class Published:
    """An edition went out."""

    claims: tuple[str, ...]
    decisions: tuple[tuple[str, str], ...]
    ending: str


Event = (
    Spoken
    | TopicDeepened
    | ClueFound
    | EvidenceShown
    | CounterAsked
    | CounterAnswered
    | RiddleTried
    | HintTaken
    | ChallengeTried
    | RoundTried
    | LinkDrawn
    | LinkErased
    | Published
)

# ── state ───────────────────────────────────────────────────────────────────────────────────────

RECENT = 12
"""How many of a character's last turns are remembered, to keep lines from repeating."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Tries at something, and whether one of them was right."""

    count: int = 0
    right: bool = False

    def plus(self, right: bool) -> Tries:
        """One more try."""
        return Tries(self.count + 1, self.right or right)


@dataclass(frozen=True, slots=True)
class State:
    """Where a team stands. Mappings are never changed in place.

    Attributes:
        clues: in the order found.
        depth: topic key → how many steps were told.
        shown: pairs (character, clue).
        said: character → the lines of its last turns, newest last.
        talk: character → the topic spoken about last.
        counters: counter-question → its answer, or "" while it waits.
        rounds: "confrontation/round" → tries.
        hints: subject → how many hints were taken.
        editions: what was published, oldest first.
    """

    clues: tuple[ClueId, ...] = ()
    origins: Mapping[ClueId, str] = field(default_factory=dict)
    depth: Mapping[str, int] = field(default_factory=dict)
    shown: frozenset[tuple[CharacterId, ClueId]] = frozenset()
    said: Mapping[CharacterId, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    talk: Mapping[CharacterId, TopicId] = field(default_factory=dict)
    counters: Mapping[CounterId, str] = field(default_factory=dict)
    riddles: Mapping[RiddleId, Tries] = field(default_factory=dict)
    challenges: Mapping[ChallengeId, Tries] = field(default_factory=dict)
    rounds: Mapping[str, Tries] = field(default_factory=dict)
    hints: Mapping[str, int] = field(default_factory=dict)
    links: frozenset[frozenset[ClueId]] = frozenset()
    editions: tuple[Published, ...] = ()

    def solved(self, riddle: RiddleId) -> bool:
        """Whether the riddle was solved."""
        return self.riddles.get(riddle, Tries()).right

    def won_rounds(self, confrontation: ConfrontationId) -> frozenset[str]:
        """The rounds of a confrontation that were won."""
        prefix = f"{confrontation}/"
        return frozenset(
            key.removeprefix(prefix)
            for key, tries in self.rounds.items()
            if key.startswith(prefix) and tries.right
        )


def begin(case: Case) -> State:
    """The state of a team that has done nothing yet."""
    return State(clues=case.start, origins=dict.fromkeys(case.start, "start"))


def play(state: State, events: Iterable[Event]) -> State:
    """The state after the events."""
    return reduce(apply, events, state)


def apply(state: State, event: Event) -> State:
    """The state after one event."""
    match event:
        case Spoken(character, lines, topic):
            said = (*state.said.get(character, ()), lines)[-RECENT:]
            talk = {**state.talk, character: topic} if topic else state.talk
            return replace(state, said={**state.said, character: said}, talk=talk)
        case TopicDeepened(character, topic, depth):
            key = f"{character}.{topic}"
            deepest = max(depth, state.depth.get(key, 0))
            return replace(state, depth={**state.depth, key: deepest})
        case ClueFound(clue, origin):
            if clue in state.clues:
                return state
            origins = {**state.origins, clue: origin}
            return replace(state, clues=(*state.clues, clue), origins=origins)
        case EvidenceShown(character, clue):
            return replace(state, shown=state.shown | {(character, clue)})
        case CounterAsked(counter):
            return replace(state, counters={counter: "", **state.counters})
        case CounterAnswered(counter, option):
            stands = state.counters.get(counter) or option
            return replace(state, counters={**state.counters, counter: stands})
        case RiddleTried(riddle, right):
            tries = state.riddles.get(riddle, Tries()).plus(right)
            return replace(state, riddles={**state.riddles, riddle: tries})
        case HintTaken(subject):
            return replace(state, hints={**state.hints, subject: state.hints.get(subject, 0) + 1})
        case ChallengeTried(challenge, right):
            tries = state.challenges.get(challenge, Tries()).plus(right)
            return replace(state, challenges={**state.challenges, challenge: tries})
        case RoundTried(confrontation, round_, won):
            key = f"{confrontation}/{round_}"
            tries = state.rounds.get(key, Tries()).plus(won)
            return replace(state, rounds={**state.rounds, key: tries})
        case LinkDrawn(clues):
            return replace(state, links=state.links | {frozenset(clues)})
        case LinkErased(clues):
            return replace(state, links=state.links - {frozenset(clues)})
        case Published():
            return replace(state, editions=(*state.editions, event))
        case _:
            assert_never(event)


# ── gates over a state ──────────────────────────────────────────────────────────────────────────


def atoms(case: Case, state: State) -> frozenset[str]:
    """Every atom that holds, in the notation of gates.

    Clues, solved riddles, won confrontations, answers (``cp1_a``), evidence laid on a table
    (``mostra:josue:oxigenio``), topics heard to a depth (``neia.primo@2``) and endings reached.
    """
    return frozenset(
        [
            *state.clues,
            *(riddle for riddle, tries in state.riddles.items() if tries.right),
            *(c.id for c in case.confrontations.values() if is_won(c.wins, state, c.id)),
            *(f"{counter}_{option}" for counter, option in state.counters.items() if option),
            *(f"mostra:{character}:{clue}" for character, clue in state.shown),
            *(f"{key}@{d}" for key, depth in state.depth.items() for d in range(1, depth + 1)),
            *(edition.ending for edition in state.editions),
        ]
    )


def is_won(wins: int, state: State, confrontation: ConfrontationId) -> bool:
    """Whether enough rounds of a confrontation were won."""
    return len(state.won_rounds(confrontation)) >= wins


def holds(case: Case, state: State) -> Holds:
    """The predicate that gates ask."""
    return atoms(case, state).__contains__


def opens(case: Case, state: State, gate: Gate) -> bool:
    """Whether a gate is open in a state."""
    return gate.open(holds(case, state))
