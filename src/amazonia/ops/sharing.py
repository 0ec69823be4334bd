"""How processes share their metrics: a file each in one folder, read together.

prometheus_client keeps the files of processes that died, for what they counted was counted. Since
workers are replaced all the time, what the dead counted is added up in one file instead.

For the parent process: `share` before its metrics are opened, `bury` when a child died. The folder
goes when the parent ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "amazonia-metrics-"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, with the owner's rights alone
ROOM = 16 * 1024 * 1024
"""Bytes that must be free in memory's folder; containers may have little of it."""


def share(environ: MutableMapping[str, str] = os.environ) -> Path:
    """Make an empty folder for this process and its children, and name it in the environment.

    A folder that the operator names is emptied of old metrics. Folders of ours whose owner is
    gone, killed before it could remove them, are removed.
    """
    given = environ.get(VARIABLE, "")
    if given and not Path(given).name.startswith(PREFIX):  # ours would be an older parent's
        folder = Path(given)
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob("*.db"):
            file.unlink()
    else:
        place = _place()
        _remove_orphans(place)
        folder = place / f"{PREFIX}{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        atexit.register(stop)  # a child's own end finds that the folder is not its
    environ[VARIABLE] = str(folder)
    return folder


def shared_folder(environ: MutableMapping[str, str] = os.environ) -> Path | None:
    """The folder that processes share; None if this one keeps its metrics to itself."""
    name = environ.get(VARIABLE, "")
    return Path(name) if name else None


def count_in(folder: Path | None) -> None:
    """Let metrics that are made from now on count in a folder, or in this process alone.

    Left to itself, prometheus_client decides this when it is imported, and asks the system which
    process it is in at every count, which costs more than counting.
    """
    from prometheus_client import values

    made: Any = values.MultiProcessValue(_own_pid) if folder else values.MutexValue  # type: ignore[no-untyped-call]
    values.ValueClass = made
    _notice_forks()


@cache
def _own_pid() -> int:
    return os.getpid()


@cache
def _notice_forks() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_own_pid.cache_clear)


def bury(pid: int) -> None:
    """Keep what a dead child counted, and forget how it was. Without a shared folder, nothing."""
    folder = shared_folder()
    if folder is None:
        return
    for gauge in folder.glob(f"gauge_live*_{pid}.db"):
        gauge.unlink(missing_ok=True)
    with _locked(folder, wait=False) as locked:
        if locked:  # else a reader is at it: the next burial takes this one along
            for kind in ("counter", "histogram"):
                _add_up(folder, kind)


def stop() -> None:
    """Remove the folder, if it is ours."""
    folder = shared_folder()
    if folder is not None and folder.name == f"{PREFIX}{os.getpid()}":
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def while_reading(folder: Path) -> Iterator[None]:
    """Nothing is buried as long as the block lasts."""
    with _locked(folder, wait=True):
        yield


def written(folder: Path) -> list[Path]:
    """The files of all processes; one that its process has only just made is still empty."""
    return [file for file in folder.glob("*.db") if not _is_empty(file)]


def _add_up(folder: Path, kind: str) -> None:
    """Add what dead processes counted to one file; theirs are removed."""
    from prometheus_client.mmap_dict import MmapedDict

    dead = [file for file in folder.glob(f"{kind}_*.db") if _is_dead(file)]
    if not dead:
        return
    # The library has no types for this part of it.
    total = MmapedDict(str(folder / f"{kind}_dead.db"))  # type: ignore[no-untyped-call]
    try:
        for file in dead:
            values = (
                [] if _is_empty(file) else MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
            )
            for key, value, _, _ in values:
                before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
                total.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
            file.unlink()
    finally:
        total.close()  # type: ignore[no-untyped-call]


def _is_empty(file: Path) -> bool:
    """Whether nothing is in a file, or it is gone by now."""
    try:
        return not file.stat().st_size
    except FileNotFoundError:
        return True


def _is_dead(file: Path) -> bool:
    """Whether the process of a file like ``counter_1234.db`` is gone."""
    pid = file.stem.rpartition("_")[2]
    return pid.isdigit() and not _lives(int(pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _place() -> Path:
    with suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
            return MEMORY
    return Path(tempfile.gettempdir())


def _remove_orphans(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX)
        if pid.isdigit() and not _lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the folder: with others who `wait` for it, or alone at once or not at all."""
    import fcntl  # only where Gunicorn runs

    with (folder / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
