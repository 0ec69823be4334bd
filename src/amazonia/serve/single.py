"""One process of uvicorn: where Gunicorn cannot run, or where one process is enough."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from amazonia import log
from amazonia.groundwork import Library
from amazonia.ops import metrics, telemetry
from amazonia.serve.addresses import announce
from amazonia.serve.config import BACKLOG, KEEPALIVE, graceful_timeout
from amazonia.settings import Settings
from amazonia.web.app import create_app


class Server(uvicorn.Server):
    """uvicorn, whose endless streams end when it goes, for whatever reason."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End endless streams, then stop as ever."""
        state = getattr(self.config.app, "state", None)
        close_streams = getattr(state, "close_streams", None)
        if close_streams is not None:
            close_streams()
        await super().shutdown(sockets)


def config_of(application: FastAPI, graceful: int) -> uvicorn.Config:
    """How uvicorn serves an application.

    Args:
        graceful: seconds that it has for answering what is under way when it goes.
    """
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEPALIVE,
        timeout_graceful_shutdown=graceful,
    )


def serve_alone(settings: Settings, library: Library, host: str) -> None:
    """Serve with uvicorn, one process, until told to stop."""
    log.set_up(settings, metrics.count, telemetry.trace)
    config = config_of(create_app(settings, library), graceful_timeout(settings))
    config.host, config.port = host, settings.port
    announce(host, settings.port)
    Server(config).run()
