"""The words of a case in one language: everything that a player may read.

The field names are the keys of the authors' `text.<language>` files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from amazonia.domain.case import (
    ChallengeId,
    CharacterId,
    ClueId,
    ConfrontationId,
    CounterId,
    RiddleId,
    TopicId,
)


class _Words:
    """Base: a key that is not a field is refused when words are read from a file."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Line(_Words):
    """Something said, with what the speaker does meanwhile."""

    text: str
    gesture: str = ""


@dataclass(frozen=True, slots=True)
class StepWords(_Words):
    """The wordings of a step; `must` lists what any performance of it has to contain."""

    says: tuple[Line, ...]
    emotion: str
    must: tuple[str, ...] = ()
    nudge: tuple[str, ...] = ()
    instead: Mapping[str, StepWords] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicWords(_Words):
    """The words of a topic: how it is named, asked for, refused, told and told again."""

    label: str
    suggestion: str
    examples: tuple[str, ...]
    steps: tuple[StepWords, ...]
    recap: tuple[str, ...]
    locked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AsideWords(_Words):
    """What is no topic but has an answer of its own: how it may come up, and what is said."""

    examples: tuple[str, ...]
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CharacterWords(_Words):
    """The words of a character; `resume` leads back into a line after a reply that broke off."""

    name: str
    short: str
    role: str
    subject: str
    place: str
    about: str
    manner: str
    gestures: Mapping[str, tuple[str, ...]]
    greeting: tuple[str, ...]
    greeting_again: tuple[str, ...]
    smalltalk: Mapping[str, tuple[str, ...]]
    deflections: tuple[str, ...]
    redirects: Mapping[CharacterId, tuple[str, ...]]
    unsure: tuple[str, ...]
    repeat: tuple[str, ...]
    shown: tuple[str, ...]
    topics: Mapping[TopicId, TopicWords]
    age: int = 0
    locked: str = ""
    ambience: str = ""
    resume: tuple[str, ...] = ()
    reactions: Mapping[ClueId, tuple[str, ...]] = field(default_factory=dict)
    asides: Mapping[str, AsideWords] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document(_Words):
    """A document to be read: parts from which the page designs the object."""

    heading: str
    alt: str
    rows: tuple[tuple[str, ...], ...] = ()
    body: tuple[str, ...] = ()
    stamp: str = ""
    note: str = ""
    folded: str = ""


@dataclass(frozen=True, slots=True)
class ClueWords(_Words):
    """The words of a clue; `question` is what a team asks when it lays the clue on a table."""

    title: str
    summary: str
    found: str
    aliases: tuple[str, ...]
    source_line: str
    question: str
    document: Document
    links: Mapping[ClueId, str] = field(default_factory=dict)
    falls: str = ""


@dataclass(frozen=True, slots=True)
class Table(_Words):
    """A small table of figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Record(_Words):
    """An entry of a timeline."""

    when: str
    text: str


@dataclass(frozen=True, slots=True)
class RiddleWords(_Words):
    """The words of a riddle; which are used depends on its type."""

    title: str
    intro: str
    prompt: str
    explanation: str
    opens: str
    hints: tuple[str, ...]
    items: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    feedback: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    wrong_default: str = ""
    wrong_clues: str = ""
    remark: Mapping[str, str] = field(default_factory=dict)
    table: Table | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    unions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChallengeWords(_Words):
    """The words of a challenge. A slip without `signed` is a rumour."""

    prompt: str
    options: Mapping[str, str]
    feedback: Mapping[str, str]
    explanation: str
    slip: str
    signed: str = ""
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterWords(_Words):
    """The words of a counter-question."""

    prompt: str
    options: Mapping[str, str]
    replies: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RoundWords(_Words):
    """The words of a confrontation's round."""

    statement: str
    reasons: Mapping[str, str]
    wrong_reason: Mapping[str, str]
    partial: str
    wrong_clues: tuple[str, ...]
    tell: str
    won: str


@dataclass(frozen=True, slots=True)
class ConfrontationWords(_Words):
    """The words of a confrontation."""

    title: str
    intro: str
    rounds: Mapping[str, RoundWords]
    won: str
    resting: str
    right_of_reply: str = ""


@dataclass(frozen=True, slots=True)
class ClaimWords(_Words):
    """The words of a claim and of what proved it, would have, or why it fails."""

    text: str
    proved: str = ""
    unproved: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DecisionWords(_Words):
    """The words of an editor's decision."""

    prompt: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EndingWords(_Words):
    """A front page; `headline_else` is printed where the ending's `headline` claim is missing."""

    headline: str
    deck: str
    paragraphs: tuple[str, ...]
    verdict: str
    headline_else: str = ""


@dataclass(frozen=True, slots=True)
class PublicationWords(_Words):
    """The words of the publication."""

    intro: str
    claims: Mapping[str, ClaimWords]
    decisions: Mapping[str, DecisionWords]
    endings: Mapping[str, EndingWords]
    epilogue: Mapping[str, Mapping[str, Mapping[str, str]]]
    second_edition: str


@dataclass(frozen=True, slots=True)
class Titled(_Words):
    """A title with one line under it."""

    title: str
    line: str


@dataclass(frozen=True, slots=True)
class Place(_Words):
    """A place on the map."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class GlossaryEntry(_Words):
    """A word that a pupil may not know. `when` is the gate before which it would spoil."""

    term: str
    means: str
    facts: tuple[str, ...] = ()
    when: str = ""


@dataclass(frozen=True, slots=True)
class JudgedWords(_Words):
    """A source that a team judges; `why` says to the teacher what there is to see in it."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class QuestionnaireWords(_Words):
    """The words of the questionnaire before and after."""

    lead: str
    items: Mapping[str, JudgedWords]


@dataclass(frozen=True, slots=True)
class CaseWords(_Words):
    """Every word of a case in one language.

    `facts` translates the statements of `sources.yaml`, `captions` what stands in drawings.
    """

    title: str
    subtitle: str
    setting: str
    opening: tuple[str, ...]
    briefing: tuple[str, ...]
    acts: Mapping[str, Titled]
    places: Mapping[str, Place]
    clues: Mapping[ClueId, ClueWords]
    riddles: Mapping[RiddleId, RiddleWords]
    challenges: Mapping[ChallengeId, ChallengeWords]
    counters: Mapping[CounterId, CounterWords]
    confrontations: Mapping[ConfrontationId, ConfrontationWords]
    publication: PublicationWords
    debrief: tuple[str, ...]
    secrets: Mapping[str, tuple[str, ...]]
    credits: Mapping[str, str]
    coping: Mapping[str, str]
    glossary: tuple[GlossaryEntry, ...]
    characters: Mapping[CharacterId, CharacterWords]
    discussion: Mapping[str, str] = field(default_factory=dict)
    questionnaire: QuestionnaireWords | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)

    def without_examples(self) -> CaseWords:
        """The words of those who play: nobody but a learner reads the examples."""
        characters = {
            name: replace(
                who,
                topics={t: replace(topic, examples=()) for t, topic in who.topics.items()},
                asides={a: replace(aside, examples=()) for a, aside in who.asides.items()},
            )
            for name, who in self.characters.items()
        }
        return replace(self, characters=characters)
