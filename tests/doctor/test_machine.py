"""What the doctor says of the machine: each finding is produced for real, where that can be."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sqlite3
import threading
import time
from contextlib import closing
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.doctor.examining import examined, the
from tests.worlds import mini_settings

from amazonia.groundwork import migrate
from amazonia.ops.doctor import machine
from amazonia.ops.doctor.clock import judge_clock, judge_date
from amazonia.ops.doctor.findings import Finding, Found, apart, examine, ok
from amazonia.services import newest


def test_a_folder_that_cannot_be_written_to(data_folder: Path) -> None:
    """`/proc` takes no files from anybody."""
    found = examined(Path("/proc/amazonia"))
    assert the(found, "disk", "cannot be written to").level == "problem"
    assert the(examined(data_folder), "disk", "MB are free").level == "ok"


def test_a_full_disk(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More is asked for than any disk has."""
    monkeypatch.setattr(machine, "LITTLE_DISK", 10**18)
    assert the(examined(data_folder), "disk", "MB are free").level == "note"
    monkeypatch.setattr(machine, "NO_DISK", 10**18)
    assert the(examined(data_folder), "disk", "MB are free").level == "problem"


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
school:/share /srv/share nfs4 rw 0 0
tmpfs /srv/share/fast tmpfs rw 0 0
//nas/a /mnt/with\\040space cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/game", "ext4"),
        ("/srv/share", "nfs4"),
        ("/srv/share/data", "nfs4"),
        ("/srv/shared", "ext4"),
        ("/srv/share/fast/data", "tmpfs"),
        ("/mnt/with space/x", "cifs"),
    ],
)
def test_the_kind_of_a_file_system(tmp_path: Path, path: str, kind: str) -> None:
    """The longest mount point above a path decides."""
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert machine.file_system(Path(path), mounts) == kind


def test_a_network_share_is_a_problem_and_a_memory_disk_a_note(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/dev/shm` is forgotten at the next start; no share can be mounted in a test."""
    if machine.file_system(Path("/dev/shm")) == "tmpfs":
        found = examined(Path("/dev/shm/amazonia-doctor"))
        assert the(found, "disk", "may be forgotten").level == "note"
    here = machine.file_system(data_folder.parent)
    monkeypatch.setattr(machine, "AWAY", frozenset({here}))
    monkeypatch.setattr(machine, "FLEETING", frozenset())
    assert the(examined(data_folder), "disk", "network share").level == "problem"


def test_workers_and_cores(data_folder: Path) -> None:
    """One worker pauses when it is replaced; very many only take memory."""
    levels = {
        count: the(
            examined(data_folder, GUNICORN_WORKERS=str(count)), "processors", "workers on"
        ).level
        for count in (1, 2, 64)
    }
    assert levels == {1: "note", 2: "ok", 64: "note" if len(os.sched_getaffinity(0)) < 32 else "ok"}


def test_memory_of_the_machine_and_of_the_container(tmp_path: Path) -> None:
    """The smaller one counts; a container without a limit says `max`."""
    proc = tmp_path / "meminfo"
    proc.write_text("MemTotal: 9 kB\nMemAvailable: 2000 kB\n")
    assert machine.available_memory(proc, tmp_path) == 2_048_000
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert machine.available_memory(proc, tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.available_memory(proc, tmp_path) == 2_048_000
    assert machine.available_memory(tmp_path / "none", tmp_path) is None


def test_too_many_workers_for_the_memory(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that took more than there is."""
    assert the(examined(data_folder), "memory", "are free").level == "ok"
    monkeypatch.setattr(machine, "MEMORY_OF_WORKER", 10**15)
    assert the(examined(data_folder), "memory", "are free").level == "problem"


def test_few_open_files(data_folder: Path) -> None:
    """With the limit that some systems begin with, and with less."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))
        assert the(examined(data_folder), "open files", "1,024").level == "note"
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
        assert the(examined(data_folder), "open files", "256").level == "problem"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))


def test_shared_memory_that_is_not_there(tmp_path: Path) -> None:
    """A heartbeat on a slow disk looks like a death."""
    assert machine.judge_shared_memory(tmp_path / "none")[0].level == "note"
    assert machine.judge_shared_memory(tmp_path)[0].level == "ok"


# ── the port ────────────────────────────────────────────────────────────────────────────────────


class _Answers(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("body", "level", "words"),
    [
        (b'{"version":"1.2","status":"ok"}', "ok", "Amazonia 1.2 serves"),
        (b'{"version":"1.2","status":"degraded"}', "note", "says degraded"),
        (b"<html>", "problem", "taken by something else"),
    ],
)
def test_a_port_that_is_taken(data_folder: Path, body: bytes, level: str, words: str) -> None:
    """By the game, which then says how it is, or by something else."""
    handler = type("Handler", (_Answers,), {"body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        found = examined(data_folder, port=server.server_port)
    assert the(found, "port", words).level == level


def test_a_port_that_is_free(data_folder: Path) -> None:
    """Nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert the(examined(data_folder, port=port), "port", "is free").level == "ok"


# ── the clock ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("skew", "level"), [(0.0, "ok"), (4.0, "ok"), (-30.0, "note"), (500.0, "problem")]
)
def test_a_clock_that_is_off(skew: float, level: str) -> None:
    """Seconds are noted, minutes are a problem."""
    assert judge_clock(1e9 + skew, 1e9, "it")[0].level == level


def test_the_date_of_an_answer() -> None:
    """What a provider's answer says of the time, if it does."""
    now = time.time()
    assert judge_date(now, formatdate(now, usegmt=True), "it")[0].level == "ok"
    assert judge_date(now, formatdate(now - 900, usegmt=True), "it")[0].level == "problem"
    assert judge_date(now, None, "it") == []
    assert judge_date(now, "yesterday", "it") == []


# ── the embedded database ───────────────────────────────────────────────────────────────────────


def _file(data: Path) -> Path:
    settings = mini_settings(data)
    migrate(settings)
    return settings.database_file


def test_a_new_database_is_well(data_folder: Path) -> None:
    """As the game leaves it after its first start."""
    assert the(examined(data_folder), "database", "not there yet").level == "ok"
    _file(data_folder)
    found = examined(data_folder)
    assert the(found, "database", "newest shape").level == "ok"
    assert the(found, "database", "can be written to").level == "ok"


@pytest.mark.parametrize(("version", "level"), [("0001", "note"), ("9999", "problem")])
def test_a_database_of_another_version(data_folder: Path, version: str, level: str) -> None:
    """An older one is brought up to date; a newer one cannot be used."""
    with closing(sqlite3.connect(_file(data_folder))) as base, base:
        base.execute("UPDATE alembic_version SET version_num = ?", (version,))
    words = "older shape" if level == "note" else "newer version"
    assert the(examined(data_folder), "database", words).level == level
    assert newest() in the(examined(data_folder), "database", words).what


def test_a_database_that_somebody_holds(data_folder: Path) -> None:
    """Another program in the middle of writing."""
    with closing(sqlite3.connect(_file(data_folder), isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        assert the(examined(data_folder), "database", "has held").level == "problem"


def test_a_file_that_is_no_database(data_folder: Path) -> None:
    """Something else under that name."""
    _file(data_folder).write_bytes(b"this is no database at all, whatever its name says" * 50)
    assert the(examined(data_folder), "database", "cannot be read").level == "problem"


# ── the examination itself ──────────────────────────────────────────────────────────────────────


def test_a_check_that_hangs_is_a_finding() -> None:
    """The others are told all the same, and nobody waits for what hangs, not even at the end."""

    async def well() -> Found:
        return [ok("well", "it is")]

    hangs = partial(apart, partial(time.sleep, 3.0))
    begun = time.monotonic()
    found = asyncio.run(examine({"slow": hangs, "well": well}, 0.2))  # type: ignore[dict-item]
    assert time.monotonic() - begun < 2.0
    assert [each.level for each in found] == ["problem", "ok"]


def test_a_check_that_breaks_is_a_finding() -> None:
    """A fault of the doctor's does not hide what the others found, and quotes nothing."""

    async def broken() -> Found:
        raise ValueError("secret")

    [found] = asyncio.run(examine({"broken": broken}))
    assert isinstance(found, Finding)
    assert "ValueError" in found.what
    assert "secret" not in found.what
