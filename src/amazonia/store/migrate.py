"""Bringing the database to the newest shape; safe to do twice, and by several processes."""

from __future__ import annotations

import fcntl
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

SCRIPTS = Path(__file__).parent / "migrations"


def migrate_sqlite(path: Path) -> None:
    """Create or update the database in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        event.listen(engine, "connect", _write_ahead)
        with engine.begin() as connection:
            migrate(connection)
        engine.dispose()


def migrate(connection: Connection) -> None:
    """Run what is missing of the migrations on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _write_ahead(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
