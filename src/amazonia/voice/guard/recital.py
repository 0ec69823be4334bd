"""Recitals of the instructions to the model, told by a few words in a row."""

from __future__ import annotations

from functools import lru_cache

from amazonia.voice.guard.folding import Text, bares, has

SHINGLE = 6
"""Words in a row that are a recital of the prompt."""


@lru_cache(maxsize=256)
def recitals(prompt: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """What nobody may recite of a prompt's paragraphs, which differ little between turns."""
    return frozenset(shingle for text in prompt for shingle in _shingles(bares(text)))


def recital(text: Text, forbidden: frozenset[tuple[str, ...]], beat: str) -> str:
    """The words that a sentence recites, unless the beat has them too; "" if there are none.

    Args:
        beat: the view of the beat (see `folding.has`).
    """
    for shingle in _shingles(text.bares):
        if shingle in forbidden and not has(beat, " ".join(shingle)):
            return " ".join(shingle)
    return ""


def _shingles(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1)]
