"""The bodies of calls and, for the API's description, of answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt

from amazonia.play.text import clean

MESSAGE_LENGTH = 500
SOLID = r"[^\s\x00-\x1f\x7f-\x9f\xad]"
"""A character that can be seen. Of those that cannot, a pattern can name only the commonest."""
ID = Annotated[str, Field(min_length=1, max_length=64)]


def _message(text: str) -> str:
    cleaned = clean(text, MESSAGE_LENGTH + 1)
    if not 1 <= len(cleaned) <= MESSAGE_LENGTH:
        raise ValueError(f"must hold 1 to {MESSAGE_LENGTH} characters")
    return cleaned


class SessionBody(BaseModel):
    """A new session."""

    team: str | None = Field(None, max_length=400)
    members: int | None = Field(None, ge=1, le=200)
    class_code: str | None = Field(None, max_length=64)
    case: str | None = Field(None, max_length=64)
    lang: str | None = Field(None, max_length=16)


class ClassBody(BaseModel):
    """A new class. `hours` is how long it lasts; a week when nothing is said."""

    case: str | None = Field(None, max_length=64)
    lang: str | None = Field(None, max_length=16)
    hours: float = Field(168, ge=0.5, le=1440)
    passphrase: str = Field("", max_length=200)


class EnterBody(BaseModel):
    """How a teacher comes back: by the private link's key, or by passphrase or recovery code."""

    key: str = Field("", max_length=64)
    code: str = Field("", max_length=32)
    passphrase: str = Field("", max_length=200)


class CommandBody(BaseModel):
    """What a teacher does. `team`, `act` and the others go with the commands that need them."""

    do: Literal[
        "pause",
        "resume",
        "hold",
        "voice",
        "lang",
        "extend",
        "end_in",
        "end",
        "remove",
        "hint",
        "seen",
        "vote",
        "hands",
        "vote_close",
        "vote_clear",
    ]
    team: str = Field("", max_length=64)
    act: str = Field("", max_length=64)
    voice: Literal["model", "scripted"] = "model"
    lang: str = Field("", max_length=16)
    minutes: float = Field(0, ge=-1440, le=86400)
    question: str = Field("", max_length=300)
    options: list[Annotated[str, Field(max_length=300)]] = Field(default_factory=list, max_length=6)
    hands: list[int] = Field(default_factory=list, max_length=6)


class BallotBody(BaseModel):
    """A vote: which one, and the number of the option from 0."""

    vote: ID
    option: int = Field(ge=0, le=5)


class ResumeBody(BaseModel):
    """A resume code, however it was typed."""

    resume_code: str = Field(max_length=64)


class NameBody(BaseModel):
    """A name for the team; empty for another generated one."""

    name: str | None = Field(None, max_length=400)
    members: int | None = Field(None, ge=1, le=200)


class ChatBody(BaseModel):
    """A question to a character, with a clue laid on the table if `show` names one."""

    entity_id: ID
    message: Annotated[
        str,
        Field(max_length=4000, json_schema_extra={"maxLength": MESSAGE_LENGTH, "pattern": SOLID}),
        AfterValidator(_message),
    ]
    show: ID | None = None


class JobBody(BaseModel):
    """An order for a job; with a key, the same order twice is one job."""

    name: str = Field(max_length=32)
    arguments: dict[str, Any] = Field(default_factory=dict)
    key: str = Field("", max_length=100)


class AnswerBody(BaseModel):
    """An answer: an option's id, a list of ids, or `{clues, union}`."""

    answer: str | Annotated[list[str], Field(max_length=32)] | dict[str, Any]


class OptionBody(BaseModel):
    """The id of an option."""

    answer: ID


class ConfrontBody(BaseModel):
    """Clues and a reason against a statement."""

    confrontation: ID
    round: ID
    clues: list[ID] = Field(max_length=32)
    reason: ID


class PublishBody(BaseModel):
    """An edition: claims, and decisions by id."""

    claims: list[ID] = Field(max_length=64)
    decisions: dict[str, ID] = Field(default_factory=dict, max_length=32)


class LinksBody(BaseModel):
    """A string between two clues, tied or taken off."""

    clues: list[ID] = Field(min_length=2, max_length=2, json_schema_extra={"uniqueItems": True})
    erase: bool = False


class ReportBody(BaseModel):
    """Why a team objects to a reply."""

    turn_id: ID
    reason: str = Field("", max_length=1000)


class SessionAnswer(BaseModel):
    """A session; `name` is the team's."""

    team_id: str
    resume_code: str
    case: str
    lang: str
    name: str


class ClassAnswer(BaseModel):
    """A class that was opened; `recovery_code` is told this once."""

    code: str
    teacher_url: str
    join_url: str
    recovery_code: str


class ChatAnswer(BaseModel):
    """A whole reply."""

    turn_id: str
    entity_id: str
    reply: str
    source: str
    kind: str
    emotion: str
    gesture: str
    clues: list[dict[str, Any]]
    unlocked: list[dict[str, str]]
    counter: dict[str, Any] | None
    suggestions: list[str]
    readings: list[dict[str, str]]
    elapsed_ms: int
    duplicate: bool


class Judgement(BaseModel):
    """What an answer came to."""

    correct: bool
    explanation: str
    hint: str
    unlocked: list[dict[str, str]]


class RoundAnswer(BaseModel):
    """What a try at a round came to."""

    accepted: bool
    partial: bool
    reply: str
    next: str | None
    unlocked: list[dict[str, str]]


class EditionAnswer(BaseModel):
    """A front page."""

    ending: str
    headline: str
    text: list[str]
    debrief: list[str]
    missing: list[str]


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str


class SwitchBody(BaseModel):
    """Something is switched on or off."""

    on: StrictBool


class KeepBody(BaseModel):
    """For how long a class is kept."""

    days: StrictInt


class EraseBody(BaseModel):
    """What confirms that a class is to be erased: its code."""

    confirm: str = Field(max_length=40)


class JudgementBody(BaseModel):
    """A team's marks, by source; none to skip."""

    marks: dict[str, StrictInt] = Field(default_factory=dict, max_length=20)
