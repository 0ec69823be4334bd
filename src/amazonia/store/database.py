"""What the stores need of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.base import Executable

from amazonia.errors import AmazoniaError
from amazonia.store import class_statements, report_statements, statements

T = TypeVar("T")
Row = tuple[Any, ...]
Query = tuple[ClauseElement, Mapping[str, object]]
"""A statement and its values."""


def every_statement() -> Iterator[ClauseElement]:
    """Every statement that is known from the start."""
    for module in (statements, class_statements, report_statements):
        for value in vars(module).values():
            if isinstance(value, Executable) and isinstance(value, ClauseElement):
                yield value


class Overtaken(AmazoniaError):
    """What a change expected is not so any more. Nothing was changed; do it again with care."""


class Put:
    """A change that is made at the end of its job.

    Attributes:
        count: the rows that it touched, once the job is done.
    """

    __slots__ = ("count",)

    def __init__(self, count: int = 0) -> None:
        self.count = count


class Tx(Protocol):
    """A running transaction. Its methods block: it is used inside jobs only."""

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[Row]:
        """Every row of a query."""
        ...

    def row(self, statement: ClauseElement, values: Mapping[str, object]) -> Row | None:
        """The first row of a query."""
        ...

    def rows_of(self, *queries: Query) -> list[list[Row]]:
        """Every row of each of several queries, which see the same."""
        ...

    def put(
        self, statement: ClauseElement, values: Mapping[str, object], *, must: bool = False
    ) -> Put:
        """Make a change at the end of the job, together with all that is put: no two touch the
        same row, and a later query of the job may see it or not.

        A job that locks nothing and only puts costs a server a single message. It must not rely on
        what it read but by changes that `must` find it so.

        Args:
            must: a change that touches no row ends the job with `Overtaken`.

        A unique value that is taken ends the job with `Conflict`.
        """
        ...

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> int:
        """Execute a change now; the number of rows that it touched.

        Raises:
            Conflict: a unique value is taken. It ends the job.
        """
        ...

    def run_many(self, statement: ClauseElement, values: Iterable[Mapping[str, object]]) -> None:
        """Execute a change for each of the values."""
        ...


Job = Callable[[Tx], T]


class Database(Protocol):
    """Runs jobs in transactions. A job may run more than once and has no other effect."""

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing; each of its queries may see more than the one before.

        Raises:
            StoreDown: the database does not answer.
        """
        ...

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit it; its result is returned only when it is on the disk.

        Raises:
            StoreDown: the database does not answer; nothing was changed.
            Overtaken: see `Tx.put`.

        A write that is cancelled may have been done all the same.
        """
        ...


async def hopefully(database: Database, job: Callable[[Tx, bool], T]) -> T:
    """Run a job without locks, and with them if it was overtaken.

    Args:
        job: is told whether to lock what it reads.
    """
    try:
        return await database.write(lambda tx: job(tx, False))
    except Overtaken:
        return await database.write(lambda tx: job(tx, True))


class JobTimes:
    """How long the jobs of a database take.

    Attributes:
        jobs: how many were run.
        waited: the seconds that they took together, waiting included.
    """

    def __init__(self) -> None:
        self.jobs = 0
        self.waited = 0.0
        self._slowest = 0.0

    def note(self, seconds: float) -> None:
        """Count a job."""
        self.jobs += 1
        self.waited += seconds
        self._slowest = max(self._slowest, seconds)

    def slowest(self) -> float:
        """Seconds of the slowest job since this was asked last."""
        slowest, self._slowest = self._slowest, 0.0
        return slowest


class OpenDatabase(Database, Protocol):
    """A database as a process has it: its times are told, and it is closed at the end."""

    jobs: int
    waited: float

    def slowest(self) -> float:
        """Seconds of the slowest job since this was asked last."""
        ...

    async def close(self) -> None:
        """Finish what was asked and close every connection."""
        ...
