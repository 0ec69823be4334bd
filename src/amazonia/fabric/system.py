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
        """Characters that nobody can guess.

        One number with 64 bits to spare is drawn, which makes some letter likelier by less than
        2⁻⁶⁴; asking the system once a letter costs a millisecond.
        """
        number, letters = secrets.randbits(8 * length + 64), []
        for _ in range(length):
            number, at = divmod(number, len(alphabet))
            letters.append(alphabet[at])
        return "".join(letters)
