"""Gunicorn without a command line of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from gunicorn.app.base import BaseApplication

from amazonia.groundwork import Library
from amazonia.serve.addresses import announce
from amazonia.serve.config import Hooks, gunicorn_settings
from amazonia.settings import Settings
from amazonia.web.app import create_app


class _Gunicorn(BaseApplication):
    def __init__(
        self, settings: Settings, library: Library | None, options: dict[str, Any]
    ) -> None:
        self._settings = settings
        self._library = library
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set what `gunicorn_settings` says."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """Build the application; before the fork, so that the cases are read once."""
        return create_app(self._settings, self._library)


def serve_with_gunicorn(
    settings: Settings,
    library: Library,
    host: str,
    *,
    reload: bool = False,
    hooks: Hooks | None = None,
) -> None:
    """Serve with Gunicorn until told to stop; with `reload` each worker reads the cases anew."""
    hooks = hooks or Hooks()

    def ready(arbiter: Any) -> None:
        announce(host, settings.port)
        hooks.ready(arbiter)

    options = gunicorn_settings(settings, replace(hooks, ready=ready))
    options["bind"] = f"{host}:{settings.port}"
    if reload:
        options |= {"reload": True, "preload_app": False}
    _Gunicorn(settings, None if reload else library, options).run()
