"""Processes of one machine tell each other that something was written, so that nobody has to poll.

A bell is a datagram socket in Linux's abstract namespace, named after its process's owner token. A
ring that is lost does no harm: who waits looks now and then anyway.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PEERS_FOR = 1.0
"""Seconds for which the list of processes is good."""
LONGEST = 256
"""Bytes of a ring."""


class Bell:
    """The bell of this process, and the way to those of the others.

    Args:
        folder: where the processes keep their locks (see `amazonia.fabric.owners`).
        token: this process's.
    """

    def __init__(self, folder: Path, token: str) -> None:
        self._folder = folder
        self._token = token
        self._heard: list[Callable[[str], None]] = []
        self._peers: tuple[str, ...] = ()
        self._looked_at = -PEERS_FOR
        self._socket: socket.socket | None = None
        if sys.platform == "linux":
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._socket.bind(_address(token))
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    @property
    def works(self) -> bool:
        """Whether other processes can be heard."""
        return self._socket is not None

    def on_ring(self, heard: Callable[[str], None]) -> None:
        """Call this with what was rung."""
        self._heard.append(heard)

    def ring(self, what: str) -> None:
        """Tell every other process of this machine."""
        if self._socket is None:
            return
        data = what.encode()
        for peer in self._others():
            with suppress(OSError):  # it is gone, or it has a thousand rings to read
                self._socket.sendto(data, _address(peer))

    def close(self) -> None:
        """Hear no more."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _others(self) -> tuple[str, ...]:
        now = time.monotonic()
        if now - self._looked_at >= PEERS_FOR:
            self._looked_at = now
            names = (path.stem for path in self._folder.glob("*.lock"))
            self._peers = tuple(name for name in names if name != self._token)
        return self._peers

    def _read(self) -> None:
        while self._socket is not None:
            try:
                what = self._socket.recv(LONGEST).decode(errors="replace")
            except BlockingIOError:
                return
            for heard in self._heard:
                heard(what)


def _address(token: str) -> str:
    return f"\0amazonia/{token}"[:107]
