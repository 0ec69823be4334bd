"""SQLite: one writer thread with group commit, and a few readers.

While one commit waits for the disk, the jobs that arrive gather and share the next one. Each runs
in its own savepoint, so that one which fails takes nothing with it. Nobody is told that a job is
done before its commit is. Reads that wait together likewise share a snapshot and a wake-up: to go
to a thread and back costs more than most queries.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from amazonia.errors import Conflict, StoreDown
from amazonia.store.database import Job, JobTimes, Overtaken, Put, Query, Row

T = TypeVar("T")

BATCH = 128
"""At most this many jobs share a commit."""

READ_BATCH = 16
"""At most this many reads share a snapshot: a slow one holds up only these."""

LOCK_POLL = 0.001
"""Seconds between two looks at whether another process has finished writing."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-2000",  # kilobytes a connection; the system keeps the file in memory too
)

_DIALECT = sqlite.dialect(paramstyle="named")


def connect(path: Path, busy_seconds: float = 5.0) -> sqlite3.Connection:
    """Open the database as every part of the program opens it."""
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


@lru_cache(maxsize=256)
def prepared(statement: ClauseElement) -> tuple[str, Mapping[str, Any]]:
    """A statement as text, and the values that are part of it."""
    compiled = statement.compile(dialect=_DIALECT)
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), fixed


class SqliteTx:
    """A transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: ClauseElement, values: Mapping[str, object]) -> list[Row]:
        """Every row of a query."""
        return self._execute(statement, values).fetchall()

    def row(self, statement: ClauseElement, values: Mapping[str, object]) -> Row | None:
        """The first row of a query."""
        row: Row | None = self._execute(statement, values).fetchone()
        return row

    def rows_of(self, *queries: Query) -> list[list[Row]]:
        """Every row of each of several queries."""
        return [self.rows(statement, values) for statement, values in queries]

    def put(
        self, statement: ClauseElement, values: Mapping[str, object], *, must: bool = False
    ) -> Put:
        """Execute a change: nobody else writes meanwhile, so that now is as good as later."""
        count = self.run(statement, values)
        if must and not count:
            raise Overtaken("what a change expected is not so any more")
        return Put(count)

    def run(self, statement: ClauseElement, values: Mapping[str, object]) -> int:
        """Execute a change; the number of rows that it touched."""
        try:
            return self._execute(statement, values).rowcount
        except sqlite3.IntegrityError as exc:
            raise Conflict("a value that must be unique is taken") from exc

    def run_many(self, statement: ClauseElement, values: Iterable[Mapping[str, object]]) -> None:
        """Execute a change for each of the values."""
        for each in values:
            self.run(statement, each)

    def _execute(self, statement: ClauseElement, values: Mapping[str, object]) -> sqlite3.Cursor:
        sql, fixed = prepared(statement)
        return self._connection.execute(sql, {**fixed, **values} if fixed else values)


class _Waiting:
    """A job that waits for its thread."""

    __slots__ = ("error", "future", "job", "loop", "result")

    def __init__(self, job: Job[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None


class SqliteDatabase(JobTimes):
    """A database in one file; any number of processes may open it."""

    def __init__(self, path: Path, readers: int = 4, busy_seconds: float = 5.0) -> None:
        """Args:
        readers: how many queries may run at once.
        busy_seconds: how long to wait for other processes that write.
        """
        self._path = path
        self._busy_seconds = busy_seconds
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="sqlite-write", daemon=True)
        self._readers = [
            threading.Thread(target=self._read_all, name=f"sqlite-read-{i}", daemon=True)
            for i in range(readers)
        ]
        super().__init__()
        self._closed = False
        self._stopping = False
        for thread in (self._writer, *self._readers):
            thread.start()

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing, on one snapshot."""
        self._refuse_closed()
        began, read = time.monotonic(), _Waiting(job, asyncio.get_running_loop())
        self._reads.put(read)
        try:
            result: T = await read.future
            return result
        finally:
            self.note(time.monotonic() - began)

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit it; returns only when it is on the disk."""
        self._refuse_closed()
        began, write = time.monotonic(), _Waiting(job, asyncio.get_running_loop())
        self._queue.put(write)
        try:
            result: T = await write.future
            return result
        finally:
            self.note(time.monotonic() - began)

    async def close(self) -> None:
        """Finish what was queued and close every connection."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        for _ in self._readers:
            self._reads.put(None)
        for thread in (self._writer, *self._readers):
            await asyncio.to_thread(thread.join)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreDown("the database was closed")

    # ── readers ─────────────────────────────────────────────────────────────────────────────────

    def _read_all(self) -> None:
        """What one of the readers does all day."""
        connection: sqlite3.Connection | None = None
        while (first := self._reads.get()) is not None:
            batch = [first, *self._more_reads()]
            try:
                connection = connection or connect(self._path, self._busy_seconds)
                sound = _answer(connection, batch)
            except sqlite3.Error as exc:
                _fail(batch, exc)
                sound = False
            if not sound:
                _abandon(connection)  # its state is unknown; the next batch opens another
                connection = None
            _tell(batch)
        _abandon(connection)

    def _more_reads(self) -> Iterator[_Waiting]:
        """What waits beside the first read of a batch."""
        for _ in range(READ_BATCH - 1):
            try:
                read = self._reads.get_nowait()
            except queue.Empty:
                return
            if read is None:  # the end, for this reader or another
                self._reads.put(None)
                return
            yield read

    # ── the writer ──────────────────────────────────────────────────────────────────────────────

    def _write_all(self) -> None:
        connection: sqlite3.Connection | None = None
        while not self._stopping:
            first = self._queue.get()
            if first is None:
                break
            batch = [first]
            try:
                connection = connection or self._open_writer()
                self._commit(connection, batch)
            except sqlite3.Error as exc:
                _fail(batch, exc)
                _abandon(connection)  # its state is unknown; the next batch opens another
                connection = None
            _tell(batch)
        _abandon(connection)

    def _open_writer(self) -> sqlite3.Connection:
        """A connection that waits while it is set up, and polls by itself from then on."""
        connection = connect(self._path, self._busy_seconds)
        connection.execute("PRAGMA busy_timeout=0")
        return connection

    def _commit(self, connection: sqlite3.Connection, batch: list[_Waiting]) -> None:
        """Run the batch and whatever arrives meanwhile."""
        self._begin(connection)
        tx = SqliteTx(connection)
        _attempt(connection, tx, batch[0])
        while len(batch) < BATCH:
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                break
            if write is None:
                self._stopping = True
                break
            batch.append(write)
            _attempt(connection, tx, write)
        connection.execute("COMMIT")

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin to write, when no other process does.

        SQLite itself would sleep longer each time that it finds the lock taken, up to 100 ms;
        other processes hold it for a millisecond or two.
        """
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as exc:
                # The low byte: busy for whatever reason, recovering after a crash included.
                busy = exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
                time.sleep(LOCK_POLL)


def _answer(connection: sqlite3.Connection, batch: list[_Waiting]) -> bool:
    """Run reads on one snapshot; whether the connection is to be trusted afterwards."""
    sound = True
    tx = SqliteTx(connection)
    connection.execute("BEGIN")
    for read in batch:
        try:
            read.result = read.job(tx)
        except sqlite3.Error as exc:
            sound = False
            _fail([read], exc)
        except Exception as exc:  # noqa: BLE001 - belongs to whoever asked, and is raised there
            read.error = exc
    if sound:
        connection.execute("ROLLBACK")
    return sound


def _attempt(connection: sqlite3.Connection, tx: SqliteTx, write: _Waiting) -> None:
    """Run one job; what it raises is its own affair and undoes only itself."""
    connection.execute("SAVEPOINT job")
    try:
        write.result = write.job(tx)
    except sqlite3.OperationalError:
        raise
    except Exception as exc:  # noqa: BLE001 - belongs to whoever asked, and is raised there
        write.error = exc
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _fail(batch: list[_Waiting], exc: sqlite3.Error) -> None:
    for waiting in batch:
        error = StoreDown(f"SQLite: {exc}")
        error.__cause__ = exc
        waiting.error = error


def _abandon(connection: sqlite3.Connection | None) -> None:
    """Close a connection, whatever state it is in."""
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


def _tell(batch: list[_Waiting]) -> None:
    """Resolve the futures, with one wake-up for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in batch:
        loops.setdefault(waiting.loop, []).append(waiting)
    for loop, jobs in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            loop.call_soon_threadsafe(_resolver(jobs))


def _resolver(jobs: list[_Waiting]) -> Callable[[], None]:
    def resolve() -> None:
        for job in jobs:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)

    return resolve
