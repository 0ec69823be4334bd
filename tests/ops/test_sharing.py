"""Several processes, one set of metrics; workers come and go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amazonia.ops import sharing

# What Gunicorn does: share, preload, fork, count, die, bury. It forks: in a process of its own.
PARENT = """
import os, sys
from amazonia.ops import metrics, sharing

folder = sharing.share()
metrics.open_metrics()                      # preloaded: made before the fork
metrics.count(None, "info", {"event": "turn.duplicate"})

def worker(go, turns):
    pid = os.fork()
    if pid:
        return pid
    os.read(go, 1)
    for _ in range(turns):
        metrics.count(None, "info", {"event": "turn.duplicate"})
        metrics.count(None, "info", {"event": "turn.answered", "source": "model", "kind": "answer",
                                     "elapsed_ms": 700})
    metrics.tell(metrics.Change("amazonia_processes"))
    print("ready", flush=True)
    os.read(go, 1)
    os._exit(0)

def show(when):
    for line in metrics.exposition().decode().splitlines():
        if line.startswith(("amazonia_turn_duplicates_total", "amazonia_processes",
                            'amazonia_turn_seconds_bucket{le="1.0"', "amazonia_build_info{",
                            "amazonia_turn_seconds_count")):
            print(when, line, flush=True)
    print(when, "files", len(list(folder.glob("*.db"))), flush=True)

def run(turns):
    out, go = os.pipe()
    pid = worker(out, turns)
    os.write(go, b"x")
    return pid, go

first, go_first = run(3)
second, go_second = run(4)
# Both are told apart from the parent by their files; wait for both to have counted.
import time
until = time.monotonic() + 10
while metrics.exposition().count(b"amazonia_processes 2.0") < 1 and time.monotonic() < until:
    time.sleep(0.02)
(folder / "counter_4999999.db").touch()     # of a process that died before it wrote
show("both")
os.write(go_first, b"x")
os.waitpid(first, 0)
sharing.bury(first)
show("one")
for _ in range(12):
    pid, go = run(1)
    os.write(go, b"x")
    os.waitpid(pid, 0)
    sharing.bury(pid)
    os.close(go)
show("recycled")
os.write(go_second, b"x")
os.waitpid(second, 0)
sharing.bury(second)
print("folder", folder, flush=True)
"""


@pytest.fixture(scope="module")
def story() -> list[str]:
    """What the parent process says."""
    env = {k: v for k, v in os.environ.items() if k != sharing.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", PARENT],
        check=False,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "both amazonia_turn_duplicates_total 8.0",
        'both amazonia_turn_seconds_bucket{le="1.0",source="model"} 7.0',
        "both amazonia_processes 2.0",
    ],
)
def test_processes_add_up(story: list[str], line: str) -> None:
    """What parent and children counted is one sum; gauges are of those that live."""
    assert line in story


@pytest.mark.parametrize(
    "line",
    [
        "one amazonia_turn_duplicates_total 8.0",
        'one amazonia_turn_seconds_bucket{le="1.0",source="model"} 7.0',
        "one amazonia_processes 1.0",
        "recycled amazonia_turn_duplicates_total 20.0",
        'recycled amazonia_turn_seconds_count{source="model"} 19.0',
        "recycled amazonia_processes 1.0",
    ],
)
def test_the_dead_leave_their_counts(story: list[str], line: str) -> None:
    """A worker that is replaced takes no count along, and leaves no gauge behind."""
    assert line in story


def test_recycling_leaves_no_files(story: list[str]) -> None:
    """However many workers were replaced, as many files remain as processes need."""
    files = {line.split()[0]: int(line.split()[2]) for line in story if " files " in line}
    assert files["recycled"] == files["one"]


def test_the_folder_goes_with_its_parent(story: list[str]) -> None:
    """A server that ends leaves nothing in memory."""
    assert story[-1].startswith("folder ")
    assert not Path(story[-1].removeprefix("folder ")).exists()


def test_without_gunicorn_nothing_is_shared() -> None:
    """One process needs no folder, and burying does nothing."""
    assert sharing.shared_folder() is None
    sharing.bury(1)
    sharing.stop()


def test_a_folder_of_the_operators_is_emptied(tmp_path: Path) -> None:
    """Old metrics in it would be counted again; what else lies there stays."""
    for name in ("counter_1.db", "notes.txt"):
        (tmp_path / name).touch()
    environ = {sharing.VARIABLE: str(tmp_path)}
    assert sharing.share(environ) == tmp_path
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_an_older_parents_folder_is_not_taken_over() -> None:
    """A server that starts itself anew inherits the environment, but counts on its own."""
    environ = {sharing.VARIABLE: f"/dev/shm/{sharing.PREFIX}1"}
    folder = sharing.share(environ)
    assert folder.name == f"{sharing.PREFIX}{os.getpid()}"
    shutil.rmtree(folder)


def test_an_orphans_folder_is_removed(tmp_path: Path) -> None:
    """What a killed server left in memory is removed by the next one; a living one's is not."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, mine = (tmp_path / f"{sharing.PREFIX}{pid}" for pid in (dead.pid, os.getpid()))
    left.mkdir()
    mine.mkdir()
    sharing._remove_orphans(tmp_path)
    assert not left.exists()
    assert mine.exists()


def test_a_burial_waits_for_no_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads, the parent goes on at once, and the next burial makes up for it."""
    monkeypatch.setenv(sharing.VARIABLE, str(tmp_path))
    left = tmp_path / "counter_999999999.db"
    left.write_bytes((8).to_bytes(4, "little") + bytes(60))
    with sharing.while_reading(tmp_path):
        sharing.bury(999999999)
        assert left.exists()
    sharing.bury(999999999)
    assert not left.exists()
