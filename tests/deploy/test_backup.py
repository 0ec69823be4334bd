"""A backup made while the game runs holds what was answered before it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import httpx
import pytest
from tests.server import serve

QUESTION = {"entity_id": "cida", "message": "quem comeu o bolo?"}
PATIENCE = 10.0


def _amazonia(data: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / "amazonia"), *arguments]
    environ = {**os.environ, "AMAZONIA_DATA": str(data)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_team_comes_back_from_a_backup(tmp_path: Path) -> None:
    """What a running server answered is there in another one that begins from the backup."""
    kept = tmp_path / "kept.sqlite3"
    with serve(tmp_path / "data") as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            code = client.post("/api/session", json={}).json()["resume_code"]
            reply = client.post("/api/chat", json=QUESTION).json()["reply"]
        assert "secret.key" in _amazonia(server.data, "backup", str(kept))
    copytree(tmp_path / "data" / "learned", tmp_path / "other" / "learned")
    _amazonia(tmp_path / "other", "restore", str(kept))
    with (
        serve(tmp_path / "other", "--server", "uvicorn") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        client.post("/api/session/resume", json={"resume_code": code}).raise_for_status()
        (turn,) = client.get("/api/history/cida").json()
        assert turn["reply"] == reply
