"""The shape of `case.yaml`. Unknown keys fail.

The shape of the text files is that of the dataclasses in `amazonia.domain.words`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepFile(_Model):
    when: str | None = None
    clue: str | None = None
    asks: str | None = None
    instead: dict[str, str] = {}


class TopicFile(_Model):
    when: str | None = None
    steps: list[StepFile] = Field(min_length=1, max_length=6)
    facts: list[str] = []


class CharacterFile(_Model):
    when: str | None = None
    place: str
    emotions: dict[str, Literal["calm", "hard", "soft"]] = Field(min_length=1)
    topics: dict[str, TopicFile] = Field(min_length=1)
    shows: dict[str, str] = {}


class ClueFile(_Model):
    weight: Literal["required", "optional", "false"]
    basis: Literal["real", "adapted", "fiction"]
    document: str
    supports: list[str] = []
    against: list[str] = []
    links: list[str] = []
    falls: str | None = None


class WrongOrderFile(_Model):
    id: str
    before: tuple[str, str]


class UnionFile(_Model):
    when: str | None = None


class AcceptedFile(_Model):
    clues: str
    union: str


class RiddleFile(_Model):
    type: Literal["order", "choice", "measure", "map", "timeline", "link"]
    when: str
    options: list[str] = []
    items: list[str] = []
    answer: str | list[str] = []
    wrong: list[WrongOrderFile] = []
    remark: dict[str, str] = {}
    layers: list[str] = []
    records: list[str] = []
    parts: dict[str, list[str]] = {}
    unions: dict[str, UnionFile] = {}
    accepts: list[AcceptedFile] = []
    pick: int = 0
    facts: list[str] = []


class ChallengeFile(_Model):
    by: str
    when: str | None = None
    options: list[str] = Field(min_length=2)
    answer: str
    bncc: str
    facts: list[str] = []
    rumour: bool = False


class CounterFile(_Model):
    by: str
    options: list[str] = Field(min_length=2)
    facts: list[str] = []


class ReasonFile(_Model):
    right: bool = False
    when: str | None = None


class RoundFile(_Model):
    when: str | None = None
    pick: int = Field(ge=1)
    accepts: str
    partial: str | None = None
    reasons: dict[str, ReasonFile] = Field(min_length=2)


class ConfrontationFile(_Model):
    with_: str = Field(alias="with")
    when: str
    wins: int = Field(ge=1)
    asks: str | None = None
    facts: list[str] = []
    rounds: dict[str, RoundFile] = Field(min_length=1)


class ClaimFile(_Model):
    when: str | None = None
    truth: Literal["true", "false", "unproven"]
    needs: str | None = None
    harmful: bool = False


class DecisionFile(_Model):
    when: str | None = None
    options: list[str] = Field(min_length=2)


class EndingFile(_Model):
    any: list[Literal["proved", "unsupported", "unproven", "harmful", "false"]] = []
    claims: str | None = None
    headline: str | None = None


class PublicationFile(_Model):
    when: str
    claims: dict[str, ClaimFile] = Field(min_length=1)
    decisions: dict[str, DecisionFile] = {}
    endings: dict[str, EndingFile] = Field(min_length=1)
    best: str
    epilogue: dict[str, dict[str, dict[str, str]]] = {}


class LessonFile(_Model):
    minutes: int = Field(ge=10)
    lessons: int = Field(ge=1)


class ClockFile(_Model):
    start: str = Field(alias="from", pattern=r"^\d\d:\d\d$")
    end: str = Field(alias="to", pattern=r"^\d\d:\d\d$")


class ActFile(_Model):
    id: str
    when: str | None = None


class CaseFile(_Model):
    format: Literal[1]
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    languages: list[str] = Field(min_length=1)
    lesson: LessonFile
    bncc: list[str] = []
    start: list[str] = []
    clock: ClockFile
    acts: list[ActFile] = Field(min_length=1)
    characters: dict[str, CharacterFile] = Field(min_length=1)
    clues: dict[str, ClueFile] = Field(min_length=1)
    riddles: dict[str, RiddleFile] = {}
    challenges: dict[str, ChallengeFile] = {}
    counters: dict[str, CounterFile] = {}
    confrontations: dict[str, ConfrontationFile] = {}
    publication: PublicationFile
    secrets: dict[str, str] = {}
    marks: dict[str, str] = {}
    discussion: dict[str, str | None] = {}
    questionnaire: dict[str, dict[str, Literal["solid", "weak"]]] = {}


class SourceFile(_Model):
    statement: str
    source: str
    confidence: str
    url: str = ""
    skill: str = ""
