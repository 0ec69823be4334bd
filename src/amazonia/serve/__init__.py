"""Serving: Gunicorn with a worker of ours, or one process of uvicorn. Each runs the same
application. What serves is imported when it is needed: Gunicorn and uvicorn are there for the
other no more than on Windows, and meanwhile another process does what comes before."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from amazonia.serve import lean  # noqa: F401 - first
from amazonia.serve.config import GRACE, Hooks, gunicorn_settings
from amazonia.serve.preparing import Preparing
from amazonia.settings import Settings, read_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from amazonia.serve.asgi import Worker

__all__ = ["GRACE", "Hooks", "Worker", "app", "gunicorn_settings", "run_gunicorn", "run_uvicorn"]


def app() -> FastAPI:
    """The application, from the process's environment (for `gunicorn` and `uvicorn --factory`)."""
    settings = read_settings(os.environ)
    preparing = Preparing(settings)
    from amazonia import log
    from amazonia.ops import metrics, telemetry
    from amazonia.web.app import create_app

    library = preparing.library()
    log.set_up(settings, metrics.count, telemetry.trace)
    return create_app(settings, library)


def run_gunicorn(
    settings: Settings, host: str, *, reload: bool = False, hooks: Hooks | None = None
) -> None:
    """Serve with Gunicorn until told to stop; on Windows, where it cannot run, with uvicorn."""
    if sys.platform == "win32":
        run_uvicorn(settings, host)
        return
    preparing = Preparing(settings)
    from amazonia.serve.processes import serve_with_gunicorn

    serve_with_gunicorn(settings, preparing.library(), host, reload=reload, hooks=hooks)


def run_uvicorn(settings: Settings, host: str) -> None:
    """Serve with uvicorn, one process, until told to stop."""
    preparing = Preparing(settings)
    from amazonia.serve.single import serve_alone

    serve_alone(settings, preparing.library(), host)


def __getattr__(name: str) -> object:
    """`Worker`, imported when it is asked for."""
    if name == "Worker":
        from amazonia.serve.asgi import Worker

        return Worker
    raise AttributeError(name)
