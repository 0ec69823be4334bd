"""The data of a language, from `languages/<code>.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from amazonia.content.files import read_sheet
from amazonia.domain.language import Language, fold, stem

FOLDER = Path(__file__).parent / "languages"


def languages() -> list[str]:
    """The languages that there is data for."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


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
