"""The data of a language, from `languages/<code>.yaml`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from amazonia.content.files import read_sheet
from amazonia.domain.language import Act, GuardWords, Language, fold, stem

FOLDER = Path(__file__).parent / "languages"
_WORD = re.compile(r"[^\W_]+")


def languages() -> list[str]:
    """The languages that there is data for."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def fingerprint(folder: Path = FOLDER) -> str:
    """A hash of what is learned from: all data of the languages but that of the guard.

    The section ``guard:`` stands last in a file.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        learned_from, _, _ = path.read_bytes().partition(b"\nguard:\n")
        digest.update(path.name.encode() + b"\0" + learned_from)
    return digest.hexdigest()[:16]


@cache
def language(code: str) -> Language:
    """The data of one language.

    Raises:
        BadCase: the file has a fault.
    """
    data = read_sheet(FOLDER / f"{code}.yaml").data
    concepts = _classes(data["concepts"])
    for expression, name in list(concepts.items()):
        if " " not in expression:
            concepts.setdefault(stem(expression), name)
    return Language(
        code=code,
        slang={fold(short): fold(full) for short, full in data["slang"].items()},
        stopwords=frozenset(map(fold, data["stopwords"])),
        questions=_classes(data["questions"]),
        concepts=concepts,
        carriers=frozenset(map(fold, data["carriers"])),
        followups=_utterances(data["followups"]),
        about=tuple(data["about"]),
        smalltalk={kind: tuple(lines) for kind, lines in data["smalltalk"].items()},
        offtopic=tuple(data["offtopic"]),
        guard=_guard(data.get("guard", {})),
    )


def _guard(data: Mapping[str, Any]) -> GuardWords:
    """What the guard looks for; a language without it has a guard that knows fewer words."""

    def folded(part: str) -> frozenset[str]:
        return frozenset(fold(word) for word in data.get(part, ()))

    def phrases(part: str) -> tuple[str, ...]:
        return tuple(" ".join(_WORD.findall(fold(phrase))) for phrase in data.get(part, ()))

    return GuardWords(
        names=folded("names"),
        people=folded("people"),
        selves=folded("selves"),
        persons=folded("persons"),
        numbers={fold(word): value for word, value in data.get("numbers", {}).items()},
        decimal=data.get("decimal", ","),
        point=folded("point"),
        joint=folded("joint"),
        clock=frozenset(data.get("clock", ())),
        measures=folded("measures"),
        acts={
            name: Act(**{kind: frozenset(map(fold, forms)) for kind, forms in act.items()})
            for name, act in data.get("acts", {}).items()
        },
        mild=frozenset(data.get("mild", ())),
        blames=phrases("blames"),
        blamed=folded("blamed"),
        relative=folded("relative"),
        pronouns=folded("pronouns"),
        confirms=phrases("confirms"),
        answers=folded("answers"),
        machine=phrases("machine"),
        personal=phrases("personal"),
        profanity=phrases("profanity"),
        own=folded("own"),
        foreign={
            code: frozenset(map(fold, words)) for code, words in data.get("foreign", {}).items()
        },
        everyday=folded("everyday"),
        frequent=folded("frequent"),
        idioms=phrases("idioms"),
        endings=phrases("endings"),
    )


def _classes(classes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Expression → class."""
    return {fold(str(member)): name for name, members in classes.items() for member in members}


def _utterances(groups: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Utterance without punctuation → group."""
    return {
        " ".join("".join(c if c.isalnum() else " " for c in fold(line)).split()): group
        for group, lines in groups.items()
        for line in lines
    }
