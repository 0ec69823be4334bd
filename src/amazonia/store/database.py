"""What the stores need of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from sqlalchemy.sql import ClauseElement

T = TypeVar("T")
Row = tuple[Any, ...]


class Tx(Protocol):
    """A running transaction. Its methods block: it is used inside jobs only."""

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[Row]:
        """Every row of a query."""
        ...

    def row(self, statement: ClauseElement, values: Mapping[str, object]) -> Row | None:
        """The first row of a query."""
        ...

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> int:
        """Execute a change; the number of rows that it touched.

        Raises:
            Conflict: a unique value is taken.
        """
        ...

    def run_many(self, statement: ClauseElement, values: Iterable[Mapping[str, object]]) -> None:
        """Execute a change for each of the values."""
        ...


Job = Callable[[Tx], T]


class Database(Protocol):
    """Runs jobs in transactions. A job may run more than once and has no other effect."""

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing.

        Raises:
            StoreDown: the database does not answer.
        """
        ...

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit it; its result is returned only when it is on the disk.

        Raises:
            StoreDown: the database does not answer; nothing was changed.
        """
        ...
