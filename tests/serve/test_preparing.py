"""A child of the first process brings the database up and reads the cases before it serves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.server import CASES

AMAZONIA = [str(Path(sys.executable).parent / "amazonia")]

APART = """
import os, sys
from amazonia.serve.preparing import Preparing
from amazonia.settings import read_settings
settings = read_settings(os.environ)
library = Preparing(settings).library()
assert settings.database_file.exists()
assert library.names() == ["mini"]
assert library.listener(library.case("mini"), "pt-BR").listen("cida", "e o bolo?").topics
import amazonia.serve.processes
assert sys.modules.keys().isdisjoint(["alembic", "amazonia.content.load", "rich"])
import rich
"""


def test_the_first_process_carries_no_tools(tmp_path: Path) -> None:
    """Its memory is every worker's memory; the tables and the cases are there all the same."""
    environ = {**os.environ, "AMAZONIA_DATA": str(tmp_path), "AMAZONIA_CASES": str(CASES)}
    subprocess.run([sys.executable, "-c", APART], env=environ, check=True, timeout=60)


def test_a_bad_case_stops_the_start(tmp_path: Path) -> None:
    """With the findings, as `amazonia check` words them, and no traceback."""
    (tmp_path / "cases" / "mini").mkdir(parents=True)
    (tmp_path / "cases" / "mini" / "case.yaml").write_text("id: [")
    environ = {"AMAZONIA_DATA": str(tmp_path), "AMAZONIA_CASES": str(tmp_path / "cases")}
    done = _serve(**environ)
    assert done.returncode == 1
    assert "case.yaml:2: F04" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_comes_before_ends_with_who_asked(tmp_path: Path) -> None:
    """A server that is killed while its cases are learned leaves no process behind."""
    environ = {**os.environ, "AMAZONIA_DATA": str(tmp_path)}
    serving = subprocess.Popen([*AMAZONIA, "serve", "--port", "0"], env=environ)
    try:
        children = Path(f"/proc/{serving.pid}/task/{serving.pid}/children")
        _wait_for(lambda: bool(children.read_text().split()))
        (child, *_) = map(int, children.read_text().split())
    finally:
        serving.kill()
        serving.wait()
    _wait_for(lambda: not _runs(child))


def _wait_for(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not so():
        assert time.monotonic() < end
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _serve(**environ: str) -> subprocess.CompletedProcess[str]:
    command = [*AMAZONIA, "serve", "--port", "0"]
    return subprocess.run(
        command,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_is_no_database_stops_the_start(tmp_path: Path) -> None:
    """With one line that says so, and the file stays as it was."""
    bad = tmp_path / "bad.sqlite3"
    bad.write_bytes(b"no database at all" * 100)
    done = _serve(
        AMAZONIA_DATA=str(tmp_path),
        AMAZONIA_CASES=str(CASES),
        DATABASE_URL=f"sqlite:///{bad}",
    )
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line and "case.learning" not in line]
    assert "bad.sqlite3" in line or "database" in line
    assert bad.read_bytes() == b"no database at all" * 100
