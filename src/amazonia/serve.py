"""Serving: Gunicorn with our worker, or one process of uvicorn. Both run the same application."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from gunicorn.app.base import BaseApplication
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.gasgi import ASGIWorker

from amazonia import log
from amazonia.errors import BadSetting
from amazonia.services import migrate
from amazonia.settings import Settings, read_settings
from amazonia.web.app import create_app

BACKLOG = 4096
FIRST_REQUEST = 20.0
"""Seconds that a new connection may stay silent; browsers open some in advance."""
KEEPALIVE = 75
GRACE = 7.0
"""Seconds beyond a turn's deadline that a process has for finishing its turns."""


# ── the worker ──────────────────────────────────────────────────────────────────────────────────


# Gunicorn's stubs do not know what its asyncio worker and protocol really are.
_Protocol: Any = ASGIProtocol
_Worker: Any = ASGIWorker


class Protocol(_Protocol):  # type: ignore[misc]
    """A connection that knows when it is idle."""

    def connection_made(self, transport: Any) -> None:
        """Close it if no request comes soon."""
        super().connection_made(transport)
        self.worker.connections.add(self)
        self._silence = self.worker.loop.call_later(FIRST_REQUEST, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._silence.cancel()
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def close_if_idle(self) -> None:
        """Close it unless a request is being answered."""
        if self._awaiting_request and not self._finishing_calls:
            self._keepalive_timeout()

    def _give_up(self) -> None:
        if self.req_count <= 1:
            self.close_if_idle()


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
        await self._start_lifespan()
        for listener in self.sockets:
            server = await self.loop.create_server(
                lambda: Protocol(self), sock=listener.sock, backlog=self.cfg.backlog
            )
            self.servers.append(server)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            try:
                async with asyncio.timeout(1.0):
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

    async def _start_lifespan(self) -> None:
        from gunicorn.arbiter import Arbiter
        from gunicorn.asgi.lifespan import LifespanManager

        self.lifespan = LifespanManager(self.asgi, self.log, self.state)
        try:
            await self.lifespan.startup()
        except Exception as exc:
            self.log.exception("the application did not start")
            self.lifespan = None
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from exc


class Logger(GunicornLogger):
    """Gunicorn's messages, in the program's own format."""

    def setup(self, cfg: Any) -> None:
        """Hand every message to the root logger."""
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True


# ── Gunicorn ────────────────────────────────────────────────────────────────────────────────────


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """Gunicorn's configuration; `gunicorn_config.py` is this.

    Raises:
        BadSetting: a worker class that this version does not have.
    """
    if settings.worker_class == "gthread":
        raise BadSetting("GUNICORN_WORKER_CLASS: 'gthread' is not in this version: asgi or uvicorn")
    ours = settings.worker_class == "asgi"

    def on_starting(_: object) -> None:
        log.set_up(settings)
        migrate(settings)

    return {
        "bind": f"127.0.0.1:{settings.port}",
        "wsgi_app": "amazonia.serve:app()",
        "worker_class": "amazonia.serve.Worker" if ours else "uvicorn.workers.UvicornWorker",
        "workers": settings.workers,
        "preload_app": True,
        "backlog": BACKLOG,
        "keepalive": KEEPALIVE,
        "timeout": 60,
        "graceful_timeout": round(settings.turn_deadline + GRACE),
        "max_requests": settings.max_requests,
        "max_requests_jitter": settings.max_requests // 5,
        "asgi_disconnect_grace_period": 0,
        "asgi_lifespan": "on",
        "control_socket_disable": True,
        "logger_class": Logger,
        "loglevel": "warning",
        "limit_request_line": 8190,
        "on_starting": on_starting,
    }


def app() -> FastAPI:
    """The application, from the process's environment (for `gunicorn` and `uvicorn --factory`)."""
    settings = read_settings(os.environ)
    log.set_up(settings)
    return create_app(settings)


class _Gunicorn(BaseApplication):
    """Gunicorn without a command line of its own."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set what `gunicorn_settings` says."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """Build the application; before the fork, so that the cases are read once.

        What was read lives as long as the process: the garbage collector need not look at it.
        """
        application = create_app(self._settings)
        gc.freeze()
        return application


def run_gunicorn(settings: Settings, host: str, *, reload: bool = False) -> None:
    """Serve with Gunicorn until told to stop."""
    options = gunicorn_settings(settings)
    options["bind"] = f"{host}:{settings.port}"
    if reload:
        options |= {"reload": True, "preload_app": False}
    options["when_ready"] = lambda _: announce(host, settings.port)
    _Gunicorn(settings, options).run()


# ── uvicorn ─────────────────────────────────────────────────────────────────────────────────────


class _Uvicorn(uvicorn.Server):
    """uvicorn, whose endless streams end when it is told to go."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End endless streams, then stop as ever."""
        close_streams = getattr(self._application.state, "close_streams", None)
        if close_streams is not None:
            close_streams()
        super().handle_exit(sig, frame)


def run_uvicorn(settings: Settings, host: str) -> None:
    """Serve with uvicorn, one process, until told to stop."""
    log.set_up(settings)
    migrate(settings)
    application = create_app(settings)
    config = uvicorn.Config(
        application,
        host=host,
        port=settings.port,
        log_config=None,
        access_log=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEPALIVE,
        timeout_graceful_shutdown=round(settings.turn_deadline + GRACE),
    )
    announce(host, settings.port)
    _Uvicorn(config, application).run()


# ── addresses ───────────────────────────────────────────────────────────────────────────────────


def announce(host: str, port: int) -> None:
    """Say where the game is."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
    sys.stdout.write(f"Amazonia is ready: http://{shown}:{port}\n")
    if shown != host:
        sys.stdout.write(f"On this network:   http://{_lan_address()}:{port}\n")
    sys.stdout.flush()


def _lan_address() -> str:
    """This machine's address in its network. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
