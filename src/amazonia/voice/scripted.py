"""The authored lines, sentence by sentence. It never fails and never waits."""

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
    for match in _END.finditer(text):
        end = match.end()
        piece = text[start:end]
        inside = text.count("«", start, end) > text.count("»", start, end)
        if inside or _SHORT.search(piece) or not _OPENS.match(text, end):
            continue
        yield piece
        start = end + 1
    if start < len(text):
        yield text[start:]
