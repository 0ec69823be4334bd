"""`gthread`, the old cure's worker: threads that serve a request each, of the same application."""

from __future__ import annotations

import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.workers.gthread import ThreadWorker as GunicornThreadWorker

from amazonia.serve.asgi import FIRST_REQUEST, HEADERS
from amazonia.serve.bridge import Bridge
from amazonia.serve.deadlines import Deadlines

# Gunicorn's stubs do not know what its threaded worker really is.
_Worker: Any = GunicornThreadWorker


class ThreadWorker(_Worker):  # type: ignore[misc]
    """Gunicorn's threaded worker, in whose threads no client waits but for its own reply."""

    def load_wsgi(self) -> None:
        """Take the ASGI application, and put threads in front of it."""
        self._asgi = self.app.wsgi()
        self._deadlines = Deadlines(time.monotonic)
        self._bridge = Bridge(self._asgi, max(1, self.cfg.threads - 1), self._deadlines)
        self.wsgi = self._bridge.answer

    def run(self) -> None:
        """Serve until told to stop; what is under way is answered, then the application ends."""
        self._bridge.start()
        lifespan = self._begin_lifespan()
        try:
            super().run()
            self._bridge.run(lifespan.shutdown(), self.notify)
        finally:
            self._bridge.stop()

    def notify(self) -> None:
        """A sign of life, if the loop gave one: a process whose loop hangs is replaced."""
        self._deadlines.enforce()
        if self._bridge.is_alive():
            super().notify()

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection a thread once it has sent something, not as soon as it is there."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + FIRST_REQUEST
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, readable)

    def handle(self, conn: Any) -> Any:
        """Serve a request, whose headers come in time; the bridge sees to the rest."""
        self._deadlines.set(conn.sock, HEADERS)
        try:
            return super().handle(conn)
        finally:
            self._deadlines.lift(conn.sock)

    def _cap_keepalive(self, deadline: float) -> None:
        """It is told to go: endless streams end, and who is silent is waited for no longer."""
        self._bridge.soon(getattr(self._asgi.state, "close_streams", bool))
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)
        super()._cap_keepalive(deadline)

    def _begin_lifespan(self) -> LifespanManager:
        async def begin() -> LifespanManager:
            lifespan = LifespanManager(self._asgi, self.log, self._bridge.state)
            await lifespan.startup()
            return lifespan

        try:
            begun: LifespanManager = self._bridge.run(begin(), self.notify)
        except Exception as exc:
            self.log.exception("the application did not start")
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from exc
        return begun
