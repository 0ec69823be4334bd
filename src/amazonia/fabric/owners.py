"""Which processes live, told by file locks: a lock ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import socket
import uuid
from hashlib import blake2s
from pathlib import Path

_UNSAFE = re.compile(r"[^\w.-]")


class FileOwners:
    """The `Owners` port, for processes of one machine that share a data folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        host = _UNSAFE.sub("_", socket.gethostname())[:40]
        self._site = _site(folder)
        self._token = f"{host}.{self._site}.{os.getpid()}.{secrets.token_hex(4)}"
        self._file = self._path(self._token).open("w", encoding="ascii")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    @property
    def token(self) -> str:
        """This process."""
        return self._token

    def is_here(self, token: str) -> bool:
        """Whether a process shares this folder, so that its lock tells of it."""
        return token.split(".")[-3:-2] == [self._site]

    def alive(self, token: str) -> bool:
        """Whether a process lives. The lock of a dead one is taken away."""
        if token == self._token:
            return True
        path = self._path(token)
        try:
            with path.open("r", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        path.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Say that this process is gone."""
        self._path(self._token).unlink(missing_ok=True)
        self._file.close()

    def _path(self, token: str) -> Path:
        return self._folder / f"{_UNSAFE.sub('_', token)}.lock"


def _site(folder: Path) -> str:
    """A name for a folder on a machine that runs; a copy of it on another has another name."""
    boot, place = Path("/proc/sys/kernel/random/boot_id"), folder.stat()
    machine = boot.read_text(encoding="ascii") if boot.exists() else str(uuid.getnode())
    return blake2s(f"{machine}{place.st_dev}/{place.st_ino}".encode(), digest_size=4).hexdigest()
