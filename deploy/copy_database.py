"""Copies the embedded database while the game runs, or a copy back: `copy_database.py FROM TO`.

The copy is one moment's whole state, made by SQLite's own backup and checked. Copying the file by
other means while the game runs can lose what is still in the write-ahead log.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def copy(source: Path, target: Path) -> str:
    """Copy a database over another, in one transaction; SQLite's verdict on the copy, ``ok``.

    Raises:
        sqlite3.Error: one of them cannot be opened, or is no database.
    """
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)
        return str(here.execute("PRAGMA integrity_check").fetchone()[0])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    verdict = copy(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.exit(None if verdict == "ok" else f"the copy is not whole: {verdict}")
