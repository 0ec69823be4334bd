"""The machine's own time and chance."""

from __future__ import annotations

import secrets
import time


class SystemClock:
    """The `Clock` port."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class SystemChance:
    """The `Chance` port."""

    def number(self, below: int) -> int:
        """A number from 0 up to but not including `below`."""
        return secrets.randbelow(below)

    def token(self, alphabet: str, length: int) -> str:
        """Characters that nobody can guess."""
        return "".join(secrets.choice(alphabet) for _ in range(length))
