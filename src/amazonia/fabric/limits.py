"""Token buckets in memory: each process counts for itself."""

from __future__ import annotations

from collections.abc import Callable

FEW_BUCKETS = 1_000
"""Beyond this many, and at twice as many as were left, buckets that are full are forgotten."""


class MemoryLimits:
    """The `Limits` port."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._full_at: dict[str, float] = {}
        self._sweep_at = FEW_BUCKETS

    async def wait(self, key: str, every: float, burst: int) -> float:
        """Take one from the key's bucket; 0.0, or the seconds until there is one to take.

        Args:
            every: seconds in which one comes back.
            burst: how many the full bucket holds.
        """
        now = self._now()
        if len(self._full_at) > self._sweep_at:
            self._full_at = {k: at for k, at in self._full_at.items() if at > now}
            self._sweep_at = max(FEW_BUCKETS, 2 * len(self._full_at))
        full_at = max(now, self._full_at.get(key, now)) + every
        over = full_at - now - burst * every
        if over > 1e-9:
            return over
        self._full_at[key] = full_at
        return 0.0

    async def give_back(self, key: str, every: float) -> None:
        """Put back the one that was taken: it turned out not to count."""
        if key in self._full_at:
            self._full_at[key] -= every
