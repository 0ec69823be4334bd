"""PostgreSQL: the same jobs as in SQLite, each in a transaction of its own.

A job runs in a greenlet, so that its statements may wait for the server without it knowing. What
SQLite's single writer gives for nothing is asked for here: a job that is about to change a row
locks it when it reads it (`…_to_change` in `amazonia.store.statements`); a job that was overtaken
all the same, or whose connection broke, runs again. A commit whose answer was lost is looked up
before anything is done twice (`amazonia.store.receipts`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.util import await_only, greenlet_spawn

from amazonia.errors import Conflict, StoreDown
from amazonia.store.database import Job, JobTimes, Row
from amazonia.store.pool import Link, Pool
from amazonia.store.receipts import Receipt, forget

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds that a job may take, waiting for a connection and running again included."""
PAUSES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds before a job runs again; the last one over and over."""
OVERTAKEN: Final = 3
"""A unique value that is taken at so many attempts is taken."""

_DIALECT = dialect()  # type: ignore[no-untyped-call]

LOST = (
    OSError,
    asyncpg.InterfaceError,  # "connection is closed"
    asyncpg.InternalClientError,  # the same, noticed in the middle of something
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # it became a standby,
    asyncpg.FeatureNotSupportedError,  # which cannot write; or a table has another shape by now
)
"""This connection is of no use; another one may be had in a moment."""
OVERRUN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Another transaction was in the way; nothing was changed."""


class _AgainError(Exception):
    """The job changed nothing and may run again."""


@lru_cache(maxsize=256)
def _sql(statement: ClauseElement) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    """A statement as text, the names of its parameters in order, and the values that it has."""
    compiled: Any = statement.compile(dialect=_DIALECT)
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), tuple(compiled.positiontup or ()), fixed


def _bind(statement: ClauseElement, values: Mapping[str, object]) -> tuple[str, list[object]]:
    text, names, fixed = _sql(statement)
    return text, [values[name] if name in values else fixed[name] for name in names]


class PostgresTx:
    """A transaction on one connection.

    Attributes:
        changed: whether there is anything to commit.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.changed = False

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[Row]:
        """Every row of a query."""
        text, arguments = _bind(statement, values)
        return [tuple(row) for row in await_only(self._connection.fetch(text, *arguments))]

    def row(self, statement: ClauseElement, values: Mapping[str, object]) -> Row | None:
        """The first row of a query."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> int:
        """Execute a change; the number of rows that it touched."""
        text, arguments = _bind(statement, values)
        done: str = self._change(self._connection.execute(text, *arguments))
        self.changed = True
        return int(done.rpartition(" ")[2])

    def run_many(self, statement: ClauseElement, values: Iterable[Mapping[str, object]]) -> None:
        """Execute a change for each of the values."""
        bound = [_bind(statement, each) for each in values]
        if bound:
            text, every = bound[0][0], [arguments for _, arguments in bound]
            self._change(self._connection.executemany(text, every))
            self.changed = True

    def _change(self, doing: Awaitable[Any]) -> Any:
        try:
            return await_only(doing)
        except asyncpg.IntegrityConstraintViolationError as exc:
            raise Conflict("a value that must be unique is taken") from exc


class PostgresDatabase(JobTimes):
    """A database on a server; any number of processes and machines may share it."""

    def __init__(
        self, url: str, size: int = 5, overflow: int = 5, patience: float = PATIENCE
    ) -> None:
        """Args:
        url: postgresql://USER:PASSWORD@HOST/NAME, with `sslmode` and the like.
        size: connections that stay open; under load there are `overflow` more.
        patience: seconds that a job may take.
        """
        super().__init__()
        self._pool = Pool(url, size, overflow, patience)
        self._patience = patience
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing. If the caller is cancelled, it ends by itself."""
        return await asyncio.shield(self._begin(self._within_patience(lambda: self._read(job))))

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit it. If the caller is cancelled, it comes to its end first."""
        task = self._begin(self._within_patience(lambda: self._write(job)))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait([task])
            raise

    async def close(self) -> None:
        """Finish what was asked and close every connection."""
        self._closed = True
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        with contextlib.suppress(*LOST, TimeoutError, asyncpg.PostgresError):
            async with self._pool.link() as link:
                await link.connection.execute(forget([link.line, *self._pool.lines()]))
        await self._pool.close()

    # ── trying ──────────────────────────────────────────────────────────────────────────────────

    def _begin(self, doing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run in a task of its own: what is half done on a connection must not be left so."""
        task = asyncio.create_task(doing)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _within_patience(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempt until it succeeds or fails for a reason of its own.

        Raises:
            StoreDown: neither came in time.
        """
        if self._closed:
            raise StoreDown("the database was closed")
        began, last = time.monotonic(), None
        try:
            async with asyncio.timeout(self._patience):
                for number in count(1):
                    try:
                        return await attempt()
                    except _AgainError as again:
                        last = again.__cause__
                    except Conflict:
                        if number >= OVERTAKEN:
                            raise
                    await _pause(number)
        except TimeoutError as late:
            raise StoreDown(f"PostgreSQL: {last or 'no answer in time'}") from last or late
        finally:
            self.note(time.monotonic() - began)
        raise AssertionError("numbers do not end")

    async def _read(self, job: Job[T]) -> T:
        with _translated():
            async with self._pool.link() as link:
                if self._pool.is_behind_a_pooler:  # two queries could go to two servers
                    await link.connection.execute(self._opening("READ ONLY"))
                    result = await self._run(job, link, PostgresTx(link.connection))
                    await link.connection.execute("COMMIT")
                else:
                    result = await greenlet_spawn(job, PostgresTx(link.connection))
                link.is_at_rest = True
                return result

    async def _write(self, job: Job[T]) -> T:
        with _translated():
            async with self._pool.link() as link:
                tx = PostgresTx(link.connection)
                await link.connection.execute(self._opening("READ WRITE"))
                result = await self._run(job, link, tx)
                receipt = Receipt(link.line, link.commits + 1) if tx.changed else None
                lost = await self._commit(link, receipt)
            if lost and receipt and not await self._was_committed(receipt):
                raise _AgainError from lost
            return result

    async def _run(self, job: Job[T], link: Link, tx: PostgresTx) -> T:
        """Run a job in the transaction that was begun; what it raises undoes it."""
        try:
            return await greenlet_spawn(job, tx)
        except Exception:
            if not link.connection.is_closed():
                await link.connection.execute("ROLLBACK")
                link.is_at_rest = True
            raise

    async def _commit(self, link: Link, receipt: Receipt | None) -> Exception | None:
        """Commit; what went wrong if nobody knows whether that was done."""
        try:
            await link.connection.execute(receipt.commit if receipt else "COMMIT")
        except LOST as exc:
            return exc
        link.commits += receipt is not None
        link.is_at_rest = True
        return None

    async def _was_committed(self, receipt: Receipt) -> bool:
        """Whether it was; it asks until it knows."""
        for number in count():
            with contextlib.suppress(*LOST):
                async with self._pool.link() as link:
                    await link.connection.execute(self._opening("READ WRITE"))
                    line = await link.connection.fetchval(receipt.look)
                    await link.connection.execute("COMMIT")
                    link.is_at_rest = True
                    return receipt.is_in(line)
            await _pause(number)
        raise AssertionError("numbers do not end")

    def _opening(self, mode: str) -> str:
        """Begin a transaction, with limits where the connection does not have them itself."""
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED {mode}"
        if not self._pool.is_behind_a_pooler:
            return begin
        limits = (f"SET LOCAL {name} = {value}" for name, value in self._pool.timeouts.items())
        return "; ".join([begin, *limits])


async def _pause(number: int) -> None:
    await asyncio.sleep(PAUSES[min(number, len(PAUSES) - 1)])


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Errors of the driver as what they mean here."""
    try:
        yield
    except (asyncpg.DataError, ValueError):
        raise  # of whoever asked, not of the database
    except (*LOST, *OVERRUN) as exc:
        raise _AgainError from exc
    except asyncpg.PostgresError as exc:
        raise StoreDown(f"PostgreSQL: {exc}") from exc
