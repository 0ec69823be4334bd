"""Words and their numbers in three flat arrays, which may lie in a file mapped into memory.

A `dict` of a hundred thousand words is fifteen megabytes of every process. Of a mapped file only
the pages are in memory that somebody looked at, and all processes share them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar
from zlib import crc32

_D = TypeVar("_D")


class Table(Mapping[str, int]):
    """Word → its number, from 0: a hash table with open addressing that is never changed.

    Args:
        text: all words, one after the other, as UTF-8.
        starts: by a word's number, where it starts in `text`; one more tells where the last ends.
        slots: numbers + 1, each in the first free slot at or after its word's hash (CRC-32, which
            is the same in every process) modulo their count, a power of two; 0 is a free one.
    """

    __slots__ = ("_mask", "slots", "starts", "text")

    def __init__(
        self, text: memoryview[int], starts: memoryview[int], slots: memoryview[int]
    ) -> None:
        self.text = text
        self.starts = starts
        self.slots = slots
        self._mask = len(slots) - 1

    @classmethod
    def of(cls, words: Iterable[str]) -> Table:
        """A table of different words, numbered as they come."""
        encoded = [word.encode() for word in words]
        starts = array("I", [0])
        for key in encoded:
            starts.append(starts[-1] + len(key))
        mask = (2 << len(encoded).bit_length()) - 1
        slots = array("I", bytes(4 * (mask + 1)))
        for number, key in enumerate(encoded):
            at = crc32(key) & mask
            while slots[at]:
                at = (at + 1) & mask
            slots[at] = number + 1
        return cls(memoryview(b"".join(encoded)), memoryview(starts), memoryview(slots))

    def __reduce__(self) -> tuple[object, ...]:
        return _table, tuple(part.tobytes() for part in (self.text, self.starts, self.slots))

    def word(self, number: int) -> str:
        """The word of a number.

        Raises:
            IndexError: there is none.
        """
        return str(self.text[self.starts[number] : self.starts[number + 1]], "utf-8")

    def get(self, word: str, default: _D | None = None) -> int | _D | None:  # type: ignore[override]
        """The number of a word, or `default` where it is not here."""
        key, slots, starts = word.encode(), self.slots, self.starts
        at = crc32(key) & self._mask
        while place := slots[at]:
            if self.text[starts[place - 1] : starts[place]] == key:
                return place - 1
            at = (at + 1) & self._mask
        return default

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        number = self.get(word)
        if number is None:
            raise KeyError(word)
        return number

    def __iter__(self) -> Iterator[str]:
        return map(self.word, range(len(self)))

    def __len__(self) -> int:
        return len(self.starts) - 1


def _table(text: bytes, starts: bytes, slots: bytes) -> Table:
    return Table(memoryview(text), memoryview(starts).cast("I"), memoryview(slots).cast("I"))
