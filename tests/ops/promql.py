"""As much of PromQL as telling what a query is about takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SELECTOR = re.compile(r"\b((?:amazonia)_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"")
_BY = re.compile(r"\bby\s*\(([^)]*)\)\s*\(")
_NAMES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\b(by|ignoring)\s*\([^)]*\)|amazonia_\w+")
_WORD = re.compile(r"\b[a-z_]\w*\b")
_KNOWN = {"sum", "max", "by", "rate", "increase", "deriv", "histogram_quantile", "absent"}
_KNOWN |= {"ignoring", "group_left", "or", "unless", "offset"}


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric in a query, with what its labels must be, and the labels that it is grouped by."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    grouped: frozenset[str]


def selectors(query: str) -> list[Selector]:
    """Every metric of a query."""
    return [
        Selector(found[1], tuple(_MATCHER.findall(found[2] or "")), _grouped(query, found.start()))
        for found in _SELECTOR.finditer(query)
    ]


def strangers(query: str) -> set[str]:
    """Words that are neither a metric of ours, nor a label, nor a function used here."""
    bare = re.sub(
        r"\{[^}]*\}|\[[^\]]*\]|\b(by|ignoring)\s*\([^)]*\)|\"[^\"]*\"|amazonia_\w+", "", query
    )
    return set(_WORD.findall(bare)) - _KNOWN


def holds(matcher: tuple[str, str, str], value: str) -> bool:
    """Whether a label's value is one that a matcher asks for."""
    _, how, wanted = matcher
    equal = bool(re.fullmatch(wanted, value)) if "~" in how else value == wanted
    return equal != how.startswith("!")


def _grouped(query: str, place: int) -> frozenset[str]:
    """The labels of every ``by (…) (`` whose bracket is open around a place."""
    names: set[str] = set()
    for by in _BY.finditer(query):
        if by.end() <= place < _closing(query, by.end()):
            names |= {name.strip() for name in by[1].split(",")}
    return frozenset(names)


def _closing(query: str, start: int) -> int:
    """Where the bracket that was opened just before closes."""
    depth = 1
    for place in _brackets(query, start):
        depth += 1 if query[place] == "(" else -1
        if not depth:
            return place
    return len(query)


def _brackets(query: str, start: int) -> Iterator[int]:
    return (place for place in range(start, len(query)) if query[place] in "()")
