"""Reads a Dockerfile: its stages and their steps."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

_CONTINUED = re.compile(r"\\\n")
_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its word in capitals and what follows it."""

    word: str
    rest: str

    @property
    def options(self) -> dict[str, str]:
        """Its `--name=value` options."""
        options = [part for part in self.rest.split() if part.startswith("--")]
        return dict(part.removeprefix("--").split("=", 1) for part in options)

    @property
    def words(self) -> list[str]:
        """What follows its options, as a JSON list or as a shell would part it."""
        rest = re.sub(r"^(--\S+\s+)+", "", self.rest)
        return list(json.loads(rest)) if rest.startswith("[") else shlex.split(rest)


@dataclass(frozen=True, slots=True)
class Stage:
    """What one `FROM` begins."""

    base: str
    name: str
    steps: tuple[Step, ...]

    def of(self, word: str) -> list[Step]:
        """The steps of one kind, in order."""
        return [step for step in self.steps if step.word == word]

    def last(self, word: str) -> Step:
        """The one that counts where each replaces the one before."""
        return self.of(word)[-1]


def read(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in order."""
    lines = _CONTINUED.sub("", _COMMENT.sub("", text)).splitlines()
    parted = [line.strip().split(maxsplit=1) for line in lines if line.strip()]
    steps = [Step(word.upper(), rest) for word, rest in parted]
    starts = [index for index, step in enumerate(steps) if step.word == "FROM"]
    ends = [*starts[1:], len(steps)]
    return [_stage(steps[start:end]) for start, end in zip(starts, ends, strict=True)]


def _stage(steps: list[Step]) -> Stage:
    base, *name = re.split(r"\s+as\s+", steps[0].rest, flags=re.IGNORECASE)
    return Stage(base, name[0] if name else "", tuple(steps[1:]))
