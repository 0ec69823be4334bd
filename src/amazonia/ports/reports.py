"""What a report on a class is made from, and what is done with a class's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from amazonia.domain.case import CharacterId
from amazonia.domain.session import Event
from amazonia.ports import Json

Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and when it happened, by the server's clock."""

    at: float
    event: Event


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a team asked, without its words."""

    at: float
    character: CharacterId
    source: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A team's answers to the questionnaire on judging sources.

    Attributes:
        moment: before the first question, or after an edition.
        form: which of the two parallel forms.
        marks: item → how far it is trusted, 1 to 5; empty if the team skipped it.
    """

    moment: Moment
    form: str
    marks: Mapping[str, int]
    at: float


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a report on a team is made from.

    Attributes:
        complaints: how many replies the team objected to.
        flags: marks that its messages got, as (when, kind).
    """

    team_id: str
    name: str
    members: int | None
    joined_at: float
    happened: tuple[Happened, ...]
    questions: tuple[Question, ...]
    judgements: tuple[Judgement, ...] = ()
    complaints: int = 0
    flags: tuple[tuple[float, str], ...] = ()


class Records(Protocol):
    """Everything that is kept of a class."""

    async def of_class(self, class_id: str) -> list[Record]:
        """The records of its teams in the order in which they joined; removed ones are left out."""
        ...

    async def versions(self, class_id: str) -> str:
        """A text that changes whenever the records of the class do."""
        ...

    async def judge(self, team_id: str, judgement: Judgement) -> bool:
        """Keep a team's answers; False if it gave some for that moment before, which stand."""
        ...

    async def judgements(self, team_id: str) -> Sequence[Judgement]:
        """What a team answered so far."""
        ...

    async def place(self, team_id: str) -> int:
        """How many teams joined the team's class before it."""
        ...

    async def everything(self, class_id: str) -> Mapping[str, list[Json]]:
        """Every row that is kept of a class, by table; what opens doors is left out."""
        ...

    async def erase(self, class_id: str) -> Mapping[str, int]:
        """Erase a class with everything that is kept of it and of its teams.

        Returns:
            How many rows that were, by table.
        """
        ...

    async def unused_since(self, at: float) -> Sequence[tuple[str, float]]:
        """Classes in which nothing happened since, as (id, when something did last)."""
        ...
