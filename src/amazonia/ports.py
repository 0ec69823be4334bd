"""What the use cases need of the outside, and the values that pass to and fro.

An adapter meets one port; `amazonia.services` wires them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from amazonia.domain.case import Case, CharacterId, ClueId, Lang
from amazonia.domain.director import Beat
from amazonia.domain.session import Event, State
from amazonia.domain.understanding import Reading
from amazonia.domain.words import CaseWords

Json = dict[str, Any]
Source = Literal["model", "cache", "scripted"]
T = TypeVar("T")
K_contra = TypeVar("K_contra", contravariant=True)
V_co = TypeVar("V_co", covariant=True)

# ── values ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Team:
    """A team as it is stored.

    Attributes:
        version: how many events its state has seen; moves with every change of the state.
    """

    id: str
    case_id: str
    lang: Lang
    name: str
    members: int | None
    resume_code: str
    version: int
    state: State


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What a rule makes of a team: the events to be added, and the answer for whoever asked."""

    events: Sequence[Event]
    result: T


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, as far as telling it from others goes.

    Attributes:
        key: the message, normalised, so that two ways of typing it are one question.
        since: turns accepted before this moment are no duplicates (unless still running).
    """

    team_id: str
    character: CharacterId
    message: str
    key: str
    shown: ClueId | None
    since: float


@dataclass(frozen=True, slots=True)
class Opening:
    """A directed turn, ready to be committed.

    Attributes:
        answer: everything that the reply will hold beside what the voice adds.
    """

    id: str
    seed: int
    beat: Beat
    answer: Json
    owner: str
    at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it is stored; `reply` and `source` are empty while it is `speaking`."""

    id: str
    team_id: str
    character: CharacterId
    message: str
    shown: ClueId | None
    status: Literal["speaking", "done"]
    lines: tuple[str, ...]
    clues: tuple[ClueId, ...]
    answer: Json
    reply: str
    source: str
    accepted_at: float
    elapsed_ms: int
    owner: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a question.

    Attributes:
        how: it is a new turn; or the same question is this turn already; or the character is
            still busy with this other turn and nothing was changed.
    """

    turn: Turn
    how: Literal["new", "duplicate", "busy"]


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a performance. `replace` puts its text in the place of all sentences so far."""

    kind: Literal["sentence", "replace"]
    text: str
    source: Source = "scripted"


@dataclass(frozen=True, slots=True)
class Performance:
    """What a voice is asked to perform."""

    case: Case
    words: CaseWords
    lang: Lang
    character: CharacterId
    lines: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event of a turn's stream; ids run 1, 2, 3, …"""

    id: int
    kind: str
    data: Json


@dataclass(frozen=True, slots=True)
class Spoke:
    """How far a turn is: its status and what was said after some event."""

    status: Literal["speaking", "done"]
    said: tuple[StreamEvent, ...]


# ── storage ─────────────────────────────────────────────────────────────────────────────────────


class Teams(Protocol):
    """Teams and their states."""

    async def add(self, team: Team, at: float) -> None:
        """Store a new team.

        Raises:
            Conflict: its resume code is taken.
        """
        ...

    async def get(self, team_id: str) -> Team | None:
        """A team by its id."""
        ...

    async def by_code(self, resume_code: str) -> Team | None:
        """The team of a resume code."""
        ...

    async def rename(self, team_id: str, name: str, members: int | None, at: float) -> None:
        """Give a team another name and head count."""
        ...

    async def change(self, team_id: str, rule: Callable[[Team], Change[T]], at: float) -> T:
        """Apply a pure rule to the team's newest state and save what it says, all or nothing.

        The rule may run more than once. What it raises is raised here and nothing was changed.
        """
        ...

    async def versions(self, team_ids: Sequence[str]) -> Mapping[str, int]:
        """The versions of teams."""
        ...


class Devices(Protocol):
    """The browsers that are signed in."""

    async def add(self, device: str, team_id: str, at: float) -> None:
        """Sign a browser in."""
        ...

    async def team(self, device: str, since: float) -> Team | None:
        """The team of a browser that signed in after `since` and was not revoked."""
        ...

    async def revoke(self, device: str, at: float) -> None:
        """Sign a browser out."""
        ...


class Turns(Protocol):
    """Turns: accepted once, spoken, kept."""

    async def accept(self, asked: Asked, rule: Callable[[Team], Opening]) -> Accepted:
        """In one transaction find the turn of this question or direct and store a new one."""
        ...

    async def say(self, turn_id: str, said: Sequence[StreamEvent]) -> None:
        """Let other processes see what was said so far."""
        ...

    async def finish(
        self, turn_id: str, said: Sequence[StreamEvent], reply: str, source: str, at: float
    ) -> Turn:
        """Store the reply. A turn that is done already stays as it is and is returned."""
        ...

    async def get(self, team_id: str, turn_id: str) -> Turn | None:
        """A turn of the team."""
        ...

    async def spoke(self, places: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Spoke]:
        """For pairs (turn, last event id seen): how far each turn is."""
        ...

    async def history(self, team_id: str, character: CharacterId) -> list[Turn]:
        """The conversation with a character, oldest first."""
        ...

    async def speaking(self, team_id: str | None = None) -> list[Turn]:
        """The turns that are not finished, of one team or of all."""
        ...

    async def report(self, turn_id: str, team_id: str, reason: str, at: float) -> None:
        """Note that a team objects to a turn."""
        ...


class Notes(Protocol):
    """Small values that every process shares."""

    async def epoch(self) -> int:
        """The number of the present age of caches."""
        ...

    async def next_epoch(self) -> int:
        """Begin a new age: what was cached before it no longer counts."""
        ...


# ── what processes share ────────────────────────────────────────────────────────────────────────


class Owners(Protocol):
    """Which processes live. A turn's owner is the process that speaks it."""

    @property
    def token(self) -> str:
        """This process."""
        ...

    def alive(self, token: str) -> bool:
        """Whether a process lives."""
        ...


class Stream(Protocol):
    """A turn's events while this process speaks it. Any number may listen, each from anywhere."""

    def add(self, kind: str, data: Json) -> StreamEvent:
        """Append an event; its id is the next number."""
        ...

    def close(self) -> None:
        """Nothing more will come."""
        ...

    def after(self, event_id: int) -> AsyncIterator[StreamEvent]:
        """Every event after `event_id`, those to come included, until the stream is closed."""
        ...


class Streams(Protocol):
    """The streams of the turns that this process speaks."""

    def open(self, turn_id: str) -> Stream:
        """Begin a turn's stream."""
        ...

    def get(self, turn_id: str) -> Stream | None:
        """The stream of a turn, while it is open here."""
        ...


class Watcher(Protocol[K_contra, V_co]):
    """Waits for what other processes write to the database."""

    async def next(self, key: K_contra) -> V_co | None:
        """The present value of a key, a moment from now; None if there is none."""
        ...


class Limits(Protocol):
    """Limits on how often something is done."""

    async def wait(self, key: str, every: float, burst: int) -> float:
        """Take one from the key's bucket; 0.0, or the seconds until there is one to take."""
        ...


# ── the case's side ─────────────────────────────────────────────────────────────────────────────


class Listener(Protocol):
    """Understands questions in one language of a case."""

    def listen(self, character: CharacterId, message: str, previous: Any) -> Reading:
        """What the question means to this character.

        Args:
            previous: the topic spoken about last with the character, if any.
        """
        ...


class Library(Protocol):
    """The cases that can be played."""

    def names(self) -> Sequence[str]:
        """The ids of the cases."""
        ...

    def case(self, case_id: str) -> Case:
        """A case.

        Raises:
            UnknownCase: there is none of that name.
        """
        ...

    def listener(self, case: Case, lang: Lang) -> Listener:
        """Who understands questions in a language of the case."""
        ...


# ── time, chance, voice ─────────────────────────────────────────────────────────────────────────


class Clock(Protocol):
    """Time."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class Chance(Protocol):
    """Chance."""

    def number(self, below: int) -> int:
        """A number from 0 up to but not including `below`."""
        ...

    def token(self, alphabet: str, length: int) -> str:
        """Characters that nobody can guess."""
        ...


class Deadline(Protocol):
    """The moment by which a turn is answered."""

    def left(self) -> float:
        """Seconds left, never negative."""
        ...

    def cap(self, seconds: float) -> float:
        """The time that a stage may take: its own limit or what is left."""
        ...


class Voice(Protocol):
    """Performs a beat in words."""

    def speak(self, performance: Performance, deadline: Deadline) -> AsyncIterator[Said]:
        """The sentences, as they are spoken. Always ends before the deadline."""
        ...
