"""Clients that a thread waits for, and how long it may."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


class Deadlines:
    """Cuts off clients that neither send nor take in time; a blocked thread is freed by that.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until: dict[socket.socket, float] = {}

    def set(self, client: socket.socket, seconds: float) -> None:
        """Give a client that long, from now."""
        with self._lock:
            self._until[client] = self._monotonic() + seconds

    def lift(self, client: socket.socket) -> None:
        """It did what it had to."""
        with self._lock:
            self._until.pop(client, None)

    @contextlib.contextmanager
    def within(self, client: socket.socket, seconds: float) -> Iterator[None]:
        """Give it that long for what happens here."""
        self.set(client, seconds)
        try:
            yield
        finally:
            self.lift(client)

    def enforce(self) -> None:
        """Cut off who is late; to be called every second or so."""
        now = self._monotonic()
        with self._lock:
            late = [client for client, until in self._until.items() if until <= now]
            for client in late:
                del self._until[client]
        for client in late:
            with contextlib.suppress(OSError):  # it went by itself
                client.shutdown(socket.SHUT_RDWR)
