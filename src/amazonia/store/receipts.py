"""Whether a commit whose answer was lost did happen.

A connection that breaks while PostgreSQL commits leaves open whether it did. To do the work again
could do it twice; to say that it failed could be a lie. So each connection has a line in the table
`meta`, and each of its transactions leaves its number there. Who missed the answer reads the line:

- the reading waits for a transaction that is still being committed, for that holds the line;
- one that has not come so far finds the line crossed out, and fails instead of coming late.

The number goes with the commit, in the same message: a receipt costs no waiting.
"""

# ruff: noqa: S608 - names and numbers are made by this program
from __future__ import annotations

import time
from dataclasses import dataclass

NOTE = (
    "INSERT INTO meta (key, value) VALUES ({0}::text, {1}::text) "
    "ON CONFLICT (key) DO UPDATE SET value = "
    "CASE meta.value WHEN {2}::text THEN excluded.value END"
)
"""Leaves a number in its line, after that before it; fails if the line was crossed out."""

KEPT = 24 * 3600
"""Seconds after which nobody can want to read a line any more: longer than a connection lives."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of one transaction.

    Its own SQL has no parameters: only without them PostgreSQL takes several statements in a
    message. Where a transaction is one statement, `NOTE` is a part of it.

    Attributes:
        line: the connection's.
        number: of the transaction, from 1.
    """

    line: str
    number: int

    @property
    def values(self) -> tuple[str, str, str]:
        """Line, number and the number before it, for `NOTE`."""
        return self.line, str(self.number), str(self.number - 1)

    @property
    def commit(self) -> str:
        """Commits and leaves the number; fails if the line was crossed out."""
        note = NOTE.format(*(f"'{value}'" for value in self.values))
        return f"{note}; COMMIT"

    @property
    def look(self) -> str:
        """Crosses the line out unless the number is there; tells what then stands in it."""
        return (
            f"INSERT INTO meta (key, value) VALUES ('{self.line}', 'lost') "
            f"ON CONFLICT (key) DO UPDATE SET value = "
            f"CASE meta.value WHEN '{self.number}' THEN meta.value ELSE 'lost' END "
            f"RETURNING value"
        )

    def is_in(self, value: str) -> bool:
        """Whether this is what a line holds after the transaction was committed."""
        return value == str(self.number)


def forget(lines: list[str]) -> str:
    """Removes lines of connections that are closed."""
    names = ", ".join(f"'{line}'" for line in lines)
    return f"DELETE FROM meta WHERE key IN ({names})"


def forget_old() -> str:
    """Removes what processes left behind that did not close their connections."""
    oldest = int(time.time()) - KEPT
    return f"DELETE FROM meta WHERE key > 'commit.' AND key < 'commit.{oldest:x}.'"
