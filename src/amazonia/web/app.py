"""The web application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from amazonia import __version__
from amazonia.groundwork import open_library
from amazonia.jobs.opening import open_desk
from amazonia.ops import telemetry, watching
from amazonia.ops.requests import Requests
from amazonia.services import Library, open_services
from amazonia.settings import Settings
from amazonia.web import admin, api, class_pages, classes, jobs, operations, problems, reporting
from amazonia.web.assets import Assets
from amazonia.web.description import describe
from amazonia.web.security import Cookies, Guard

STATIC = Path(__file__).parent / "static"
PORTRAITS = ("portrait-*.svg",)
"""The drawings of a case that anyone may see; maps hold marks that a team has to earn."""


class _Application(FastAPI):
    """FastAPI, with a door before everything: before the answers to its own faults as well."""

    def build_middleware_stack(self) -> ASGIApp:
        """Count and name every request, and guard every answer."""
        settings: Settings = self.state.settings
        guard = Guard(super().build_middleware_stack(), settings.asset_url, settings.allowed_hosts)
        return Requests(guard, time.monotonic, telemetry.traces)


def create_app(settings: Settings, library: Library | None = None) -> FastAPI:
    """Build the application. Nothing is opened before it serves, but the cases.

    Args:
        library: the cases, if they were opened already.
    """
    cases = library or open_library(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            telemetry.telemetry(settings),
            open_services(settings, cases) as services,
            open_desk(services) as desk,
        ):
            app.state.services = services
            app.state.desk = desk
            app.state.cookies = Cookies(services.secret, settings.older_keys)
            app.state.close_streams = services.closing.set
            interviews, clock = services.interviews, services.clock
            readings = watching.readings_of(
                interviews.voice, interviews.in_flight, services.database, services.link
            )
            async with watching.watching(readings, clock.monotonic):
                yield

    app = _Application(
        title="Amazonia",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # FastAPI's own would export the texts of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    pages = import_module("amazonia.web.pages") if find_spec("amazonia.web.pages") else None
    problems.install(app, pages)
    # Not `include_router`: every request would look for its route twice.
    calls = (api.router, classes.router, reporting.calls, jobs.router)
    routers = (*calls, operations.router, admin.router)
    for router in (
        *routers,
        reporting.pages,
        class_pages.router,
        *([pages.router] if pages else []),
    ):
        app.router.routes.extend(router.routes)
    describe(app)
    _mount_files(app, settings, cases)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    return app


def _mount_files(app: FastAPI, settings: Settings, cases: Library) -> None:
    """Serve static files and the cases' drawings; `app.state` gives their addresses."""
    watch, origin = settings.env == "development", settings.asset_url
    app.state.assets = Assets(STATIC, "/static", origin=origin, watch=watch)
    app.mount("/static", app.state.assets)
    app.state.art = {}
    for name in cases.names():
        prefix, folder = f"/art/{name}", cases.folder / name / "art"
        app.state.art[name] = Assets(folder, prefix, PORTRAITS, origin, watch=watch)
        app.mount(prefix, app.state.art[name])
