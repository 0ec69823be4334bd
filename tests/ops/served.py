"""The game as a process of its own, with ids, metrics and traces around it, for tests."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

from amazonia import log
from amazonia.ops import metrics, telemetry, watching
from amazonia.ops.requests import Requests
from amazonia.services import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app


async def _metrics(_: Any) -> Response:
    return Response(await asyncio.to_thread(metrics.exposition), media_type=metrics.CONTENT_TYPE)


def main() -> None:
    """Serve on the port that is given, until told to stop."""
    settings = read_settings(os.environ)
    log.set_up(settings, metrics.count, telemetry.trace)
    migrate(settings)
    app = create_app(settings)
    inside = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with telemetry.telemetry(settings), inside(app) as state:
            voice = app.state.services.interviews.voice
            readings = watching.readings_of(voice, lambda: 0)
            async with watching.watching(readings, time.monotonic):
                yield state

    app.router.lifespan_context = lifespan
    app.router.add_route("/metrics", _metrics)
    app.add_middleware(Requests, monotonic=time.monotonic, traces=telemetry.traces)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)


if __name__ == "__main__":
    main()
