"""One deadline for a whole turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock.

    Attributes:
        at: seconds of `monotonic`.
    """

    at: float
    monotonic: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, monotonic: Callable[[], float]) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(monotonic() + seconds, monotonic)

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.monotonic())

    def cap(self, seconds: float) -> float:
        """The time that a stage may take: its own limit or what is left."""
        return min(seconds, self.left())
