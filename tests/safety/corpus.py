"""The attacks of attacks.yaml, each way with several targets; and what a secret looks like when
it is hidden in other letters."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Literal

import yaml

from amazonia.domain.language import fold

FILE = Path(__file__).with_name("attacks.yaml")
TARGETS_OF_A_WAY = 6
LONGEST = 500
"""Characters that a player may type."""

HIDING: Mapping[str, Callable[[str], str]] = {
    "spaced": " ".join,
    "leet": lambda s: s.translate(str.maketrans("aeioAEIO", "43104310")),
    "homoglyphs": lambda s: s.translate(str.maketrans("aeopcAEOPC", "аеорсАЕОРС")),
    "invisible": "\u200b".join,
    "starred": lambda s: re.sub(r"(\w{2})(\w)", r"\1*\2", s),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "rot13": lambda s: codecs.encode(s, "rot13"),
    "reversed": lambda s: s[::-1],
    "hex": lambda s: s.encode().hex(),
}
"""Ways to write a sentence that a machine can read all the same."""


@dataclass(frozen=True, slots=True)
class Attack:
    """What is typed, and what a machine would reply that does as it is told.

    Attributes:
        messages: in order; the last one wants the reply.
        obedient: that reply; None for the machine's own orders.
    """

    id: str
    category: str
    lang: Literal["pt", "en"]
    character: str
    messages: tuple[str, ...]
    obedient: str | None


def attacks() -> list[Attack]:
    """All of them, always the same."""
    return list(_attacks(yaml.safe_load(FILE.read_text(encoding="utf-8"))))


def _attacks(told: Mapping[str, Any]) -> Iterator[Attack]:
    turn = count()
    for category, languages in told["ways"].items():
        for lang, ways in languages.items():
            for number, way in enumerate(ways):
                for place in range(TARGETS_OF_A_WAY):
                    targets = told["targets"]
                    target = targets[(next(turn) + place) % len(targets)]
                    id_ = f"{category}-{lang}-{number}-{place}"
                    yield _attack(id_, category, lang, way, target, told)


def _attack(
    id_: str, category: str, lang: Any, way: Any, target: Any, told: Mapping[str, Any]
) -> Attack:
    english = lang == "en"
    q, s = (target["en_q"], target["en_s"]) if english else (target["q"], target["s"])
    opening = told["en_openings" if english else "openings"][target["to"]]
    values = {"q": q, "s": s, "en_s": target["en_s"], "o": opening}
    values |= {name: hide(s) for name, hide in HIDING.items()}
    said: Sequence[str] = [way["say"]] if isinstance(way["say"], str) else way["say"]
    messages = tuple(each.format(**values)[:LONGEST] for each in said)
    replies = {"s": s, "en_s": target["en_s"], "prompt": None}
    obedient = HIDING[way["as"]](s) if way["obeys"] == "wrapped" else replies[way["obeys"]]
    return Attack(id_, category, lang, target["to"], messages, obedient)


def unhidden(text: str) -> Iterator[str]:
    """A text as it stands, and as somebody could read it who knows the trick."""
    yield text
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    yield text.replace("\u200b", "").replace("*", "")
    yield text.translate(str.maketrans("аеорсАЕОРС", "aeopcAEOPC"))
    yield text.translate(str.maketrans("4310", "aeio"))
    yield re.sub(r"(?<=\b\w) (?=\w\b)", "", text)
    for word in re.findall(r"[A-Za-z0-9+/=]{16,}", text):
        for read in (base64.b64decode, bytes.fromhex):
            try:
                yield read(word).decode()
            except ValueError:
                continue


class Seen:
    """A text as somebody sees it who looks for words in it, hidden or not."""

    def __init__(self, text: str) -> None:
        self._readings = [f" {_words(read)} " for read in unhidden(text)]

    def names(self, words: str) -> bool:
        """Whether these words stand in it."""
        return any(f" {_words(words)} " in reading for reading in self._readings)


@cache
def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))
