"""PostgreSQL: the same jobs as in SQLite, each in a transaction of its own.

A job runs in a greenlet, so that its statements may wait for the server without it knowing. What
SQLite's single writer gives for nothing is asked for here: a job that is about to change a row
locks it when it reads it (`…_to_change` in `amazonia.store.statements`), or only puts changes that
say what they expect to find. A job that was overtaken all the same, or whose connection broke, runs
again. A commit whose answer was lost is looked up before anything is done twice
(`amazonia.store.receipts`).

Each message to the server and back costs a process more than the server's work on it: what is put
goes as one statement, and several queries as one.
"""

# ruff: noqa: S608 - statements are made by this program, values are their parameters
from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.util import await_only, greenlet_spawn

from amazonia.errors import Conflict, StoreDown
from amazonia.store.database import Job, JobTimes, Overtaken, Put, Query, Row
from amazonia.store.pool import Link, Pool
from amazonia.store.receipts import NOTE, Receipt, forget

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds that a job may take, waiting for a connection and running again included."""
PAUSES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds before a job runs again; the last one over and over."""
OVERTAKEN: Final = 3
"""A unique value that is taken at so many attempts is taken."""

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_PARAMETER = re.compile(r"\$(\d+)")

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


@dataclass(frozen=True, slots=True)
class _Sql:
    """A statement as text.

    Attributes:
        names: of its parameters, in order.
        fixed: the values that it has itself.
        locks: whether it is a query that locks what it finds.
    """

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    locks: bool

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Its parameters' values, in order."""
        fixed = self.fixed
        return [values[name] if name in values else fixed[name] for name in self.names]


@lru_cache(maxsize=256)
def prepared(statement: ClauseElement) -> _Sql:
    compiled: Any = statement.compile(dialect=_DIALECT)
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    locks = getattr(statement, "_for_update_arg", None) is not None
    return _Sql(str(compiled), tuple(compiled.positiontup or ()), fixed, locks)


@lru_cache(maxsize=256)
def _queries(statements: tuple[ClauseElement, ...]) -> str:
    """Several queries as one, which returns an array of rows for each."""
    numbered = _numbered([prepared(statement) for statement in statements])
    return f"SELECT {', '.join(f'ARRAY(SELECT ROW(q.*) FROM ({text}) q)' for text in numbered)}"


@lru_cache(maxsize=512)
def _changes(statements: tuple[ClauseElement, ...], must: tuple[bool, ...], noted: bool) -> str:
    """Several changes as one statement, which returns how many rows each touched.

    One that must touch a row divides by their number. With a receipt that is noted as well.
    """
    numbered = _numbered([prepared(statement) for statement in statements])
    parts = [f"p{i} AS ({text} RETURNING 1)" for i, text in enumerate(numbered)]
    if noted:
        last = sum(len(prepared(statement).names) for statement in statements)
        note = NOTE.format(*(f"${last + i}" for i in (1, 2, 3)))
        parts.append(f"noted AS ({note} RETURNING 1)")
    counts = [
        f"1 / (SELECT count(*) FROM p{i})" if is_due else f"(SELECT count(*) FROM p{i})"
        for i, is_due in enumerate(must)
    ]
    return f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"


def _numbered(statements: Iterable[_Sql]) -> list[str]:
    """Statements as text, with their parameters numbered through."""
    texts, begin = [], 0
    for sql in statements:
        texts.append(_PARAMETER.sub(partial(_moved, begin), sql.text))
        begin += len(sql.names)
    return texts


def _moved(by: int, parameter: re.Match[str]) -> str:
    return f"${by + int(parameter[1])}"


class PostgresTx:
    """What a job does on one connection.

    A transaction begins with the first row that is locked or changed at once; without any, what
    is put is a transaction by itself.

    Attributes:
        begun: whether a transaction is open.
        changed: whether there is anything to commit in it.
    """

    def __init__(self, connection: Any, opening: str) -> None:
        self._connection = connection
        self._opening = opening
        self._puts: list[tuple[ClauseElement, Mapping[str, object], bool, Put]] = []
        self.begun = False
        self.changed = False

    @property
    def has_puts(self) -> bool:
        """Whether there are changes still to be made."""
        return bool(self._puts)

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[Row]:
        """Every row of a query."""
        sql = prepared(statement)
        if sql.locks:
            self._begin()
        fetching = self._connection.fetch(sql.text, *sql.arguments(values))
        return [tuple(row) for row in await_only(fetching)]

    def row(self, statement: ClauseElement, values: Mapping[str, object]) -> Row | None:
        """The first row of a query."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def rows_of(self, *queries: Query) -> list[list[Row]]:
        """Every row of each of several queries; where one locks, each sees what came before it."""
        if any(prepared(statement).locks for statement, _ in queries):
            return [self.rows(statement, values) for statement, values in queries]
        text = _queries(tuple(statement for statement, _ in queries))
        bound = [value for each, values in queries for value in prepared(each).arguments(values)]
        found = await_only(self._connection.fetchrow(text, *bound))
        return [[tuple(row) for row in rows] for rows in found]

    def put(
        self, statement: ClauseElement, values: Mapping[str, object], *, must: bool = False
    ) -> Put:
        """Make a change at the end of the job."""
        put = Put()
        self._puts.append((statement, values, must, put))
        return put

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> int:
        """Execute a change; the number of rows that it touched."""
        sql = prepared(statement)
        self._begin()
        done: str = self._change(self._connection.execute(sql.text, *sql.arguments(values)))
        self.changed = True
        return int(done.rpartition(" ")[2])

    def run_many(self, statement: ClauseElement, values: Iterable[Mapping[str, object]]) -> None:
        """Execute a change for each of the values."""
        sql = prepared(statement)
        if every := [sql.arguments(each) for each in values]:
            self._begin()
            self._change(self._connection.executemany(sql.text, every))
            self.changed = True

    async def begin(self) -> None:
        """Open a transaction."""
        await self._connection.execute(self._opening)
        self.begun = True

    async def make(self, receipt: Receipt | None = None) -> None:
        """Make what was put, and note the receipt with it.

        Raises:
            Conflict: a value that must be unique is taken.
            Overtaken: a change touched nothing that must touch something.
        """
        puts, self._puts = self._puts, []
        statements, must = tuple(put[0] for put in puts), tuple(put[2] for put in puts)
        text = _changes(statements, must, receipt is not None)
        bound = [value for each, values, *_ in puts for value in prepared(each).arguments(values)]
        bound += receipt.values if receipt is not None else ()
        with _refused():
            counts = await self._connection.fetchrow(text, *bound)
        for (*_, put), touched in zip(puts, counts, strict=True):
            put.count = touched
        self.changed = True

    def _begin(self) -> None:
        if not self.begun:
            await_only(self.begin())

    def _change(self, doing: Awaitable[Any]) -> Any:
        with _refused():
            return await_only(doing)


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """A change that the server refuses, as what it means here."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as exc:
        raise Conflict("a value that must be unique is taken") from exc
    except asyncpg.DivisionByZeroError as exc:
        raise Overtaken("what a change expected is not so any more") from exc


@dataclass(frozen=True, slots=True)
class _Lost:
    """A commit whose answer was lost, and why."""

    receipt: Receipt
    why: Exception


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
        return await asyncio.shield(self._begin(self._within_patience(self._read, job)))

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit it. If the caller is cancelled, it comes to its end first."""
        task = self._begin(self._within_patience(self._write, job))
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

    async def _within_patience(self, attempt: Callable[[Job[T]], Awaitable[T]], job: Job[T]) -> T:
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
                        return await attempt(job)
                    except _AgainError as again:
                        last = again.__cause__
                    except Conflict:
                        if number >= OVERTAKEN:
                            raise
                    except (asyncpg.DataError, ValueError):
                        raise  # of whoever asked, not of the database
                    except (*LOST, *OVERRUN) as exc:
                        last = exc
                    except asyncpg.PostgresError as exc:
                        raise StoreDown(f"PostgreSQL: {exc}") from exc
                    await _pause(number)
        except TimeoutError as late:
            raise StoreDown(f"PostgreSQL: {last or 'no answer in time'}") from last or late
        finally:
            self.note(time.monotonic() - began)
        raise AssertionError("numbers do not end")

    async def _read(self, job: Job[T]) -> T:
        link = await self._pool.take()
        try:
            tx = PostgresTx(link.connection, self._opening("READ ONLY"))
            if self._pool.is_behind_a_pooler:  # two queries could go to two servers
                await tx.begin()
            result = await self._run(greenlet_spawn(job, tx), link, tx)
            if tx.begun:
                await link.connection.execute("COMMIT")
            link.is_at_rest = True
            return result
        finally:
            self._pool.put_back(link)

    async def _write(self, job: Job[T]) -> T:
        link = await self._pool.take()
        try:
            tx = PostgresTx(link.connection, self._opening("READ WRITE"))
            if self._pool.is_behind_a_pooler:
                await tx.begin()
            result = await self._run(greenlet_spawn(job, tx), link, tx)
            lost = await self._make(link, tx)
        finally:
            self._pool.put_back(link)
        if lost is not None and not await self._was_committed(lost.receipt):
            raise _AgainError from lost.why
        return result

    async def _run(self, doing: Awaitable[T], link: Link, tx: PostgresTx) -> T:
        """Do something in a transaction, if one was begun; what it raises undoes it."""
        try:
            return await doing
        except LOST:
            raise  # the connection goes with it
        except Exception:
            if not link.connection.is_closed():
                if tx.begun:
                    await link.connection.execute("ROLLBACK")
                link.is_at_rest = True
            raise

    async def _make(self, link: Link, tx: PostgresTx) -> _Lost | None:
        """Make what was put and commit; a receipt if nobody knows whether that was done."""
        receipt = Receipt(link.line, link.commits + 1)
        if tx.has_puts and tx.begun:
            await self._run(tx.make(), link, tx)
        elif not tx.has_puts and not tx.changed:
            if tx.begun:
                await link.connection.execute("COMMIT")
            link.is_at_rest = True
            return None
        try:
            if tx.begun:
                await link.connection.execute(receipt.commit)
            else:
                await self._run(tx.make(receipt), link, tx)
        except LOST as exc:
            link.is_at_rest = False
            return _Lost(receipt, exc)
        link.commits += 1
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
