"""The embedded database: there, whole, writable, of this version, alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem

ABOUT = "database"
BIG_WAL = 256 * 10**6
LOCKED_AFTER = 1.0
"""Seconds that the game's own writer never holds the file."""


def judge_file(file: Path, newest: str) -> Found:
    """Look into a database's file; nothing in it is changed.

    Args:
        newest: the migration that this version of the game ends with.
    """
    if not file.exists():
        return [ok(ABOUT, f"{file} is not there yet: the first start makes it")]
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as base:
            base.execute(f"PRAGMA busy_timeout={round(LOCKED_AFTER * 1000)}")
            return [*_shape(base, newest), *_journal(base, file), *_lock(base, file)]
    except sqlite3.Error as error:
        what = f"{file} cannot be read: {error}"
        return [problem(ABOUT, what, "Is it this user's? A damaged one: amazonia restore")]


def _shape(base: sqlite3.Connection, newest: str) -> Iterable[Finding]:
    try:
        row = base.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        row = None
    yield judge_migration(row[0] if row else None, newest)


def judge_migration(now: str | None, newest: str) -> Finding:
    """Whether a database has the shape of this version. Migrations are numbered."""
    if now is None:
        return ok(ABOUT, "is empty: the first start makes its tables")
    if now == newest:
        return ok(ABOUT, f"has the newest shape ({now})")
    if now > newest:
        what = f"a newer version of the game wrote it ({now}; this one knows {newest})"
        return problem(ABOUT, what, "Install that version again, or restore the backup before it")
    what = f"has an older shape ({now} of {newest}): the next start brings it up to date"
    return note(ABOUT, what, "Make a backup before: amazonia backup")


def _journal(base: sqlite3.Connection, file: Path) -> Iterable[Finding]:
    mode = base.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        yield note(ABOUT, f"its journal is '{mode}', not 'wal'", "The next start puts that right")
    try:
        size = file.with_name(f"{file.name}-wal").stat().st_size
    except OSError:
        return
    if size > BIG_WAL:
        what = f"{size / 1e6:,.0f} MB wait in its journal"
        yield note(ABOUT, what, "A program that reads it for long hinders it: fuser " + str(file))


def _lock(base: sqlite3.Connection, file: Path) -> Iterable[Finding]:
    """Take the right to write, and give it back."""
    try:
        base.execute("BEGIN IMMEDIATE")
        base.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            what = f"another program has held {file} for more than {LOCKED_AFTER:g} s"
            yield problem(ABOUT, what, f"See which: fuser {file}")
        else:
            what = f"{file} cannot be written to: {error}"
            yield problem(ABOUT, what, f"Give this user the right to write {file} and its folder")
    else:
        yield ok(ABOUT, f"{file} can be written to")
