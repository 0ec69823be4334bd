"""What the guard is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from amazonia.domain.case import Case, CharacterId
from amazonia.domain.language import Language
from amazonia.domain.words import CaseWords

Reason = Literal[
    "secret",
    "name",
    "number",
    "guilt",
    "prompt",
    "link",
    "personal",
    "profanity",
    "language",
    "length",
    "echo",
    "machine",
    "markup",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a sentence.

    Attributes:
        reason: which rule it breaks.
        detail: the words that break it, for tests and debugging; they may hold a secret.
    """

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What is performed, and before whom.

    Attributes:
        lines: references of the beat's authored lines (see `amazonia.domain.lines`).
        message: what the player typed; nothing may be said only because it is in it.
        holds: the atoms that hold for this team; none for a reply that teams share.
        known: further texts that this team has read; none for a reply that teams share.
        prompt: the instructions to the model, which are never recited.
    """

    case: Case
    words: CaseWords
    language: Language
    character: CharacterId
    lines: tuple[str, ...]
    message: str
    holds: Callable[[str], bool]
    known: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
