"""The database is brought up by a child of the first process, before anything serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.server import CASES

APART = """
import os, sys
from amazonia.serve.config import migrate_apart
from amazonia.settings import read_settings
settings = read_settings(os.environ)
migrate_apart(settings)
assert settings.database_file.exists()
assert "alembic" not in sys.modules
"""


def test_the_first_process_never_carries_alembic(tmp_path: Path) -> None:
    """Its memory is every worker's memory; the tables are there all the same."""
    environ = {**os.environ, "AMAZONIA_DATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", APART], env=environ, check=True, timeout=60)


def test_what_is_no_database_stops_the_start(tmp_path: Path) -> None:
    """With one line that says so, and the file stays as it was."""
    bad = tmp_path / "bad.sqlite3"
    bad.write_bytes(b"no database at all" * 100)
    environ = {
        **os.environ,
        "AMAZONIA_DATA": str(tmp_path),
        "AMAZONIA_CASES": str(CASES),
        "DATABASE_URL": f"sqlite:///{bad}",
    }
    command = [str(Path(sys.executable).parent / "amazonia"), "serve", "--port", "0"]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    assert "bad.sqlite3" in line or "database" in line
    assert bad.read_bytes() == b"no database at all" * 100
