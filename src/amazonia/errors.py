"""The errors that this package raises, beside those of the rules (`amazonia.domain.errors`).

::

    AmazoniaError
    ├── BadSetting        an environment variable has a value that is not allowed
    ├── BadCase           a case's files have faults; holds them all
    ├── UnknownCase       there is no such case in the folder
    ├── NoSession         not signed in, or the session was revoked
    ├── UnknownCode       no team or class has this code
    ├── NotTheTeacher     no teacher of this class, or there is no such class; nobody is told which
    ├── WrongPassphrase   this is not how the class is opened; likewise
    ├── ClassFull         the class has as many teams as it may have
    ├── ClassEnded        the class is over; nothing was changed
    ├── ClassPaused       the teacher paused the class; the action may be sent again
    ├── ClassHeld         the teacher holds the act that the team has reached; likewise
    ├── TeamRemoved       the teacher took the team out of the class; its progress is kept
    ├── InDistress        a message tells of distress; it was not accepted, a human answers
    ├── NoSuchTurn        the team has no turn of that id
    ├── BadOrder          a job was ordered that cannot be done
    ├── Busy              the character is still speaking; the question was not accepted
    ├── TooFast           more than the limit allows; nothing was changed
    ├── ProviderFailed    what a provider did instead of answering (amazonia.voice.failures)
    ├── Overloaded        too many calls to a provider are under way (amazonia.voice.limits)
    ├── Conflict          somebody else of the team was faster; try again from the newest state
    └── StoreDown         the database does not answer; nothing was changed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AmazoniaError(Exception):
    """Base of the errors that are ours."""


class BadSetting(AmazoniaError):
    """An environment variable has a value that is not allowed; the message says what is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in a case's files.

    Attributes:
        code: stable; docs/diagnostics.md explains it.
        message: what is wrong and what to write instead, in English.
        portuguese: the same in Brazilian Portuguese.
        steps: the shortest way to see it for oneself, move by move, where that can be told.
    """

    code: str
    file: str
    line: int
    message: str
    portuguese: str = ""
    steps: tuple[str, ...] = ()

    def text(self, lang: str) -> str:
        """The message in a language: Portuguese for any `pt…`, English for all others."""
        return self.portuguese if lang.startswith("pt") and self.portuguese else self.message

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.message}"


class BadCase(AmazoniaError):
    """A case's files have faults."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


class UnknownCase(AmazoniaError):
    """There is no such case in the folder."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"no case '{self.name}'; there are: {', '.join(self.known) or 'none'}"


class NoSession(AmazoniaError):
    """Not signed in, or the session was revoked. Nothing was changed."""


class UnknownCode(AmazoniaError):
    """No team or class has this code. Nothing was changed.

    Attributes:
        near: codes that may be meant, of classes whose teacher asks.
    """

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)


class NotTheTeacher(AmazoniaError):
    """Whoever asks is no teacher of this class, or there is no such class. Nothing was changed."""


class WrongPassphrase(AmazoniaError):
    """Neither passphrase nor recovery code of a class of this code. Nothing was changed."""


class ClassFull(AmazoniaError):
    """The class has as many teams as it may have. Nothing was changed."""


class ClassEnded(AmazoniaError):
    """The class is over. Nothing was changed."""


class ClassPaused(AmazoniaError):
    """The teacher paused the class. Nothing was changed; the action may be sent again."""


class ClassHeld(AmazoniaError):
    """The teacher holds the act that the team has reached. Nothing was changed."""


class TeamRemoved(AmazoniaError):
    """The teacher took the team out of the class. Nothing was changed; its progress is kept."""


class InDistress(AmazoniaError):
    """A message tells of self-harm, abuse or a threat. It was not accepted: no character answers.

    Attributes:
        kind: which of them.
        is_seen: whether a teacher sees a mark beside the team's name.
    """

    def __init__(self, kind: str, *, is_seen: bool) -> None:
        super().__init__(kind)
        self.kind = kind
        self.is_seen = is_seen


class NoSuchTurn(AmazoniaError):
    """The team has no turn of that id."""


class BadOrder(AmazoniaError):
    """A job was ordered that cannot be done; to try again would change nothing."""


class Busy(AmazoniaError):
    """The character is still speaking. The question was not accepted and may be sent again."""


class TooFast(AmazoniaError):
    """More than the limit allows; nothing was changed.

    Attributes:
        wait: seconds after which it may be tried again.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"again in {wait:.1f} s")
        self.wait = wait


class Conflict(AmazoniaError):
    """The state moved meanwhile; nothing was changed. Load again and retry."""


class StoreDown(AmazoniaError):
    """The database does not answer. The action was not accepted and may be sent again."""
