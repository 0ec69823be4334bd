"""uvicorn as a worker of Gunicorn. Its own is deprecated, and shows no sign of life as it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import uvloop
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker as GunicornWorker

from amazonia.serve.asgi import HEARTBEAT
from amazonia.serve.single import Server, config_of

# Gunicorn's stubs do not know what its workers really are.
_Worker: Any = GunicornWorker


class _Server(Server):
    """uvicorn, which ends by itself when it is told to: its process was not killed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to what the first process says."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


class UvicornWorker(_Worker):  # type: ignore[misc]
    """One process of uvicorn, which Gunicorn starts, watches and replaces."""

    def init_signals(self) -> None:
        """Leave signals to uvicorn; all but the one that asks to open the log files anew."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, self.handle_usr1)
        signal.siginterrupt(signal.SIGUSR1, False)

    def run(self) -> None:
        """Serve until told to stop."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        config = config_of(self.wsgi, self.cfg.graceful_timeout)
        config.backlog, config.timeout_keep_alive = self.cfg.backlog, self.cfg.keepalive
        if self.max_requests < sys.maxsize:
            config.limit_max_requests = self.max_requests  # with its jitter
        server = _Server(config)
        beating = asyncio.create_task(self._beat(server))
        await server.serve([listener.sock for listener in self.sockets])
        beating.cancel()
        if not server.started:
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR)

    async def _beat(self, server: Server) -> None:
        """Be alive to the end, and end with the first process."""
        while True:
            self.notify()
            server.should_exit = server.should_exit or self.ppid != os.getppid()
            await asyncio.sleep(HEARTBEAT)
