"""Processes tell each other that something is new, so that nobody has to look again and again.

Those of one machine by a datagram socket in Linux's abstract namespace, named after the process's
owner token; those of other machines by a bell that reaches far. A ring may bring what is new along.
One that is lost does no harm: who waits looks now and then anyway.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

PEERS_FOR = 1.0
"""Seconds for which the list of processes is good."""
LONGEST = 32_768
"""Bytes of a ring; one that would be longer brings nothing along."""

Heard = Callable[[str, str], None]
"""Is told what was rung about, and what the ring brought along, if anything."""


class FarBell(Protocol):
    """A bell that every process hears, on whichever machine."""

    @property
    def is_well(self) -> bool:
        """Whether rings go out and come in at present."""
        ...

    def ring(self, what: str, text: str) -> None:
        """Tell every process that follows this."""
        ...

    def follow(self, what: str) -> None:
        """Hear of this in the next moments, rung by others."""
        ...

    def on_ring(self, heard: Heard) -> None:
        """Call this with what was rung."""
        ...


class Bell:
    """The bell of this process, and the way to those of the others.

    Args:
        folder: where the processes keep their locks (see `amazonia.fabric.owners`).
        token: this process's.
        far: reaches the processes of other machines.
        alone: there are none.
    """

    def __init__(
        self, folder: Path, token: str, far: FarBell | None = None, *, alone: bool = True
    ) -> None:
        self._folder = folder
        self._token = token
        self._far = far
        self._alone = alone
        self._heard: list[Heard] = []
        self._peers: tuple[str, ...] = ()
        self._looked_at = -PEERS_FOR
        self._socket: socket.socket | None = None
        if far is not None:
            far.on_ring(self._tell)
        if sys.platform == "linux":
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._socket.bind(_address(token))
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    @property
    def reaches_all(self) -> bool:
        """Whether every other process can be heard."""
        if self._far is not None and self._far.is_well:
            return True
        return self._socket is not None and self._alone

    def on_ring(self, heard: Heard) -> None:
        """Call this with what was rung."""
        self._heard.append(heard)

    def follow(self, what: str) -> None:
        """Hear of this in the next moments, also from far away."""
        if self._far is not None:
            self._far.follow(what)

    def ring(self, what: str, text: str = "") -> None:
        """Tell every other process that something is new, and perhaps what."""
        if self._far is not None:
            self._far.ring(what, text)
        if self._socket is None:
            return
        data = f"{what}\n{text}".encode()
        if len(data) > LONGEST:
            data = f"{what}\n".encode()
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
                what, _, text = self._socket.recv(LONGEST).decode(errors="replace").partition("\n")
            except BlockingIOError:
                return
            self._tell(what, text)

    def _tell(self, what: str, text: str) -> None:
        for heard in self._heard:
            heard(what, text)


def _address(token: str) -> str:
    return f"\0amazonia/{token}"[:107]
