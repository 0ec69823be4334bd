"""The words of the interface, in every language that it speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from amazonia.classroom.labels import say

LANGUAGES = {"pt-BR": "Português", "en": "English"}
"""Language code → what it calls itself. The first is the default."""

DEFAULT = next(iter(LANGUAGES))
FOLDER = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Phrases:
    """The interface in one language."""

    lang: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """A phrase with its values put in; of "one|many" the form that fits `n`.

        Raises:
            KeyError: there is no such phrase.
        """
        return say(self.table[key], **values)

    def hour(self, told: str) -> str:
        """An hour of the story, ``8h40``, as the language writes it."""
        hour, _, minute = told.partition("h")
        return self("clock.hour", hour=hour, minute=minute)

    def at(self, told: str) -> str:
        """The same after «at»: noon has a word of its own."""
        return self("clock.noon") if told == "12h00" else self("clock.at", hour=self.hour(told))

    def group(self, *names: str) -> dict[str, str]:
        """The phrases that a page's script needs, by their name inside their group."""
        return {
            key.partition(".")[2]: text
            for key, text in self.table.items()
            if key.partition(".")[0] in names
        }


@cache
def phrases(lang: str) -> Phrases:
    """The phrases of a language; of the default one where it is not spoken."""
    known = lang if lang in LANGUAGES else DEFAULT
    files = sorted(FOLDER.glob(f"*{known}.yaml"))
    trees = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return Phrases(known, dict(leaf for tree in trees for leaf in _leaves(tree)))


def preferred(accept_language: str) -> str:
    """The first language of an ``Accept-Language`` header that is spoken here."""
    for part in accept_language.split(","):
        asked = part.partition(";")[0].strip().lower()
        for known in LANGUAGES:
            if asked and asked.split("-")[0] == known.split("-")[0].lower():
                return known
    return DEFAULT


def _leaves(tree: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", str(value)
