"""The authored lines, and how a text is cut into sentences. It never fails and never waits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from amazonia.domain.case import CharacterId
from amazonia.domain.lines import read
from amazonia.domain.words import CaseWords

_END = re.compile(r"""[.!?…]+["”’»)\]]*(?=\s)""")
_SHORT = re.compile(
    r"(?:^|[\s(«“])(?:[A-ZÀ-Ý]|(?i:dra?|sra?|srta|profa?|eng|ltda|cia|av|art|cf|pág|nº|"
    r"mrs?|ms|st|vs|etc|ex|séc|tel|aprox))\.$"
)
UNDECIDED = 8
"""Characters at the end of a text that more text may still turn into the end of a sentence."""
SHORTEST = 12
"""More characters than an abbreviation has, with its full stop and what precedes it."""
_WHOLE = re.compile(r"""[.!?…]["”’»)\]]*$""")
_OPENS = re.compile(r"\s+[«“\"'(–—-]?\s*[A-ZÀ-Ý0-9«“]")


def authored(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> str:
    """The text of lines, given by their references, as one reply.

    A line that the case's texts no longer have is left out; where none is left, the character
    says what it says when it does not know.
    """
    texts: list[str] = []
    for ref in (*lines, "deflections/0"):
        if ref == "deflections/0" and texts:
            break
        with suppress(KeyError):
            texts.append(read(words, character, ref).text)
    return " ".join(" ".join(texts).split())


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text; joined by spaces they are the text again.

    A quotation in «…» is never cut, nor are abbreviations and numbers.
    """
    text = " ".join(text.split())
    start = 0
    while (end := _end(text, start)) is not None:
        yield text[start:end]
        start = end + 1
    if start < len(text):
        yield text[start:]


class Splitter:
    """Cuts a text into sentences while it arrives.

    A sentence is given once the next one begins, for only then is it known to be whole.
    """

    def __init__(self) -> None:
        self._text = ""
        self._decided = 0
        """Up to here no sentence ends."""

    def feed(self, text: str) -> Iterator[str]:
        """The sentences that became whole with this piece."""
        self._text += text
        while (end := _end(self._text, 0, self._decided)) is not None:
            sentence, self._text = self._text[:end], self._text[end:].lstrip()
            self._decided = 0
            yield " ".join(sentence.split())
        self._decided = max(0, len(self._text.rstrip()) - UNDECIDED)

    @property
    def length(self) -> int:
        """Characters of the sentence that has not ended."""
        return len(self._text)

    def rest(self) -> str:
        """What remains: the last sentence, whole or not."""
        return " ".join(self._text.split())


def is_whole(sentence: str) -> bool:
    """Whether a sentence ends as sentences do."""
    return _WHOLE.search(sentence) is not None


def _end(text: str, start: int, looked: int = 0) -> int | None:
    """Where the sentence that begins at `start` ends, if another begins after it.

    Args:
        looked: before this no sentence ends.
    """
    for match in _END.finditer(text, max(start, looked)):
        end = match.end()
        before = max(0, start - 1, end - SHORTEST)
        if not _OPENS.match(text, end) or _SHORT.search(text, before, end):
            continue
        if text.count("«", start, end) <= text.count("»", start, end):
            return end
    return None
