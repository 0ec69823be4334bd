"""Copies of a whole database: kept in a file, brought back, moved to another place.

A copy is an SQLite file of the newest shape, wherever it came from, so that any copy can go to any
place. Nothing counts as copied before it was read back and found the same, table by table.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, Select, Table, create_engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from amazonia.errors import StoreDown
from amazonia.store import tables
from amazonia.store.migrate import PATIENCE, migrate_postgres, migrate_sqlite

Place: TypeAlias = Path | str
"""A file, or the address of a database on a server."""
Told: TypeAlias = Callable[[str, int, int], None]
"""Is told how far a copy is: the table, rows done, rows in all."""
AT_ONCE = 500
"""Rows that are read and written together."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is in a table: the number of its rows, and a sum over them that no order changes."""

    rows: int
    sum: str


Digests: TypeAlias = Mapping[str, Digest]


class NotEmpty(StoreDown):
    """There is something already where the copy should go; it was left as it is."""


def back_up(source: Place, file: Path, told: Told, *, force: bool = False) -> Digests:
    """Copy a database into a file, while it is used; the copy is of one moment.

    Raises:
        NotEmpty: the file exists.
        StoreDown: the database cannot be read, the file not written, or they differ.
    """
    if file.exists() and not force:
        raise NotEmpty(f"'{file}' exists; choose another name, or --force to replace it")
    partial = file.with_name(f"{file.name}.partial")
    with _faults():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            digests = _snapshot(source, partial, told)
            partial.chmod(0o600)  # resume codes open games
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    return digests


def bring_back(source: Place, target: Place, told: Told, *, force: bool = False) -> Digests:
    """Copy a database to another place, all of it or nothing.

    Args:
        force: replace what is there.

    Raises:
        NotEmpty: there are teams, classes or anything else at the target.
        StoreDown: one of them does not answer, is of a newer version, or they differ at the end.
    """
    with _faults(), TemporaryDirectory(prefix="amazonia-") as folder:
        file = Path(folder) / "copy.sqlite3"
        digests = _snapshot(source, file, told)
        if isinstance(target, Path):
            _refuse_full(_digests_of_file(target) if target.exists() else {}, force)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy_file(file, target)
            _compare(digests, _digests_of_file(target))
        else:
            migrate_postgres(target)
            _apart(_copy_rows(file, target, told, force=force))
    return digests


# ── a copy in a file ────────────────────────────────────────────────────────────────────────────


def _snapshot(source: Place, file: Path, told: Told) -> Digests:
    """Copy a place into a file of the newest shape."""
    if isinstance(source, Path):
        if not source.exists():
            raise StoreDown(f"there is no database '{source}'")
        _copy_file(source, file)
        migrate_sqlite(file)
    else:
        migrate_sqlite(file)
        _apart(_copy_rows(source, file, told, force=True))
    file.with_suffix(".migrate.lock").unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, and nothing beside it
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        raise StoreDown(f"the copy is not whole: {verdict}")
    return _digests_of_file(file)


def _copy_file(source: Path, target: Path) -> None:
    """Copy one file over another in one transaction, what is still in the log included."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)


def _digests_of_file(file: Path) -> Digests:
    with _file(file) as connection:
        return digests_of(connection)


# ── rows from place to place ────────────────────────────────────────────────────────────────────


async def _copy_rows(source: Place, target: Place, told: Told, *, force: bool) -> None:
    async with _opened(source, "REPEATABLE READ") as there, _opened(target) as here:
        await greenlet_spawn(_copy, there, here, told, force)


def _copy(there: Connection, here: Connection, told: Told, force: bool) -> None:
    """Replace every row of the one with those of the other, in the transaction that is open."""
    _refuse_other_shape(there, here)
    _refuse_full(digests_of(here), force)
    for table in reversed(tables.metadata.sorted_tables):
        here.execute(table.delete().where(_kept(table)))
    for table in tables.metadata.sorted_tables:
        total, done = there.scalar(select(func.count()).select_from(table)) or 0, 0
        for rows in there.execute(_rows(table)).partitions(AT_ONCE):
            here.execute(insert(table), [dict(row._mapping) for row in rows])  # noqa: SLF001
            done += len(rows)
            told(table.name, done, total)
        _count_on(here, table)
    _compare(digests_of(there), digests_of(here))


def _rows(table: Table) -> Select[Any]:
    rows = select(table).where(_kept(table))
    return rows.execution_options(yield_per=AT_ONCE)


def _kept(table: Table) -> Any:
    """Everything but the receipts of connections and the leases of processes, which mean nothing
    elsewhere."""
    if table is tables.leases:
        return text("1 = 0")
    if table is tables.meta:
        return table.c.key.not_like("commit.%")
    return text("1 = 1")


def _count_on(here: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows after those that were copied with their numbers."""
    column = table.autoincrement_column
    if here.dialect.name == "postgresql" and column is not None:
        last = here.scalar(select(func.coalesce(func.max(column), 0)))
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        here.execute(select(func.setval(sequence, (last or 0) + 1, False)))


def digests_of(connection: Connection) -> Digests:
    """What is in every table."""
    return {
        table.name: _digest(connection.execute(_rows(table)).partitions(AT_ONCE))
        for table in tables.metadata.sorted_tables
    }


def _digest(parts: Iterator[Any]) -> Digest:
    number, total = 0, 0
    for rows in parts:
        for row in rows:
            number += 1
            total += int.from_bytes(
                sha256(orjson.dumps(list(row), default=bytes.hex)).digest(), "big"
            )
    return Digest(number, f"{total % 2**256:064x}")


def _compare(there: Digests, here: Digests) -> None:
    if wrong := [name for name in there if there[name] != here[name]]:
        raise StoreDown(f"the copy differs in {', '.join(wrong)}; nothing was kept of it")


def _refuse_other_shape(there: Connection, here: Connection) -> None:
    shape = text("SELECT version_num FROM alembic_version")
    if there.scalar(shape) != here.scalar(shape):
        raise StoreDown("the source is not of this version: start this version on it once, first")


def _refuse_full(digests: Digests, force: bool) -> None:
    full = {name: digest.rows for name, digest in digests.items() if digest.rows}
    full.pop("meta", None)
    if full and not force:
        there = ", ".join(f"{rows} {name}" for name, rows in full.items())
        raise NotEmpty(f"there is something already ({there}); --force replaces all of it")


# ── opening ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _file(path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@asynccontextmanager
async def _opened(place: Place, isolation: str = "READ COMMITTED") -> AsyncIterator[Connection]:
    """A place in one transaction, committed at the end; its work waits in a greenlet."""
    if isinstance(place, Path):
        with _file(place) as connection:
            yield connection
        return
    from amazonia.store.engines import postgres_engine

    engine = postgres_engine(place, PATIENCE).execution_options(isolation_level=isolation)
    try:
        async with engine.begin() as waiting:
            assert waiting.sync_connection is not None  # noqa: S101 - it was begun
            yield waiting.sync_connection
    finally:
        await engine.dispose()


def _apart(doing: Any) -> None:
    """Run in a thread of its own: the caller may have an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, doing).result()


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreDown(f"the copy broke off, nothing was kept of it: {error.orig}") from error
    except (sqlite3.Error, OSError) as error:
        raise StoreDown(f"the copy broke off, nothing was kept of it: {error}") from error
