"""What the use cases need of the outside, and the values that pass to and fro.

An adapter meets one port; `amazonia.services` wires them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from amazonia.domain.case import Case, CharacterId, ClueId, Lang, TopicId
from amazonia.domain.decency import Indecency
from amazonia.domain.director import Beat
from amazonia.domain.language import Language
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
        class_id: the class that it belongs to, for good; empty if to none.
        removed: a teacher took it out of the class.
    """

    id: str
    case_id: str
    lang: Lang
    name: str
    members: int | None
    resume_code: str
    version: int
    state: State
    class_id: str = ""
    removed: bool = False


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
    """A turn as it is stored; `reply` and `source` are empty while it is `speaking`.

    Attributes:
        topics: those that the beat was about.
        follows: whether the beat goes on with the topic of the turn before.
        seed: what chance decided; committed with the beat.
    """

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
    topics: tuple[TopicId, ...]
    follows: bool
    seed: int


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
class Finished:
    """A turn that is done.

    Attributes:
        first: whoever asks finished it; or it had been finished before, and is as it was.
    """

    turn: Turn
    first: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A whole sentence of a performance."""

    text: str
    source: Source = "scripted"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and the reply that it got."""

    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class Performance:
    """What a voice is asked to perform.

    Attributes:
        turn: the turn's id, for the log.
        kind: of the beat, see `amazonia.domain.director`.
        lines: references of the authored lines that make the beat.
        key: the message, normalised.
        state: the team's; what it may know.
        history: the conversation before a question that only carries it on, oldest first; empty
            for a question that stands alone, whose answer other teams may share.
        spender: who pays for it.
    """

    turn: str
    case: Case
    words: CaseWords
    lang: Lang
    language: Language
    character: CharacterId
    kind: str
    lines: tuple[str, ...]
    message: str
    key: str
    shown: ClueId | None
    state: State
    history: tuple[Exchange, ...]
    spender: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A question that the director is not sure about.

    Attributes:
        topics: the open topics of the character, each with a neutral description.
    """

    case: Case
    lang: Lang
    character: CharacterId
    message: str
    key: str
    topics: Mapping[TopicId, str]
    spender: str


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


@dataclass(frozen=True, slots=True)
class Listening:
    """A process in which somebody listens to a turn that another process speaks.

    Attributes:
        left_at: when the last of them went away; None while somebody is there.
    """

    owner: str
    left_at: float | None


@dataclass(frozen=True, slots=True)
class Flight:
    """A model reply that is being spoken, or was.

    Attributes:
        how: `lead`: it is yours to speak; `follow`: another process speaks it; `done`: it is
            complete; `failed`: its leader gave up a moment ago.
        sentences: those known so far; all of them when `done`, none when `lead` or `failed`.
        owner: the process that speaks or spoke it.
    """

    how: Literal["lead", "follow", "done", "failed"]
    sentences: tuple[str, ...]
    owner: str


@dataclass(frozen=True, slots=True)
class Purse:
    """What may be spent in a day by whoever shares a scope; 0 is no limit.

    Attributes:
        scope: `team:…`, `class:…` or `all`.
        micros: millionths of the currency.
    """

    scope: str
    tokens: int
    micros: int


# ── storage ─────────────────────────────────────────────────────────────────────────────────────


class Teams(Protocol):
    """Teams and their states."""

    async def add(self, team: Team, at: float, most: int | None = None) -> None:
        """Store a new team.

        Args:
            most: how many teams its class may have.

        Raises:
            Conflict: its resume code is taken.
            ClassFull: its class has that many.
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
        """Let other processes see what was said so far; nothing once the turn is done."""
        ...

    async def finish(
        self, turn: Turn, said: Sequence[StreamEvent], reply: str, source: str, at: float
    ) -> Finished:
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

    async def recent(self, team_id: str, character: CharacterId, most: int) -> list[Turn]:
        """The newest `most` finished turns with a character, oldest first."""
        ...

    async def speaking(self, team_id: str | None = None) -> list[Turn]:
        """The turns that are not finished, of one team or of all."""
        ...

    async def report(self, turn_id: str, team_id: str, reason: str, at: float) -> None:
        """Note that a team objects to a turn."""
        ...

    async def forget_questions(self, since: float) -> int:
        """Let no question repeat a finished turn that was accepted after `since`; how many."""
        ...

    async def listen(self, turn_id: str, owner: str) -> None:
        """Somebody in a process listens to a turn; nothing is kept once the turn is done."""
        ...

    async def leave(self, turn_id: str, owner: str, at: float) -> None:
        """Nobody in that process listens any more."""
        ...

    async def listeners(self, turn_ids: Sequence[str]) -> Mapping[str, tuple[Listening, ...]]:
        """Who listens or listened to turns. One that is done or had no listener is absent."""
        ...


class Replies(Protocol):
    """Model replies: each spoken by one process at a time, and kept when complete.

    A key is 64 hexadecimal digits; one process runs at most one flight of a key.
    """

    async def claim(self, key: str, owner: str, at: float) -> Flight:
        """Lead the flight of a key if nobody who lives does; else what there is of it."""
        ...

    async def say(self, key: str, owner: str, sentences: Sequence[str]) -> bool:
        """Let other processes see all sentences so far.

        Returns:
            False if the flight is no longer this owner's; then nothing was written.
        """
        ...

    async def finish(self, key: str, owner: str, sentences: Sequence[str], at: float) -> bool:
        """Keep the complete reply. False as in `say`."""
        ...

    async def give_up(self, key: str, owner: str, at: float, *, failed: bool) -> None:
        """End a flight without a reply.

        Args:
            failed: tell those who ask in the next moments; otherwise the next claim leads.
        """
        ...

    async def look(self, keys: Sequence[str]) -> Mapping[str, Flight]:
        """The flights of keys as they are stored; a key without one is absent.

        Whether the owner of a `follow` still lives is for the caller to find out.
        """
        ...

    async def clear(self) -> int:
        """Forget everything, running flights too; how many complete replies that were."""
        ...


class Spending(Protocol):
    """Tokens and money spent by scope and day. A day is any text of at most 10 characters."""

    async def reserve(self, day: str, purses: Sequence[Purse], tokens: int, micros: int) -> bool:
        """Spend from every purse before a call, or from none if one would be overdrawn."""
        ...

    async def settle(self, day: str, scopes: Sequence[str], tokens: int, micros: int) -> None:
        """Add to what was reserved; less than zero gives back what a call did not need."""
        ...

    async def spent(self, day: str, scopes: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """Tokens and micros of every scope asked for."""
        ...


class Notes(Protocol):
    """Small values that every process shares."""

    async def epoch(self) -> int:
        """The number of the present age of caches."""
        ...

    async def next_epoch(self) -> int:
        """Begin a new age: what was cached before it no longer counts."""
        ...

    async def get(self, names: Sequence[str]) -> Mapping[str, str]:
        """The values of notes; one that nobody wrote is absent."""
        ...

    async def set(self, name: str, text: str) -> None:
        """Write a note. Names hold at most 32 characters, texts 200."""
        ...


# ── what processes share ────────────────────────────────────────────────────────────────────────


NEWS = "news"
"""What every process hears of when it is rung; anything else has to be followed."""


class Owners(Protocol):
    """Which processes live. A turn's owner is the process that speaks it."""

    @property
    def token(self) -> str:
        """This process."""
        ...

    def alive(self, token: str) -> bool:
        """Whether a process lives."""
        ...


class Leases(Protocol):
    """Processes of any machine say that they live."""

    async def beat(self, owner: str) -> Mapping[str, int]:
        """Say that a process lives; how often each has said so, this one included."""
        ...

    async def leave(self, owners: Sequence[str]) -> None:
        """Forget processes: they are gone."""
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
    """Waits for what other processes write to the database, or tell at once."""

    async def next(self, key: K_contra) -> V_co | None:
        """The present value of a key, a moment from now; None if there is none."""
        ...

    def changed(self, subject: str, text: str = "") -> None:
        """Tell other processes that there is something new, and perhaps what."""
        ...


class Limits(Protocol):
    """Limits on how often something is done."""

    async def wait(self, key: str, every: float, burst: int) -> float:
        """Take one from the key's bucket; 0.0, or the seconds until there is one to take."""
        ...

    async def give_back(self, key: str, every: float) -> None:
        """Put back the one that was taken: it turned out not to count."""
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

    def language(self, lang: Lang) -> Language:
        """What is known of a language."""
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


class VoiceFailed(Exception):
    """A voice broke off; what it said so far are whole sentences. `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Voice(Protocol):
    """Performs a beat in words."""

    def speak(self, performance: Performance, deadline: Deadline) -> AsyncGenerator[Said]:
        """The sentences, as they are spoken.

        Raises:
            VoiceFailed: it cannot, or cannot go on. The authored lines do then.
        """
        ...

    def view(self) -> list[Json]:
        """How its providers are, for the health page."""
        ...


Concern = Literal["distress"] | Indecency
"""What keeps a message from a character: an adult should know of it, or it is declined."""


class Moderation(Protocol):
    """Helps to see what no character answers, beside the filter that works alone."""

    async def judge(self, message: str, deadline: Deadline) -> Concern | None:
        """What there is in a message; None if that is nothing, or it cannot say."""
        ...

    def view(self) -> tuple[str, str]:
        """``ok`` or ``degraded``, and why; for the health page."""
        ...


class Understanding(Protocol):
    """Helps to understand a question. It never decides what is revealed."""

    async def choose(self, question: Unclear, deadline: Deadline) -> Sequence[TopicId] | None:
        """The topic that the question is about, or none of them; None if it cannot say."""
        ...
