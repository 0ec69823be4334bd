"""Gunicorn's configuration."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.server import CASES

from amazonia.serve import Hooks, gunicorn_settings
from amazonia.settings import read_settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "gunicorn_config.py"


def test_the_file_is_what_the_command_uses() -> None:
    """`gunicorn -c gunicorn_config.py` and `amazonia serve` have the same settings."""
    told = {
        name: value
        for name, value in runpy.run_path(str(FILE)).items()
        if name in gunicorn_settings(read_settings({}))
    }
    ours = gunicorn_settings(read_settings({}))
    assert told.keys() == ours.keys()
    hooks = {name for name, value in ours.items() if callable(value)}
    assert {n: told[n] for n in told if n not in hooks} == {
        n: ours[n] for n in ours if n not in hooks
    }


def test_every_setting_says_why() -> None:
    """Each has its reason on its line."""
    lines = [line for line in FILE.read_text().splitlines() if '_ours["' in line]
    assert len(lines) == len(gunicorn_settings(read_settings({})))
    assert all("  # " in line for line in lines)


@pytest.mark.parametrize("kind", ["asgi", "uvicorn", "gthread"])
def test_gunicorn_accepts_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, types and the worker's class are right."""
    monkeypatch.setenv("GUNICORN_WORKER_CLASS", kind)
    monkeypatch.setenv("AMAZONIA_CASES", str(CASES))
    command = [str(Path(sys.executable).parent / "gunicorn"), "-c", str(FILE), "--print-config"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    shown = {name.strip(): value for name, value in told.items()}
    assert shown["threads"] == ("4" if kind == "gthread" else "1")
    assert shown["timeout"] == "60"


def test_a_turn_ends_before_its_process() -> None:
    """The graceful timeout is above the deadline, whatever that is."""
    for deadline in ("7", "18", "100"):
        ours = gunicorn_settings(read_settings({"TURN_DEADLINE": deadline}))
        assert ours["graceful_timeout"] >= float(deadline) + 5


def test_others_are_told_of_processes() -> None:
    """Hooks reach Gunicorn."""
    heard: list[str] = []
    hooks = Hooks(
        ready=lambda _: heard.append("ready"),
        forked=lambda *_: heard.append("forked"),
        ended=lambda *_: heard.append("ended"),
    )
    ours = gunicorn_settings(read_settings({}), hooks)
    ours["when_ready"](None)
    worker = SimpleNamespace(pid=os.getpid())
    ours["post_fork"](None, worker)
    ours["child_exit"](None, worker)
    assert heard == ["ready", "forked", "ended"]
