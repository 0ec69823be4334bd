"""Recitals of the instructions to the model, told by a few words in a row."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from amazonia.voice.guard.folding import Text, bares, has

SHINGLE = 6
"""Words in a row that are a recital of the prompt."""


Recitals = tuple[frozenset[tuple[str, ...]], ...]


def recitals(prompt: Iterable[str]) -> Recitals:
    """What nobody may recite of a prompt's paragraphs, most of which come again with every turn."""
    return tuple(map(_recitals, prompt))


@lru_cache(maxsize=256)
def _recitals(paragraph: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_shingles(bares(paragraph)))


def recital(text: Text, forbidden: Recitals, beat: str) -> str:
    """The words that a sentence recites, unless the beat has them too; "" if there are none.

    Args:
        beat: the view of the beat (see `folding.has`).
    """
    for shingle in _shingles(text.bares):
        if any(shingle in each for each in forbidden) and not has(beat, " ".join(shingle)):
            return " ".join(shingle)
    return ""


def _shingles(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1)]
