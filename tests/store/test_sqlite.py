"""The embedded database: many jobs a commit, none lost, each on its own."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from amazonia.errors import Conflict, StoreDown
from amazonia.store import statements as sql
from amazonia.store.database import Job, Tx
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.sqlite import SqliteDatabase, SqliteTx, connect


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    migrate_sqlite(tmp_path / "test.sqlite3")
    database = SqliteDatabase(tmp_path / "test.sqlite3")
    yield database
    await database.close()


def note(name: str, value: str = "1") -> Job[int]:
    return lambda tx: tx.run(sql.add_note, {"name": name, "text": value})


async def count(database: SqliteDatabase) -> int:
    names = [f"n{i}" for i in range(200)]
    return await database.read(
        lambda tx: sum(1 for name in names if tx.row(sql.note, {"name": name}))
    )


async def test_what_was_written_is_read(database: SqliteDatabase) -> None:
    """A write is visible to a read as soon as it returned."""
    await database.write(note("epoch", "7"))
    assert await database.read(lambda tx: tx.row(sql.note, {"name": "epoch"})) == ("7",)


async def test_jobs_share_commits(database: SqliteDatabase) -> None:
    """Two hundred jobs at once take far fewer commits than jobs."""
    begun: list[str] = []

    def traced(number: int) -> Job[None]:
        def job(tx: Tx) -> None:
            assert isinstance(tx, SqliteTx)
            connection = tx._connection
            if not begun:
                connection.set_trace_callback(
                    lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None
                )
                begun.append("traced")
            tx.run(sql.add_note, {"name": f"n{number}", "text": "1"})

        return job

    await asyncio.gather(*(database.write(traced(i)) for i in range(200)))
    assert await count(database) == 200
    assert len(begun) < 50


async def test_a_failing_job_takes_nothing_with_it(database: SqliteDatabase) -> None:
    """Of jobs that share a commit, one that raises is undone alone."""

    def bad(tx: Tx) -> None:
        tx.run(sql.add_note, {"name": "half", "text": "1"})
        raise Conflict("on purpose")

    results = await asyncio.gather(
        database.write(note("n1")),
        database.write(bad),
        database.write(note("n2")),
        database.write(note("n1")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, Conflict, int, Conflict]
    assert await database.read(lambda tx: tx.row(sql.note, {"name": "half"})) is None
    assert await count(database) == 2


async def test_a_locked_database_is_said_to_be_down(tmp_path: Path) -> None:
    """When nobody can write, writers are told so and nothing was changed; then it goes on."""
    path = tmp_path / "locked.sqlite3"
    migrate_sqlite(path)
    database = SqliteDatabase(path, busy_seconds=0.05)
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown):
        await database.write(note("n1"))
    other.execute("COMMIT")
    other.close()
    await database.write(note("n1"))
    assert await count(database) == 1
    await database.close()


async def test_closing_finishes_what_was_asked(tmp_path: Path) -> None:
    """Jobs queued before the close are committed; later ones are refused."""
    path = tmp_path / "closing.sqlite3"
    migrate_sqlite(path)
    database = SqliteDatabase(path)
    queued = [asyncio.ensure_future(database.write(note(f"n{i}"))) for i in range(50)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*queued)
    with pytest.raises(StoreDown):
        await database.write(note("late"))
    with sqlite3.connect(path) as check:
        assert check.execute("SELECT count(*) FROM meta").fetchone() == (50,)
    check.close()


async def test_recent_turns_are_found_by_the_index(database: SqliteDatabase) -> None:
    """However long the conversation, nothing is sorted and no other talk is read."""
    values = {"team_id": "team", "character": "cida", "most": 3}
    explain = text(f"EXPLAIN QUERY PLAN {sql.recent.compile()}")
    plan = await database.read(lambda tx: tx.rows(explain, {**values, "status_1": "done"}))
    assert [row[3] for row in plan] == [
        "SEARCH turns USING INDEX ix_turns_talk (team_id=? AND character=?)"
    ]


WRITER = """
import asyncio, sys
from pathlib import Path
from amazonia.store import statements as sql
from amazonia.store.sqlite import SqliteDatabase

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    async def write(start):
        for i in range(start, 10_000_000, 20):
            await database.write(
                lambda tx: tx.run(sql.add_note, {"name": f"n{i}", "text": "1"})
            )
            print(i, flush=True)
    await asyncio.gather(*(write(start) for start in range(20)))

asyncio.run(main())
"""


def test_a_killed_process_loses_nothing_that_it_confirmed(tmp_path: Path) -> None:
    """kill -9 in the middle of writing: every write that was confirmed is in the file."""
    path = tmp_path / "killed.sqlite3"
    migrate_sqlite(path)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    confirmed = [writer.stdout.readline() for _ in range(300)]
    os.kill(writer.pid, signal.SIGKILL)
    confirmed += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    with sqlite3.connect(path) as check:
        kept = {name for (name,) in check.execute("SELECT key FROM meta")}
    check.close()
    assert {f"n{line.strip()}" for line in confirmed if line.endswith("\n")} <= kept


def test_migrating_twice_and_together_is_safe(tmp_path: Path) -> None:
    """Several processes may migrate the same file, before each other and again."""
    path = tmp_path / "twice.sqlite3"
    code = "import sys; from pathlib import Path; from amazonia.store.migrate import *; "
    code += "migrate_sqlite(Path(sys.argv[1]))"
    both = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait() for process in both] == [0, 0, 0]
    migrate_sqlite(path)


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    """What the migrations make is what the statements are written for."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    from amazonia.store.tables import metadata

    path = tmp_path / "shape.sqlite3"
    migrate_sqlite(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
