"""Gates: AND/OR conditions over what a team has achieved.

Authors write them as in the story bible, ``obito + (cp1_a / nota_2024)``: ``+`` is AND, ``/`` is
OR. There is no negation, so whatever is open stays open (the game is monotone and has no dead
states). An *atom* is a string that names one achievement; see `amazonia.domain.session.atoms`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from amazonia.domain.errors import GateSyntaxError

Holds = Callable[[str], bool]

_TOKEN = re.compile(r"\s*(?:([+/()])|([\w.:@-]+))", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition in disjunctive normal form: any one of the `ways`, all of whose atoms hold.

    ``Gate(ways=(frozenset(),))`` is always open; see :data:`OPEN`.
    """

    ways: tuple[frozenset[str], ...]

    def open(self, holds: Holds) -> bool:
        """Tell whether one of the ways holds completely."""
        return any(all(map(holds, way)) for way in self.ways)

    def atoms(self) -> frozenset[str]:
        """Every atom that the gate mentions."""
        return frozenset().union(*self.ways)

    def missing(self, holds: Holds) -> frozenset[str]:
        """The atoms that the nearest way still lacks (empty when the gate is open)."""
        lacks = (frozenset(a for a in way if not holds(a)) for way in self.ways)
        return min(lacks, key=lambda lack: (len(lack), sorted(lack)))

    def rename(self, translate: Callable[[str], str]) -> Gate:
        """The same gate with every atom translated."""
        return Gate(tuple(frozenset(map(translate, way)) for way in self.ways))


OPEN = Gate((frozenset(),))


def parse(text: str | None) -> Gate:
    """Parse the authors' notation.

    Args:
        text: for example ``"r_elo + (r_frasco / r_mapa)"``; None or empty is always open.

    Raises:
        GateSyntaxError: with what was found and what was expected.
    """
    if not text or not text.strip():
        return OPEN
    tokens = list(_tokens(text))
    ways, rest = _either(tokens, text)
    if rest:
        raise GateSyntaxError(text, f"'{rest[0]}' was not expected here; join with + or /")
    return Gate(_minimal(ways))


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            fault = text[at:].lstrip()[0]
            raise GateSyntaxError(text, f"'{fault}' is not part of the notation")
        yield match.group(1) or match.group(2)
        at = match.end()


_Ways = list[frozenset[str]]


def _either(tokens: list[str], text: str) -> tuple[_Ways, list[str]]:
    ways, tokens = _both(tokens, text)
    while tokens and tokens[0] == "/":
        more, tokens = _both(tokens[1:], text)
        ways = ways + more
    return ways, tokens


def _both(tokens: list[str], text: str) -> tuple[_Ways, list[str]]:
    ways, tokens = _one(tokens, text)
    while tokens and tokens[0] == "+":
        more, tokens = _one(tokens[1:], text)
        ways = [a | b for a, b in product(ways, more)]
    return ways, tokens


def _one(tokens: list[str], text: str) -> tuple[_Ways, list[str]]:
    if not tokens or tokens[0] in "+/)":
        raise GateSyntaxError(text, "a name is missing")
    if tokens[0] != "(":
        return [frozenset({_atom(tokens[0])})], tokens[1:]
    ways, rest = _either(tokens[1:], text)
    if not rest or rest[0] != ")":
        raise GateSyntaxError(text, "a closing parenthesis is missing")
    return ways, rest[1:]


def _atom(name: str) -> str:
    """A topic without a depth means that its first step was heard."""
    return f"{name}@1" if "." in name and "@" not in name else name


def _minimal(ways: _Ways) -> tuple[frozenset[str], ...]:
    """Drop ways that contain another way; keep the authors' order."""
    unique = list(dict.fromkeys(ways))
    return tuple(way for way in unique if not any(other < way for other in unique))
