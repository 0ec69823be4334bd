"""One storage, in a file or on a server, and any number of processes on it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from tests.postgres import new_database, pooler, server

from amazonia.store import tables
from amazonia.store.database import OpenDatabase
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.postgres import PostgresDatabase
from amazonia.store.sqlite import SqliteDatabase, connect


@dataclass
class Storage:
    """Where teams and turns are kept.

    Attributes:
        where: a file, or the address of a database on a server.
    """

    where: Path | str
    _opened: list[OpenDatabase] = field(default_factory=list)

    def open(self) -> OpenDatabase:
        """The storage as one more process sees it."""
        if isinstance(self.where, Path):
            self._opened.append(SqliteDatabase(self.where))
        else:
            self._opened.append(PostgresDatabase(self.where))
        return self._opened[-1]

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nobody else can write meanwhile."""
        if isinstance(self.where, Path):
            with _held(connect(self.where)):
                yield
            return
        holder = await asyncpg.connect(self.where)
        names = ", ".join(tables.metadata.tables)
        await holder.execute(f"BEGIN; LOCK TABLE {names} IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            await holder.close()

    async def close(self) -> None:
        """End every process that was opened."""
        for database in self._opened:
            await database.close()


@contextmanager
def _held(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.fixture(scope="session")
def through_a_pooler() -> Iterator[str]:
    """The way to the server through a pooler; a database's name comes behind it."""
    with pooler(server()) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """A new storage of each kind, with its tables; `pooler` is one that a module may ask for."""
    if request.param == "sqlite":
        migrate_sqlite(tmp_path / "test.sqlite3")
        yield tmp_path / "test.sqlite3"
        return
    with new_database() as url:
        if request.param == "pooler":
            yield f"{request.getfixturevalue('through_a_pooler')}/{url.rpartition('/')[2]}"
        else:
            yield url


@pytest.fixture
async def storage(where: Path | str) -> AsyncIterator[Storage]:
    """A storage whose processes end with the test."""
    storage = Storage(where)
    yield storage
    await storage.close()


@pytest.fixture
def here(storage: Storage) -> OpenDatabase:
    """The storage as one process sees it."""
    return storage.open()


@pytest.fixture
def there(storage: Storage) -> OpenDatabase:
    """The same as another process sees it."""
    return storage.open()
