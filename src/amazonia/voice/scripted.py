"""The authored lines, and how a text is cut into sentences. It never fails and never waits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from amazonia.domain.case import CharacterId
from amazonia.domain.lines import read
from amazonia.domain.words import CaseWords

_END = re.compile(r"""[.!?…]+["”’»)\]]*(?=\s)""")
_SHORT = re.compile(
    r"(?:^|[\s(«“])(?:[A-ZÀ-Ý]|(?i:dra?|sra?|srta|profa?|eng|ltda|cia|av|art|cf|pág|nº|"
    r"mrs?|ms|st|vs|etc|ex|séc|tel|aprox))\.$"
)
_WHOLE = re.compile(r"""[.!?…]["”’»)\]]*$""")
_OPENS = re.compile(r"\s+[«“\"'(–—-]?\s*[A-ZÀ-Ý0-9«“]")


def authored(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> str:
    """The text of lines, given by their references, as one reply.

    A line that the case's texts no longer have is left out.
    """
    texts = []
    for ref in lines:
        try:
            texts.append(read(words, character, ref).text)
        except KeyError:
            continue
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

    def feed(self, text: str) -> Iterator[str]:
        """The sentences that became whole with this piece."""
        self._text += text
        while (end := _end(self._text, 0)) is not None:
            sentence, self._text = self._text[:end], self._text[end:].lstrip()
            yield " ".join(sentence.split())

    def rest(self) -> str:
        """What remains: the last sentence, whole or not."""
        return " ".join(self._text.split())


def is_whole(sentence: str) -> bool:
    """Whether a sentence ends as sentences do."""
    return _WHOLE.search(sentence) is not None


def _end(text: str, start: int) -> int | None:
    """Where the sentence that begins at `start` ends, if another begins after it."""
    for match in _END.finditer(text, start):
        end = match.end()
        piece = text[start:end]
        inside = piece.count("«") > piece.count("»")
        if not inside and not _SHORT.search(piece) and _OPENS.match(text, end):
            return end
    return None
