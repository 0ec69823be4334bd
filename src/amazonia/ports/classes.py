"""What the use cases around a class need of the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from amazonia.domain.case import Lang
from amazonia.ports import Json, Team

ClassVoice = Literal["model", "scripted"]


@dataclass(frozen=True, slots=True)
class Vote:
    """A question to the whole class.

    Attributes:
        hands: hands counted by the teacher, by option.
        ballots: browser → the number of its option.
    """

    id: str
    question: str
    options: tuple[str, ...]
    hands: tuple[int, ...]
    ballots: Mapping[str, int] = field(default_factory=dict)
    is_open: bool = True

    def tally(self) -> tuple[int, ...]:
        """Hands and ballots of each option."""
        cast = list(self.ballots.values())
        return tuple(hands + cast.count(i) for i, hands in enumerate(self.hands))


@dataclass(frozen=True, slots=True)
class Classroom:
    """A class as it is stored.

    Attributes:
        code: what teams join with; nobody else has it, not even when the class is over.
        key: digest of what the teacher's private link holds; `recovery` of the printed code.
        passphrase: its hash; empty if the teacher gave none.
        lang: what the teams play in.
        paused: nobody plays on for now.
        held: the last act that teams may play in; empty if all are open.
        ends_at: when it is over by itself; `ended_at` when the teacher ended it, if so.
        questionnaire: whether teams are asked to judge sources, before and after.
        keep_days: how long everything is kept after something last happened in it.
        version: moves with every command.
    """

    id: str
    code: str
    case_id: str
    key: str
    recovery: str
    passphrase: str
    lang: Lang
    created_at: float
    ends_at: float
    ended_at: float | None = None
    voice: ClassVoice = "model"
    paused: bool = False
    held: str = ""
    vote: Vote | None = None
    questionnaire: bool = False
    keep_days: int = 180
    version: int = 1

    def is_over(self, now: float) -> bool:
        """Whether nobody may join or play on."""
        return self.ended_at is not None or now >= self.ends_at


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a teacher did, for the other teacher's page and for the teams' pages.

    Attributes:
        team_id: the team that it is for; empty if for all.
        id: its place in the order of all commands; 0 before it is stored.
    """

    kind: str
    data: Json
    at: float
    team_id: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What a team did last.

    Attributes:
        character: whom it asked last; empty if nobody.
        at: when it last did anything.
    """

    character: str
    at: float
    joined_at: float


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A question of a team and its answer, for its teacher."""

    character: str
    message: str
    reply: str
    at: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A message over which an adult should know of a team."""

    team_id: str
    kind: str
    message: str
    at: float
    seen_at: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A team, what it did last, and its marks."""

    team: Team
    active: Activity
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved lately.

    Attributes:
        teams: of classes, as (class, team, when).
        classes: those with commands, as (class, when).
    """

    teams: tuple[tuple[str, str, float], ...]
    classes: tuple[tuple[str, float], ...]


class Classes(Protocol):
    """Classes, the teams in them, and what was told to them."""

    async def add(self, room: Classroom) -> None:
        """Store a new class.

        Raises:
            Conflict: its code is taken.
        """
        ...

    async def get(self, class_id: str) -> Classroom | None:
        """A class by its id."""
        ...

    async def by_code(self, code: str) -> Classroom | None:
        """A class by its code, whether or not it is over."""
        ...

    async def by_key(self, key: str) -> Classroom | None:
        """A class by the digest of its private link."""
        ...

    async def change(
        self,
        class_id: str,
        rule: Callable[[Classroom], Classroom],
        commands: Sequence[Command],
        at: float,
    ) -> Classroom:
        """Apply a pure rule to the newest state of a class and note commands, all or nothing.

        Returns:
            The class afterwards; its version moved.

        Raises:
            NotTheTeacher: there is no such class (any more).
        """
        ...

    async def teams(self, class_id: str) -> list[Team]:
        """Every team of a class, removed ones too, in the order in which they joined."""
        ...

    async def everybody(self, class_id: str) -> list[Seen]:
        """Every team of a class, in the order in which they joined."""
        ...

    async def look(self, team_ids: Sequence[str]) -> list[Seen]:
        """These teams, of whatever classes, in one reading; one that is gone is left out."""
        ...

    async def progressed(self, team_ids: Sequence[str]) -> Mapping[str, float]:
        """When each team last found, solved or won something; absent if it never did."""
        ...

    async def conversation(self, team_id: str, most: int) -> list[Exchanged]:
        """What a team asked and was answered, the newest `most`, oldest first."""
        ...

    async def names(self, class_id: str) -> list[str]:
        """The names of its teams."""
        ...

    async def remove_team(self, class_id: str, team_id: str, at: float) -> bool:
        """Take a team out of a class; whether it was in it. Its progress is kept."""
        ...

    async def set_language(self, class_id: str, lang: Lang, at: float) -> None:
        """Let every team of a class play in another language."""
        ...

    async def commands(self, class_id: str, after: int = 0) -> list[Command]:
        """The commands after one, oldest first."""
        ...

    async def moved(self, since: float) -> Moved:
        """What moved at `since` or later, in all classes."""
        ...

    async def flag(self, flag: Flag) -> None:
        """Mark a team."""
        ...

    async def flags(self, team_ids: Sequence[str]) -> Mapping[str, list[Flag]]:
        """The marks of teams, oldest first; a team without one is absent."""
        ...

    async def see_flags(self, team_id: str, at: float) -> None:
        """A teacher has seen a team's marks."""
        ...


class Secrets(Protocol):
    """Keeps passphrases so that nobody can read them."""

    async def hash(self, passphrase: str) -> str:
        """What to store of a passphrase."""
        ...

    async def verify(self, hashed: str, passphrase: str) -> bool:
        """Whether it is the passphrase. Takes as long where `hashed` is empty, and is False."""
        ...


class Signals(Protocol):
    """Processes tell each other what is new."""

    def ring(self, what: str, text: str) -> None:
        """Tell every other process that follows this; `NEWS` is followed by all."""
        ...

    def on_ring(self, heard: Callable[[str, str], None]) -> None:
        """Call this with what was rung elsewhere, and what it brought along."""
        ...
