"""Serving: Gunicorn with a worker of ours, or one process of uvicorn. Each runs the same
application. Gunicorn and uvicorn are imported by who uses them: neither is there for the other,
and Gunicorn not on Windows."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from fastapi import FastAPI

from amazonia import log
from amazonia.ops import metrics, telemetry
from amazonia.serve.addresses import announce
from amazonia.serve.config import GRACE, Hooks, gunicorn_settings
from amazonia.settings import Settings, read_settings
from amazonia.web.app import create_app

if TYPE_CHECKING:
    from amazonia.serve.asgi import Worker

__all__ = [
    "GRACE",
    "Hooks",
    "Worker",
    "announce",
    "app",
    "gunicorn_settings",
    "run_gunicorn",
    "run_uvicorn",
]


def app() -> FastAPI:
    """The application, from the process's environment (for `gunicorn` and `uvicorn --factory`)."""
    settings = read_settings(os.environ)
    log.set_up(settings, metrics.count, telemetry.trace)
    return create_app(settings)


def run_gunicorn(
    settings: Settings, host: str, *, reload: bool = False, hooks: Hooks | None = None
) -> None:
    """Serve with Gunicorn until told to stop; on Windows, where it cannot run, with uvicorn."""
    if sys.platform == "win32":
        run_uvicorn(settings, host)
        return
    from amazonia.serve.processes import serve_with_gunicorn

    serve_with_gunicorn(settings, host, reload=reload, hooks=hooks)


def run_uvicorn(settings: Settings, host: str) -> None:
    """Serve with uvicorn, one process, until told to stop."""
    from amazonia.serve.single import serve_alone

    serve_alone(settings, host)


def __getattr__(name: str) -> object:
    """`Worker`, imported when it is asked for."""
    if name == "Worker":
        from amazonia.serve.asgi import Worker

        return Worker
    raise AttributeError(name)
