"""The machine: disk, memory, processors, open files, shared memory, the port."""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem
from amazonia.settings import Settings

MEGA = 10**6
LITTLE_DISK, NO_DISK = 1000 * MEGA, 200 * MEGA
MEMORY, MEMORY_OF_WORKER = 60 * MEGA, 90 * MEGA
"""Of the first process, and of a worker that is busy with some hundred players."""
FILES, FEW_FILES = 8192, 1024
"""Open files of a process: each player has two or three streams, each spoken reply one more."""
SHARED_MEMORY = 16 * MEGA
AWAY = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs"})
"""Kinds of file system that are on another machine."""
FLEETING = frozenset({"tmpfs", "ramfs", "overlay"})
"""Kinds that may be forgotten with the container or the next start."""


def judge_disk(settings: Settings) -> Found:
    """The folder that everything is kept in."""
    about, folder = "disk", settings.data
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    found = [*_writable(about, folder, there)]
    free = shutil.disk_usage(there).free
    room = f"{free / MEGA:,.0f} MB are free in {there}"
    if free < NO_DISK:
        found.append(problem(about, room, "Make room: a full disk refuses every question"))
    elif free < LITTLE_DISK:
        found.append(note(about, room, "A turn takes 2 KB; a backup as much as the database"))
    else:
        found.append(ok(about, room))
    return [*found, *_kind(about, folder, there)]


def _writable(about: str, folder: Path, there: Path) -> Iterable[Finding]:
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        what = f"{folder} cannot be written to: {error.strerror}"
        yield problem(
            about, what, f"Give this user the right, or set AMAZONIA_DATA; uid {os.getuid()}"
        )


def _kind(about: str, folder: Path, there: Path) -> Iterable[Finding]:
    kind = file_system(there)
    if kind in AWAY or kind.startswith(("fuse.sshfs", "fuse.rclone", "fuse.glusterfs")):
        what = f"{folder} is on a network share ({kind}); SQLite's locks do not work there"
        yield problem(about, what, "Set AMAZONIA_DATA to a disk of this machine, or use PostgreSQL")
    elif kind in FLEETING:
        what = f"{folder} may be forgotten with the container or the next start ({kind})"
        yield note(about, what, "Mount a disk there, or use PostgreSQL, if teams shall stay")


def file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The kind of file system that a path is on; empty where that is not told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        fields = line.split()
        point = fields[1].replace("\\040", " ")
        inside = point == "/" or path == Path(point) or Path(point) in path.parents
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def judge_processors(settings: Settings) -> Found:
    """Workers for each core, and one to serve while another is replaced."""
    cores, workers = len(os.sched_getaffinity(0)), settings.workers
    said = f"{workers} workers on {cores} cores"
    if workers == 1:
        return [note("processors", said, "GUNICORN_WORKERS=2: one serves while one is replaced")]
    if workers > 2 * cores:
        return [
            note("processors", said, f"GUNICORN_WORKERS={max(2, cores)}: more only take memory")
        ]
    return [ok("processors", said)]


def judge_memory(settings: Settings) -> Found:
    """Enough for the workers when they are busy."""
    need = MEMORY + MEMORY_OF_WORKER * settings.workers
    have = available_memory()
    if have is None:
        return [
            note("memory", "how much is free is not told here", f"{need // MEGA} MB are needed")
        ]
    said = f"{have // MEGA:,} MB are free; {settings.workers} busy workers take {need // MEGA} MB"
    if have < need:
        return [problem("memory", said, "More memory, or fewer workers (GUNICORN_WORKERS)")]
    return [ok("memory", said)]


def available_memory(
    proc: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Bytes that are free for new processes: the machine's, or the container's if that is less."""
    try:
        lines = proc.read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration):
        return None
    try:
        most = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or no limit: "max"
        return free
    return min(free, most - used)


def judge_files() -> Found:
    """Enough open files for the streams of many players."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"a process may have {now:,} files open"
    raise_it = f"ulimit -n {min(65536, most) if most > 0 else 65536}; systemd: LimitNOFILE=65536"
    if now < FEW_FILES:
        return [problem("open files", f"{said}, some {now // 4} players", raise_it)]
    if now < FILES:
        return [note("open files", f"{said}, some {now // 4} players a worker", raise_it)]
    return [ok("open files", said)]


def judge_shared_memory(folder: Path = Path("/dev/shm")) -> Found:  # noqa: S108
    """Where heartbeats and metrics are kept without a disk."""
    about = "shared memory"
    if not os.access(folder, os.W_OK):
        what = f"{folder} is not there or cannot be written to: heartbeats go to a disk"
        return [note(about, what, "A slow disk then looks like a dead worker; mount a tmpfs there")]
    free = shutil.disk_usage(folder).free
    said = f"{folder} has {free // MEGA:,} MB free"
    if free < SHARED_MEMORY:
        return [note(about, said, "Docker: --shm-size 64m")]
    return [ok(about, said)]


def judge_port(settings: Settings) -> Found:
    """The port is free, or the game is there already and says how it is."""
    about, port = "port", settings.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return [ok(about, f"{port} is free")]
        except PermissionError:
            what = f"port {port} is not for this user"
            return [problem(about, what, "PORT=8000 and a proxy before it")]
        except OSError:
            return [_who_is_there(about, port)]


def _who_is_there(about: str, port: int) -> Finding:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=3.0)
    try:
        asking.request("GET", "/health")
        health = json.loads(asking.getresponse().read())
        said = f"Amazonia {health['version']} serves on {port} and says {health['status']}"
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return problem(about, f"{port} is taken by something else", "End it, or set PORT")
    finally:
        asking.close()
    if health["status"] == "ok":
        return ok(about, said)
    return note(about, said, f"See http://127.0.0.1:{port}/health and docs/operate.md")
