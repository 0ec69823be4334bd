"""How a sentence is written: what models add out of habit comes off, what is no talk is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from functools import lru_cache

from amazonia.voice.guard.folding import bares, plain
from amazonia.voice.guard.scene import Fault

MAX_NAME = 40
"""Characters of a speaker's name before a colon."""
MAX_WORD = 30
"""Characters between two spaces."""

# Rare signs are looked for first: most sentences have none, and one set of characters is quick.
_CONTROL_SIGNS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_CONTROL_SIGNS}]")
_CODE_SIGN = re.compile(rf"[{_CONTROL_SIGNS}`<{{\]#|&=\\]")
_CODE = re.compile(
    r"```|`|</?[a-zA-Z]|\{\s*[\"'}]|\]\(|^\s*#{1,6}\s|\|\s*-{2,}|&[a-z]+;|=>|::|\\[nrtu]"
)
_STYLE_SIGN = re.compile(r"[*_\[]")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1")
_GESTURE = re.compile(r"\*[^*]+\*|\[[^\]]*\]")
_LINK_SIGN = re.compile(r"[@#:.](?:(?<=[@#])|(?<=[pPsS]:)|(?<=[wW]\.)|(?<=\.)\w)")
_LINK = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|br|gov|edu|io|dev|info|app|tv|me|ly|gg|xyz)\b"
    r"|@\w|\w@|#\w",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_PERSONAL = re.compile(
    r"(?=[(\d])(?:\d{3}[.\s]?\d{3}[.\s]?\d{3}[-\s]?\d{2}|\(\d{2}\)|\b9?\d{4}[-\s]\d{4}\b"
    r"|\b\d{5}-\d{3}\b|\d{8,})"
)
_PERHAPS_EMOJI = re.compile("[\u2100-\U0010ffff]")
_PERHAPS_FOREIGN = re.compile("[\u0250-\U0010ffff]")
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}
_QUOTE_SIGNS = frozenset("".join((*_QUOTES, *_QUOTES.values())))


def markup(sentence: str) -> Fault | None:
    """Code and control characters in a sentence as the model wrote it."""
    if not _CODE_SIGN.search(sentence) and "::" not in sentence:
        return None
    if _CONTROL.search(sentence):
        return Fault("markup", "control character")
    code = _CODE.search(sentence)
    return Fault("markup", code[0]) if code else None


def link(text: str) -> Fault | None:
    """Addresses, numbers of people, and strings that are no words."""
    if _LINK_SIGN.search(text) and (address := _LINK.search(text)):
        return Fault("link", address[0])
    if _DIGIT.search(text) and (personal := _PERSONAL.search(text)):
        return Fault("personal", personal[0])
    longest = max(text.split(), key=len, default="")
    return Fault("link", longest) if len(longest) > MAX_WORD else None


def strange_letter(text: str) -> str:
    """The first letter of another script; "" if there is none."""
    if not _PERHAPS_FOREIGN.search(text):
        return ""
    return next((c for c in text if c.isalpha() and not _is_latin(c)), "")


def clean(sentence: str, called: Set[str]) -> str:
    """A sentence, `plain`, without its speaker's name, gestures, emphasis, emoji, quotes around it.

    Args:
        called: the folded words of the speaker's name.
    """
    if _PERHAPS_EMOJI.search(sentence):
        sentence = "".join(c for c in sentence if not _is_emoji(c))
    text = plain(sentence)
    if _STYLE_SIGN.search(text):
        text = _EMPHASIS.sub(r"\2", text)
        text = _GESTURE.sub(" ", text)
        text = " ".join(text.replace("*", "").replace("_", " ").split())
    return _unquote(_unprefix(text, called).lstrip("–—-•> "))


def is_silence(text: str) -> bool:
    """Whether nothing but dots and dashes is left of a sentence."""
    return not text.strip(" .…!?—–-")


@lru_cache(maxsize=4096)
def _is_emoji(character: str) -> bool:
    return (unicodedata.category(character) in ("So", "Sk", "Cs", "Co") and character != "°") or (
        character in "\u200d\ufe0f\u20e3"
    )


@lru_cache(maxsize=4096)
def _is_latin(character: str) -> bool:
    return character in "µμºª" or unicodedata.name(character, "").startswith("LATIN")


def _unprefix(text: str, names: Set[str]) -> str:
    """A text without «Esmerina:» before it."""
    head, colon, rest = text.partition(":")
    if not colon or len(head) > MAX_NAME:
        return text
    words = bares(head)
    return rest.strip() if words and names >= set(words) else text


def _unquote(text: str) -> str:
    """A text without quotes around all of it, or a lone one left of those."""
    if _QUOTE_SIGNS.isdisjoint((text[:1], text[-1:])):
        return text
    for left, right in _QUOTES.items():
        inner = text[1:-1]
        if (
            len(text) > 1
            and text[0] == left
            and text[-1] == right
            and not {left, right} & set(inner)
        ):
            return inner.strip()
        if left != right:
            ends = text.count(left), text.count(right)
            if text.startswith(left) and ends == (1, 0):
                return text[1:].strip()
            if text.endswith(right) and ends == (0, 1):
                return text[:-1].strip()
        elif text.count(left) == 1 and left == '"':
            return text.strip('"').strip()
    return text
