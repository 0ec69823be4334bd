"""Bringing the database to the newest shape; safe to do twice, and by several processes.

Migrations only add: while instances are replaced one after another, old and new ones run on the
same tables.
"""

from __future__ import annotations

import asyncio
import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from amazonia.errors import BadSetting, StoreDown

SCRIPTS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 0x616D617A  # "amaz"
"""The name of the lock that whoever migrates a PostgreSQL database holds."""
PATIENCE = 20.0
"""Seconds that a server may take until it answers."""


def migrate_sqlite(path: Path) -> None:
    """Create or update the database in a file.

    Raises:
        StoreDown: the file cannot be made, read or written, or a newer version wrote it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
            event.listen(engine, "connect", _write_ahead)
            with engine.begin() as connection:
                migrate(connection)
            engine.dispose()
    except OSError as error:
        raise StoreDown(f"the database '{path}' cannot be updated: {error.strerror}") from error
    except DBAPIError as error:
        raise StoreDown(f"the database '{path}' cannot be updated: {error.orig}") from error


def migrate_postgres(url: str) -> None:
    """Create or update the tables in a database on a server.

    Raises:
        BadSetting: the address is none.
        StoreDown: the server does not answer or refuses, or a newer version wrote the database.
    """
    with ThreadPoolExecutor(1) as thread:  # the caller may have an event loop of its own
        thread.submit(asyncio.run, _migrate_postgres(url)).result()


async def _migrate_postgres(url: str) -> None:
    import asyncpg

    from amazonia.store.engines import postgres_engine
    from amazonia.store.receipts import forget_old

    engine = postgres_engine(url, PATIENCE)
    try:
        async with engine.begin() as connection:
            lock = text("SELECT pg_advisory_xact_lock(:name)")
            await connection.execute(lock, {"name": ONE_AT_A_TIME})
            await connection.run_sync(migrate)
            await connection.execute(text(forget_old()))
    except DBAPIError as error:
        if isinstance(cause := error.orig and error.orig.__cause__, ValueError):
            raise BadSetting(f"DATABASE_URL: its value is not allowed: {cause}") from error
        raise StoreDown(f"the database cannot be updated: {error.orig}") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreDown(f"PostgreSQL does not answer: {error or 'not in time'}") from error
    finally:
        await engine.dispose()


def migrate(connection: Connection) -> None:
    """Run what is missing of the migrations on an open connection.

    Raises:
        StoreDown: the database has a shape that this version does not know.
    """
    from alembic import command  # here: what it takes of memory it never gives back
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreDown(f"the database is not one of this version: {error}") from error


def newest() -> str:
    """The migration that this version ends with."""
    from alembic.script import ScriptDirectory  # here: see `migrate`

    return str(ScriptDirectory(str(SCRIPTS)).get_current_head())


def _write_ahead(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
