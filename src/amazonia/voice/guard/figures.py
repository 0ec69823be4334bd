"""Numbers in digits and in words, so that one number is the same however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from amazonia.domain.language import GuardWords
from amazonia.voice.guard.folding import Text, is_number

SMALL = 10
"""Number words up to this one are not facts by themselves: «duas coisas»."""

_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_DECIMALS = re.compile(r"\d+\.\d+")
_SEPARATOR = re.compile(r"[/h.]")
_SWAPPED = str.maketrans(".,", ",.")


class Number(NamedTuple):
    """A number of a text.

    Attributes:
        value: digits (``1010``, ``0,4``, ``5h30``), however it was written.
        fact: it says more than a small count does.
    """

    value: str
    fact: bool


def numbers_of(text: Text, pack: GuardWords) -> list[Number]:
    """The numbers of a text, in digits and in words."""
    found: list[Number] = []
    if pack.numbers.keys().isdisjoint(text.vocabulary) and not _DIGIT.search(text.plain):
        return found
    i = 0
    while i < len(text.bares):
        word = text.bares[i]
        if is_number(word):
            found.append(Number(_digits(word, pack.decimal), fact=True))
            i += 1
        elif word in pack.numbers:
            end = _run_end(text, i, pack)
            found += _spelled(text, i, end, pack)
            i = end
        else:
            i += 1
    return found


def values_of(text: Text, pack: GuardWords) -> Iterator[str]:
    """The numbers of a text and the parts of its dates and times."""
    for number in numbers_of(text, pack):
        yield number.value
        if "," not in number.value:
            yield from parts(number.value)


def parts(value: str) -> list[str]:
    """The day and month of a date, the hour and minute of a time."""
    return [part.lstrip("0") or "0" for part in _SEPARATOR.split(value)]


def _digits(token: str, decimal: str) -> str:
    """One way of writing a number: no dots between thousands, a comma before decimals."""
    if decimal == ".":
        token = token.translate(_SWAPPED)
    if _THOUSANDS.fullmatch(token):
        return token.replace(".", "")
    if _DECIMALS.fullmatch(token):
        return token.replace(".", ",")
    return token.replace(":", "h")


def _run_end(text: Text, start: int, pack: GuardWords) -> int:
    """Where a run of number words ends."""
    words = text.bares
    end = start + 1
    while end < len(words) and not text.opens[end]:
        linked = words[end] in pack.joint or words[end] in pack.point
        if words[end] in pack.numbers:
            end += 1
        elif linked and end + 1 < len(words) and words[end + 1] in pack.numbers:
            end += 2
        else:
            break
    return end


def _spelled(text: Text, start: int, end: int, pack: GuardWords) -> list[Number]:
    run = text.bares[start:end]
    timed = start > 0 and text.words[start - 1].raw.casefold() in pack.clock
    measured = timed or not pack.measures.isdisjoint(text.bares[end : end + 2])
    whole, _, decimals = _split(run, pack.point)
    values = _add_up(whole, pack)
    if decimals:
        tail = "".join(str(value) for value in _add_up(decimals, pack))
        return [Number(f"{values[-1]},{tail}", fact=True)]
    many = len(values) > 1
    return [Number(str(v), fact=measured or many or v > SMALL) for v in values]


def _split(run: tuple[str, ...], point: Set[str]) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    for i, word in enumerate(run):
        if word in point:
            return run[:i], word, run[i + 1 :]
    return run, "", ()


def _add_up(run: Sequence[str], pack: GuardWords) -> list[int]:
    """The numbers that a run of number words makes: «duzentos e doze» is one, «dois três» two."""
    values: list[int] = []
    last = 0
    joined = False
    for word in run:
        if word not in pack.numbers:
            joined = True
            continue
        value = pack.numbers[word]
        if values and value >= 1000 and last < value:
            values[-1] = max(values[-1], 1) * value
        elif values and _fits(last, value, joined):
            values[-1] += value
        else:
            values.append(value)
        last, joined = value, False
    return values


def _fits(last: int, value: int, joined: bool) -> bool:
    """Whether a number word goes on with the number before it."""
    if last >= 1000:
        return value < last
    return joined and ((last >= 100 > value) or (20 <= last < 100 and value < 10))
