"""The shape of `case.yaml`, `sources.yaml` and `tests.yaml`. Unknown keys fail.

The shape of the text files is that of the dataclasses in `amazonia.domain.words`. The string under
a field is its description in docs/format.md and in the JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

GateText = Annotated[str, Field(examples=["r_one + (clue_a / clue_b)"])]
"""A gate: `+` is AND, `/` is OR, parentheses group."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class StepFile(_Model):
    """One depth of a topic; each further question goes one step deeper."""

    when: GateText | None = None
    """Gate of this step; until it holds the step waits, with the text's `nudge`."""
    clue: str | None = None
    """The clue that is found with it."""
    asks: str | None = None
    """The counter-question that the character puts after it."""
    instead: dict[str, GateText] = {}
    """Other wordings of the step, each with its gate; the first that holds is spoken."""


class TopicFile(_Model):
    """Something that a character can talk about."""

    when: GateText | None = None
    """Gate of the topic; before it the text's `locked` is said."""
    steps: list[StepFile] = Field(min_length=1, max_length=6)
    """One to six steps."""
    facts: list[str] = []
    """The ids of `sources.yaml` that stand behind what is told."""


class CharacterFile(_Model):
    """Somebody who can be interviewed."""

    when: GateText | None = None
    """Gate of the character; before it the text's `locked` says why."""
    place: str
    """Where they are: an id of the text's `places`."""
    emotions: dict[str, Literal["calm", "hard", "soft"]] = Field(min_length=1)
    """The emotions that steps may have, each with the expression that is drawn."""
    topics: dict[str, TopicFile] = Field(min_length=1)
    """What they can be asked about."""
    shows: dict[str, str] = {}
    """For a clue that is laid on their table, the topic that it leads to."""


class ClueFile(_Model):
    """A piece of evidence."""

    weight: Literal["required", "optional", "false"]
    """required: two people give it. optional: the case is won without it. false: it falls."""
    basis: Literal["real", "adapted", "fiction"]
    """Whether it is a fact, made from facts, or invented; players are told."""
    document: str
    """How it is drawn: letter, notebook, photo, audio, sketch, form, table, map, chat, receipt …"""
    supports: list[str] = []
    """The claims that it speaks for."""
    against: list[str] = []
    """The claims that it speaks against."""
    links: list[str] = []
    """Clues that it goes with on the board of strings."""
    falls: GateText | None = None
    """For a false clue: the gate from which it is shown as refuted."""


class WrongOrderFile(_Model):
    """Explains a wrong order, once `before[0]` stands before `before[1]`."""

    id: str
    """The id of its text."""
    before: tuple[str, str]
    """Two items, in the order that is wrong."""


class UnionFile(_Model):
    """Something that may unite the clues of a link riddle."""

    when: GateText | None = None
    """Gate from which it is offered."""


class AcceptedFile(_Model):
    """One right answer of a link riddle."""

    clues: GateText
    """A gate over the clues that are picked."""
    union: str
    """What unites them."""


class RiddleFile(_Model):
    """A question that the evidence answers."""

    type: Literal["order", "choice", "measure", "map", "timeline", "link"]
    """order: sort `items`. link: pick clues and a union. The others: one of `options`."""
    when: GateText
    """Gate from which it is posed."""
    options: list[str] = []
    """The ids of the options."""
    items: list[str] = []
    """What is to be sorted (order)."""
    answer: str | list[str] = []
    """The right option, or the items in the right order."""
    wrong: list[WrongOrderFile] = []
    """Explanations of wrong orders; the first that fits is said."""
    remark: dict[str, GateText] = {}
    """Remarks after the explanation, each with its gate."""
    layers: list[str] = []
    """Layers of a map that can be laid over each other."""
    records: list[str] = []
    """Entries of a timeline."""
    parts: dict[str, list[str]] = {}
    """For an option, the layers or records that name it as well."""
    unions: dict[str, UnionFile] = {}
    """What may unite clues (link)."""
    accepts: list[AcceptedFile] = []
    """The right answers (link)."""
    pick: int = 0
    """How many clues are picked (link)."""
    facts: list[str] = []
    """The ids of `sources.yaml` that the explanation rests on."""


class ChallengeFile(_Model):
    """A multiple-choice question by a character; solved, it drops a hint slip."""

    by: str
    """Who asks."""
    when: GateText | None = None
    """Gate, beside that of the character."""
    options: list[str] = Field(min_length=2)
    """The ids of the options; they are shuffled for each team."""
    answer: str
    """The right one."""
    bncc: str
    """The skill of the Brazilian curriculum that it practises, as in EF07CI08."""
    facts: list[str] = []
    """The ids of `sources.yaml` behind it."""
    rumour: bool = False
    """Its slip is a rumour: nobody signs it, and it is wrong."""


class CounterFile(_Model):
    """A character asks the team; the first answer stands, and every answer lets it go on."""

    by: str
    """Who asks."""
    options: list[str] = Field(min_length=2)
    """The ids of the answers; gates name them as `id_option`."""
    facts: list[str] = []
    """The ids of `sources.yaml` behind it."""


class ReasonFile(_Model):
    """A way to say why the clues defeat a statement."""

    right: bool = False
    """Whether it is the reason."""
    when: GateText | None = None
    """Gate from which it is offered."""


class RoundFile(_Model):
    """A statement that clues and a reason defeat."""

    when: GateText | None = None
    """Gate of the round."""
    pick: int = Field(ge=1)
    """How many clues may be laid down."""
    accepts: GateText
    """A gate over the clues laid down; two or more of them."""
    partial: GateText | None = None
    """A gate over the clues for half an answer."""
    reasons: dict[str, ReasonFile] = Field(min_length=2)
    """Two or more, one of them `right: true`."""


class ConfrontationFile(_Model):
    """Rounds with one character."""

    with_: str = Field(alias="with")
    """Whom."""
    when: GateText
    """Gate from which it can be entered."""
    wins: int = Field(ge=1)
    """How many rounds have to be won."""
    asks: str | None = None
    """The counter-question after it."""
    requires: GateText | None = None
    """What a team must have found before; that `when` is stricter is proved."""
    facts: list[str] = []
    """The ids of `sources.yaml` behind it."""
    rounds: dict[str, RoundFile] = Field(min_length=1)
    """The rounds."""


class ClaimFile(_Model):
    """A sentence that a team may publish."""

    when: GateText | None = None
    """Gate from which it is listed, so that the list gives nothing away."""
    truth: Literal["true", "false", "unproven"]
    """Whether it is so, or nobody can know."""
    needs: GateText | None = None
    """For a true one: what proves it."""
    harmful: bool = False
    """For an unproven one: publishing it harms somebody."""


class DecisionFile(_Model):
    """An editor's decision: it changes the epilogue, never the ending."""

    when: GateText | None = None
    """Gate from which it is asked for."""
    options: list[str] = Field(min_length=2)
    """The ids of the options."""


class EndingFile(_Model):
    """A front page. The first that fits is the team's; the last has to fit always."""

    any: list[Literal["proved", "unsupported", "unproven", "harmful", "false"]] = []
    """It fits if a published claim has one of these verdicts."""
    claims: GateText | None = None
    """It fits if these claims were published."""
    headline: str | None = None
    """A claim without which `headline_else` is printed."""


class PublicationFile(_Model):
    """What may be published and what comes of it."""

    when: GateText
    """Gate from which a team may publish."""
    claims: dict[str, ClaimFile] = Field(min_length=1)
    """What can be claimed."""
    decisions: dict[str, DecisionFile] = {}
    """What has to be decided besides."""
    endings: dict[str, EndingFile] = Field(min_length=1)
    """The front pages, in the order in which they are tried."""
    best: str
    """The ending that wins the case."""
    epilogue: dict[str, dict[str, dict[str, GateText]]] = {}
    """Ending → group → paragraph → gate: of each group the first that holds is printed."""


class LessonFile(_Model):
    """The time that the case takes."""

    minutes: int = Field(ge=10)
    """Minutes of a lesson."""
    lessons: int = Field(ge=1)
    """How many lessons."""


class ClockFile(_Model):
    """The hours of the story."""

    start: str = Field(alias="from", pattern=r"^\d\d:\d\d$")
    """When it begins."""
    end: str = Field(alias="to", pattern=r"^\d\d:\d\d$")
    """When the broadcast is."""


class ActFile(_Model):
    """A part of the story."""

    id: str
    """The id of its text."""
    when: GateText | None = None
    """Gate from which it has begun."""


class CaseFile(_Model):
    """`case.yaml`: what exists and how it hangs together."""

    format: Literal[1]
    """The version of this format."""
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """The case's id, which is the name of its folder."""
    languages: list[str] = Field(min_length=1)
    """Languages with a `text.<language>.yaml`; the first is the one the others translate."""
    licence: str = "CC-BY-SA-4.0"
    """The licence of texts and drawings, as an SPDX id; the credits name it."""
    lesson: LessonFile
    """The time that the case takes; it is proved that it fits."""
    bncc: list[str] = []
    """The skills of the Brazilian curriculum that the case practises."""
    start: list[str] = []
    """Clues that a team owns from the start."""
    clock: ClockFile
    """The hours of the story."""
    acts: list[ActFile] = Field(min_length=1)
    """The parts of the story."""
    characters: dict[str, CharacterFile] = Field(min_length=1)
    """Who can be interviewed."""
    clues: dict[str, ClueFile] = Field(min_length=1)
    """What can be found."""
    riddles: dict[str, RiddleFile] = {}
    """What has to be worked out."""
    challenges: dict[str, ChallengeFile] = {}
    """What characters ask in passing."""
    counters: dict[str, CounterFile] = {}
    """What characters want to know."""
    confrontations: dict[str, ConfrontationFile] = {}
    """Who is confronted."""
    publication: PublicationFile
    """What may be published."""
    discussion: dict[str, GateText | None] = {}
    """Questions for the class to discuss, each with the gate from which it spoils nothing."""
    questionnaire: dict[str, dict[str, Literal["solid", "weak"]]] = {}
    """Forms on judging sources, before and after: option → whether it is a solid ground."""
    secrets: dict[str, GateText] = {}
    """For a secret, the gate before which nobody may say its words (which are in the texts)."""
    marks: dict[str, GateText] = {}
    """For a mark of the map, the gate from which it shows (groups `mark-<id>` of art/map.svg)."""
    renamed: dict[str, str] = {}
    """Ids of an earlier revision → what they are called now, for teams that are playing: clues,
    topics (`esmerina.aiu`), riddles, challenges, counter-questions, confrontations, claims."""


class SourceFile(_Model):
    """A fact about the world and where it was read."""

    statement: str
    """The fact, in one or two sentences."""
    source: str
    """Author, title, year; or the institution."""
    confidence: str
    """V1: read in the primary text. V2: in a secondary one. K: well known, not read."""
    url: str = ""
    """Where it can be read."""
    skill: str = ""
    """For a skill of the BNCC: its code."""


class QuestionsFile(_Model):
    """Questions in one language that `amazonia check` asks."""

    must: dict[str, dict[str, list[str]]] = {}
    """Character → topic → questions that must find it first."""
    must_not: dict[str, list[str]] = {}
    """Character → questions that must find no topic."""
