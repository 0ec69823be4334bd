"""What the proof of secrecy finds, as lines."""

from __future__ import annotations

from amazonia.content.secrecy import Secrets, leaks, texts
from amazonia.domain.case import Case
from amazonia.domain.words import CaseWords

__all__ = ["Secrets", "possible_leaks", "texts"]


def possible_leaks(case: Case, words: CaseWords) -> list[str]:
    """Every text that some team can read while a secret in it is still closed."""
    return [
        f"{leak.secret} «{leak.word}» in {leak.text.place}: {leak.text.text}"
        for leak in leaks(case, words)
    ]
