"""A copy of the database, made while the game runs, holds what was answered before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import httpx
import pytest
from tests.server import serve

COPY = Path(__file__).parents[2] / "deploy" / "copy_database.py"
QUESTION = {"entity_id": "cida", "message": "quem comeu o bolo?"}
PATIENCE = 10.0


def _copy(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(COPY), str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_team_comes_back_from_a_copy(tmp_path: Path) -> None:
    """What a running server answered is there in another one that begins from the copy."""
    kept = tmp_path / "kept.sqlite3"
    with serve(tmp_path / "data") as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            code = client.post("/api/session", json={}).json()["resume_code"]
            reply = client.post("/api/chat", json=QUESTION).json()["reply"]
        assert _copy(server.data / "amazonia.sqlite3", kept).returncode == 0
    copytree(tmp_path / "data" / "learned", tmp_path / "other" / "learned")
    assert _copy(kept, tmp_path / "other" / "amazonia.sqlite3").returncode == 0
    with (
        serve(tmp_path / "other", "--server", "uvicorn") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        client.post("/api/session/resume", json={"resume_code": code}).raise_for_status()
        (turn,) = client.get("/api/history/cida").json()
        assert turn["reply"] == reply


def test_what_is_not_there_is_not_copied(tmp_path: Path) -> None:
    """A wrong path fails instead of leaving an empty copy that looks like one."""
    assert _copy(tmp_path / "nothing.sqlite3", tmp_path / "copy.sqlite3").returncode != 0
    assert not (tmp_path / "copy.sqlite3").exists()
