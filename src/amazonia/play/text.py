"""What players type, made safe to keep. It stays text: nothing is escaped here."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200d\ufe0f"  # emoji are made of several characters with these between them


def clean(text: str, most: int) -> str:
    """Without control and direction characters, spaces collapsed, at most `most` characters."""
    kept = (
        c if c in _JOINERS or unicodedata.category(c)[0] != "C" else " "
        for c in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(kept).split())[:most].rstrip()


def question_key(message: str) -> str:
    """What two ways of typing the same question have in common."""
    return " ".join(message.casefold().split())
