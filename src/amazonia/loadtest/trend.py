"""Whether a series rises: a robust slope and how sure it is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

RESAMPLES = 400
BLOCK = 8
"""Samples that are drawn together: neighbours in time resemble each other."""
MOST = 120
"""Samples that are used at most, evenly taken: pairs grow with the square."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope with the bounds between which it lies, 95 times of 100."""

    value: float
    low: float
    high: float

    @property
    def is_zero(self) -> bool:
        """Zero lies between the bounds, or the series falls."""
        return self.low <= 0.0


def slope(points: Sequence[Point], seed: int = 1) -> Slope:
    """Theil and Sen's slope (the median over all pairs), its bounds by a moving-block bootstrap.

    The bootstrap draws blocks of what is left when the trend is taken away: it answers how far a
    series with these ups and downs strays from its slope by chance.

    Raises:
        ValueError: there are fewer than two moments.
    """
    taken = points[:: max(1, -(-len(points) // MOST))]
    value = theil_sen(taken)
    rests = [y - value * x for x, y in taken]
    chance = random.Random(seed)
    found = sorted(
        value + theil_sen(list(zip((x for x, _ in taken), _blocks(rests, chance), strict=True)))
        for _ in range(RESAMPLES)
    )
    return Slope(value, found[RESAMPLES // 40], found[-1 - RESAMPLES // 40])


def theil_sen(points: Sequence[Point]) -> float:
    """The median of the slopes between all pairs of points.

    Raises:
        ValueError: there are fewer than two moments.
    """
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 != x1]
    if not slopes:
        raise ValueError("a slope needs two moments")
    return median(slopes)


def _blocks(values: Sequence[float], chance: random.Random) -> list[float]:
    """As many values, drawn in blocks of neighbours with replacement."""
    size = min(BLOCK, len(values))
    drawn: list[float] = []
    while len(drawn) < len(values):
        start = chance.randrange(len(values) - size + 1)
        drawn += values[start : start + size]
    return drawn[: len(values)]
