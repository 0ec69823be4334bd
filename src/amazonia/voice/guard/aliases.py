"""The words in which a case's secrets are told, found however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from typing import NamedTuple

from amazonia.domain.words import CaseWords
from amazonia.voice.guard.folding import REMEMBERED, Word, bares, root, single, view_of

_LEET = str.maketrans("013457@$!", "oieastasi")
_LEET_L = str.maketrans("013457@$!", "oleastasl")
_LEET_SIGN = re.compile(r"[013457@$!]")
_DIGITS = str.maketrans("oOiIlLsSzZbB", "001111552288")
_JOIN = 12
"""Letters that stand apart are joined to words of at most this many pieces."""
_PIECE = 4
"""Letters of a piece; only the last one may be longer."""


class _Alias(NamedTuple):
    """An alias of several words.

    Attributes:
        stems: its stems with a space between them.
        view: these stems as `folding.view_of` gives them.
    """

    stems: str
    view: str
    secret: str


@dataclass(frozen=True, eq=False)
class Secrets:
    """Finds a case's secrets in texts.

    Attributes:
        inflected: longest stem of an alias of several words → those aliases.
        joined: an alias without spaces → the alias and its secret.
        beginnings: what a joined alias begins with, the whole of it too; other words need no look.
    """

    inflected: Mapping[str, tuple[_Alias, ...]]
    joined: Mapping[str, tuple[str, str]]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, words: CaseWords) -> Secrets:
        """The secrets of a case in one language."""
        inflected: dict[str, tuple[_Alias, ...]] = {}
        joined: dict[str, tuple[str, str]] = {}
        for name, aliases in words.secrets.items():
            for alias in aliases:
                whole = bares(alias)
                stems = tuple(map(root, whole))
                if len(stems) > 1:
                    longest = max(stems, key=len)
                    found = _Alias(" ".join(stems), view_of(stems), name)
                    inflected[longest] = (*inflected.get(longest, ()), found)
                joined["".join(map(single, whole))] = (" ".join(stems), name)
        beginnings = frozenset(a[:size] for a in joined for size in range(1, len(a) + 1))
        return cls(inflected, joined, beginnings)

    def told(self, text: str, words: Sequence[Word]) -> Iterator[tuple[str, str]]:
        """Each alias that stands in a `plain` text of these words, with its secret."""
        stems = [word.root for word in words]
        if not self.inflected.keys().isdisjoint(stems):
            yield from self._inflected(stems)
        yield from self._joined([word.single for word in words])
        yield from self._joined([word.mirror for word in reversed(words)])
        if _LEET_SIGN.search(text):
            for view in _disguised(text):
                yield from self._joined(view)

    def _inflected(self, stems: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Aliases of several words, in any inflection."""
        view = view_of(stems)
        for stem in stems:
            if stem in self.inflected:
                for alias in self.inflected[stem]:
                    if alias.view in view:
                        yield alias.stems, alias.secret

    def _joined(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Aliases that are one word, or whose letters or syllables stand apart."""
        if not self.joined.keys().isdisjoint(words):
            yield from (self.joined[word] for word in words if word in self.joined)
        if not self.beginnings.isdisjoint(map(add, words, words[1:])):
            for i, first in enumerate(words):
                if len(first) <= _PIECE and first in self.beginnings:
                    yield from self._apart(first, words[i + 1 : i + _JOIN])

    def _apart(self, whole: str, pieces: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Aliases that begin with a word and go on in the pieces after it."""
        for piece in pieces:
            whole += piece
            if whole not in self.beginnings:
                return
            if whole in self.joined:
                yield self.joined[whole]
            if len(piece) > _PIECE:
                return


def _disguised(text: str) -> Iterator[list[str]]:
    """The words of a text with digits and signs read as letters, and letters as digits."""
    chunks = text.split(" ")
    if not any(map(_is_disguise, chunks)):
        return
    for readings in dict.fromkeys(zip(*map(_readings, chunks), strict=True)):
        yield [word for words in readings for word in words]


@lru_cache(REMEMBERED // 4)
def _is_disguise(chunk: str) -> bool:
    return _is_mixed(chunk) and _LEET_SIGN.search(chunk) is not None


def _is_mixed(chunk: str) -> bool:
    return not chunk.isalpha() and any(map(str.isalpha, chunk))


@lru_cache(REMEMBERED // 4)
def _readings(chunk: str) -> tuple[tuple[str, ...], ...]:
    """The words of a piece between spaces, read in each of three ways."""
    if not _is_mixed(chunk):
        return (_singles(chunk),) * 3
    return tuple(_singles(chunk.translate(table)) for table in (_LEET, _LEET_L, _DIGITS))


def _singles(text: str) -> tuple[str, ...]:
    return tuple(map(single, bares(text)))
