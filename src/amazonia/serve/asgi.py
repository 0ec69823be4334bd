"""The worker of choice: Gunicorn's asyncio worker, which waits for no slow client."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers.gasgi import ASGIWorker

FIRST_REQUEST = 20.0
"""Seconds that a new connection may stay silent; browsers open some in advance."""
HEADERS = 10.0
"""Seconds from a request's first byte to the end of its headers."""
BODY = 20.0
"""Seconds from there to the end of its body; the longest one is some kilobytes."""
HEARTBEAT = 1.0
"""Seconds between two signs of life to the first process."""

# Gunicorn's stubs do not know what its asyncio worker and protocol really are.
_Protocol: Any = ASGIProtocol
_Worker: Any = ASGIWorker


class Protocol(_Protocol):  # type: ignore[misc]
    """A connection that knows when it is idle, and whose requests arrive in time or not at all."""

    _limit: asyncio.TimerHandle | None = None
    _in_headers = False

    def connection_made(self, transport: Any) -> None:
        """Close it if no request comes soon."""
        super().connection_made(transport)
        self.worker.connections.add(self)
        self._allow(FIRST_REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._allow(None)
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def close_if_idle(self) -> None:
        """Close it unless a request is being answered."""
        if self._awaiting_request and not self._finishing_calls:
            self._keepalive_timeout()

    def _allow(self, seconds: float | None) -> None:
        """Give the client that long for its next step; None: the step is ours."""
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None
        if seconds is not None:
            self._limit = self.worker.loop.call_later(seconds, self._keepalive_timeout)

    # What follows is called by Gunicorn as bytes arrive.

    def _feed_callback_parser(self, data: bytes) -> bool:
        if self._current_request is None and not self._in_headers:
            self._in_headers = True
            self._allow(HEADERS)
        return bool(super()._feed_callback_parser(data))

    def _on_headers_complete(self) -> bool:
        self._in_headers = False
        self._allow(BODY)
        return bool(super()._on_headers_complete())

    def _on_message_complete(self) -> None:
        self._allow(None)
        super()._on_message_complete()


class Worker(_Worker):  # type: ignore[misc]
    """Gunicorn's asyncio worker, which besides listens again with the whole backlog, leaves idle
    connections and endless streams when it is told to go, and goes at once when they are gone."""

    alive: bool
    lifespan: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Protocol] = set()
        self._going: asyncio.Event | None = None

    def handle_exit_signal(self) -> None:
        """SIGTERM: stop when what is under way is answered."""
        super().handle_exit_signal()
        if self._going is not None:
            self._going.set()

    async def _serve(self) -> None:
        self._going = asyncio.Event()
        beating = asyncio.create_task(self._beat())
        await self._start_lifespan()
        for listener in self.sockets:
            server = await self.loop.create_server(
                lambda: Protocol(self), sock=listener.sock, backlog=self.cfg.backlog
            )
            self.servers.append(server)
        while self.alive and self.ppid == os.getppid():
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._going.wait()
            except TimeoutError:
                continue
        self.alive = False
        close_streams = getattr(self.asgi.state, "close_streams", None)
        if close_streams is not None:
            close_streams()
        for connection in list(self.connections):
            connection.close_if_idle()
        await self._shutdown()
        beating.cancel()

    async def _beat(self) -> None:
        """Be alive to the end: turns that are answered before it goes may outlast the timeout."""
        while True:
            self.notify()
            await asyncio.sleep(HEARTBEAT)

    async def _start_lifespan(self) -> None:
        self.lifespan = LifespanManager(self.asgi, self.log, self.state)
        try:
            await self.lifespan.startup()
        except Exception as exc:
            self.log.exception("the application did not start")
            self.lifespan = None
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from exc
