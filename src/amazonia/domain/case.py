"""A case: what exists in it and how it hangs together.

All values are frozen. The logic here is the same in every language; the words come one set a
language, see `amazonia.domain.words`. `amazonia.content` builds both from files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2s
from typing import TYPE_CHECKING, Literal, NewType

from amazonia.domain.errors import Unknown
from amazonia.domain.gates import OPEN, Gate

if TYPE_CHECKING:
    from amazonia.domain.words import CaseWords

CharacterId = NewType("CharacterId", str)
TopicId = NewType("TopicId", str)
ClueId = NewType("ClueId", str)
RiddleId = NewType("RiddleId", str)
ChallengeId = NewType("ChallengeId", str)
CounterId = NewType("CounterId", str)
ConfrontationId = NewType("ConfrontationId", str)
Lang = NewType("Lang", str)

Verdict = Literal["proved", "unsupported", "unproven", "harmful", "false"]
RiddleType = Literal["order", "choice", "measure", "map", "timeline", "link"]


# ── characters ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Step:
    """One depth of a topic.

    Attributes:
        when: what must hold before this step is told; until then it waits, with a nudge.
        clue: the clue that hearing it awards.
        asks: the counter-question that it ends with.
        instead: other wordings of the same step, each with the gate that selects it; first wins.
    """

    when: Gate = OPEN
    clue: ClueId | None = None
    asks: CounterId | None = None
    instead: tuple[tuple[str, Gate], ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that a character can talk about, told one step a question."""

    id: TopicId
    character: CharacterId
    when: Gate
    steps: tuple[Step, ...]
    facts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name that is unique in the case: ``esmerina.aiu``."""
        return f"{self.character}.{self.id}"

    @property
    def clues(self) -> tuple[ClueId, ...]:
        """The clues that its steps award."""
        return tuple(step.clue for step in self.steps if step.clue)


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody who can be interviewed.

    Attributes:
        emotions: each emotion of the texts and the expression (calm, hard, soft) that is drawn.
        shows: for a clue laid on this character's table, the topic that it leads to.
    """

    id: CharacterId
    when: Gate
    place: str
    emotions: Mapping[str, str]
    topics: Mapping[TopicId, Topic]
    shows: Mapping[ClueId, TopicId] = field(default_factory=dict)


# ── what teams collect and answer ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Clue:
    """A piece of evidence. `falls` is set for a false one: when it is shown as refuted."""

    id: ClueId
    weight: Literal["required", "optional", "false"]
    basis: Literal["real", "adapted", "fiction"]
    document: str
    supports: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    links: tuple[ClueId, ...] = ()
    falls: Gate | None = None


@dataclass(frozen=True, slots=True)
class WrongOrder:
    """Explains an order in which `first` stands before `then`."""

    id: str
    first: str
    then: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """One right answer of a link riddle: a gate over the picked clues, and what unites them."""

    clues: Gate
    union: str


@dataclass(frozen=True, slots=True)
class Riddle:
    """A question that the evidence answers. Which fields are used depends on `type`."""

    id: RiddleId
    type: RiddleType
    when: Gate
    options: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    wrong: tuple[WrongOrder, ...] = ()
    remarks: tuple[tuple[str, Gate], ...] = ()
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    unions: tuple[tuple[str, Gate], ...] = ()
    accepts: tuple[Accepted, ...] = ()
    pick: int = 0
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A multiple-choice question asked by a character; solved, it drops a hint slip."""

    id: ChallengeId
    by: CharacterId
    when: Gate
    options: tuple[str, ...]
    answer: str
    bncc: str
    facts: tuple[str, ...] = ()
    rumour: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """A character asks the team. It never blocks, and the first answer stands."""

    id: CounterId
    by: CharacterId
    options: tuple[str, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """A way to say why the picked clues defeat a statement."""

    id: str
    when: Gate = OPEN
    right: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """A statement to be defeated by clues (a gate over those picked) and a reason."""

    id: str
    when: Gate
    pick: int
    accepts: Gate
    partial: Gate | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Confrontation:
    """Rounds with one character; won when `wins` of them are won.

    Attributes:
        requires: what a team must have found before anybody may be confronted; `when` has to be
            stricter, which `amazonia check` proves.
    """

    id: ConfrontationId
    character: CharacterId
    when: Gate
    wins: int
    rounds: Mapping[str, Round]
    asks: CounterId | None = None
    facts: tuple[str, ...] = ()
    requires: Gate | None = None


# ── publication ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a team may publish, and whether it is so."""

    id: str
    when: Gate
    truth: Literal["true", "false", "unproven"]
    needs: Gate = OPEN
    harmful: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """An editor's decision: it changes the epilogue, never the ending."""

    id: str
    when: Gate
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """Fits if any published claim has a verdict of `any`, or the published claims open `claims`.

    Attributes:
        headline: a claim; if it was not published, another headline is printed.
    """

    id: str
    any: frozenset[Verdict] = frozenset()
    claims: Gate | None = None
    headline: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """What may be published and what comes of it; the first ending that fits is the team's."""

    when: Gate
    claims: Mapping[str, Claim]
    decisions: Mapping[str, Decision]
    endings: tuple[Ending, ...]
    best: str
    epilogue: Mapping[str, Mapping[str, tuple[tuple[str, Gate], ...]]]


# ── the whole ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Source:
    """A real-world fact and where it was read."""

    id: str
    statement: str
    source: str
    confidence: str
    url: str = ""
    skill: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two parallel forms of the questionnaire on judging sources.

    Attributes:
        items: each source that is to be judged, and whether it deserves trust.
    """

    id: str
    items: Mapping[str, bool]


@dataclass(frozen=True)
class Case:
    """A whole case.

    Attributes:
        revision: a hash over all of its files; changes with any of them.
        start: the clues that a team owns from the start.
        clock: hours of the fiction, minutes since midnight: (start, broadcast).
        secrets: words (by id) that no voice may say before the gate holds.
        marks: marks (by id) that the map gains when the gate holds.
        discussion: questions (by id) for a class in which some team came to open the gate.
        questionnaire: the two forms of the questionnaire before and after, or none.
    """

    id: str
    revision: str
    start: tuple[ClueId, ...]
    clock: tuple[int, int]
    minutes: int
    bncc: tuple[str, ...]
    acts: tuple[tuple[str, Gate], ...]
    characters: Mapping[CharacterId, Character]
    clues: Mapping[ClueId, Clue]
    riddles: Mapping[RiddleId, Riddle]
    challenges: Mapping[ChallengeId, Challenge]
    counters: Mapping[CounterId, Counter]
    confrontations: Mapping[ConfrontationId, Confrontation]
    publication: Publication
    secrets: Mapping[str, Gate]
    marks: Mapping[str, Gate]
    sources: Mapping[str, Source]
    words: Mapping[Lang, CaseWords]
    discussion: Mapping[str, Gate] = field(default_factory=dict)
    questionnaire: tuple[Form, ...] = ()
    licence: str = "CC-BY-SA-4.0"
    renamed: Mapping[str, str] = field(default_factory=dict)

    def topics(self) -> Iterator[Topic]:
        """Every topic of every character."""
        for character in self.characters.values():
            yield from character.topics.values()

    def topic(self, key: str) -> Topic:
        """The topic of a key such as ``esmerina.aiu``."""
        character, _, name = key.partition(".")
        try:
            return self.characters[CharacterId(character)].topics[TopicId(name)]
        except KeyError:
            raise Unknown("topic", key) from None

    def code(self, *path: str) -> str:
        """An id for players that says nothing: six letters from the case's and the thing's names.

        Claims, options, reasons, rounds and confrontations have telling ids (``conf_graca``),
        which must stay inside. The code is the same for every team, so that a walkthrough can be
        written down; the order in which options are listed is not.
        """
        digest = blake2s("/".join((self.id, *path)).encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        return "".join("bcdfghjkmnpqrstvwxyz"[number // 20**i % 20] for i in range(6))

    @cached_property
    def guarded_clues(self) -> frozenset[ClueId]:
        """The clues that must be reachable by two routes."""
        return frozenset(c.id for c in self.clues.values() if c.weight == "required")
