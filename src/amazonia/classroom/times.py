"""A team's active time, told from the moments at which the server heard of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

BREAK = 600.0
"""Seconds without a sign after which a team is taken to have been away."""


class ActiveTime:
    """Counts the time between moments; a gap of over ten minutes counts nothing."""

    def __init__(self, moments: Iterable[float]) -> None:
        self._moments = sorted(moments)
        self._seconds = [0.0]
        self.breaks = 0
        for before, after in pairwise(self._moments):
            gap = after - before
            self.breaks += gap > BREAK
            self._seconds.append(self._seconds[-1] + (gap if gap <= BREAK else 0.0))

    def until(self, at: float) -> float:
        """Active minutes up to one of the moments."""
        number = bisect_right(self._moments, at)
        return self._seconds[number - 1] / 60 if number else 0.0

    @property
    def whole(self) -> float:
        """Active minutes altogether."""
        return self._seconds[-1] / 60
