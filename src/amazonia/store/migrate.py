"""Bringing the database to the newest shape; safe to do twice, and by several processes."""

from __future__ import annotations

import fcntl
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from amazonia.errors import StoreDown

SCRIPTS = Path(__file__).parent / "migrations"


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


def _write_ahead(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
