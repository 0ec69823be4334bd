"""The desk as a web page, for this machine only: `amazonia edit`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from amazonia.content.graph import draw
from amazonia.domain.case import Lang
from amazonia.studio.desk import Desk, ask, scene

PAGE = Path(__file__).parent / "page.html"
HOSTS = ["127.0.0.1", "localhost"]
"""Another name in a request is another site's page that tries to read from here."""
LONGEST = 64 * 1024


def create_desk(desk: Desk, lang: str) -> Starlette:
    """The application.

    Args:
        lang: of the findings and the page: pt-BR or en.
    """

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8").replace("{{lang}}", lang))

    async def status(_: Request) -> Response:
        good = desk.good
        return JSONResponse(
            {
                "version": desk.version,
                "state": desk.state,
                "faulty": desk.faulty,
                "ready": good is not None,
                "languages": list(good.case.words) if good else [],
                "faces": [who for who in good.case.characters if _face(who).is_file()]
                if good
                else [],
                "findings": [
                    {
                        "code": f.code,
                        "file": _near(Path(f.file), desk.folder),
                        "line": f.line,
                        "message": f.text(lang),
                        "steps": list(f.steps),
                    }
                    for f in desk.findings
                ],
            }
        )

    def _face(who: str) -> Path:
        return desk.folder / "art" / f"portrait-{who}.svg"

    async def look(request: Request) -> Response:
        return await _with_case(request, answer=False)

    async def question(request: Request) -> Response:
        return await _with_case(request, answer=True)

    async def _with_case(request: Request, *, answer: bool) -> Response:
        good = desk.good
        body = await request.body()
        if good is None or len(body) > LONGEST:
            return JSONResponse({"fault": "no case yet" if good is None else "too long"}, 409)
        try:
            given = await request.json()
            spoken = Lang(given.get("lang", ""))
            here = spoken if spoken in good.case.words else next(iter(good.case.words))
            if answer:
                return JSONResponse(await asyncio.to_thread(ask, good, here, given))
            return JSONResponse(scene(good, here, given.get("have", ())))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            return JSONResponse({"fault": f"not understood: {exc!r}"}, 400)

    async def drawing(request: Request) -> Response:
        good = desk.good
        if good is None:
            return Response(status_code=404)
        lang_ = Lang(request.query_params.get("lang", ""))
        here = lang_ if lang_ in good.case.words else next(iter(good.case.words))
        return Response(await asyncio.to_thread(draw, good.case, here), media_type="image/svg+xml")

    async def portrait(request: Request) -> Response:
        who = request.path_params["who"]
        known = desk.good is not None and who in desk.good.case.characters
        return FileResponse(_face(who)) if known and _face(who).is_file() else Response(None, 404)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = threading.Thread(target=desk.watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            desk.close()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/status", status),
            Route("/scene", look, methods=["POST"]),
            Route("/ask", question, methods=["POST"]),
            Route("/graph.svg", drawing),
            Route("/portrait/{who}.svg", portrait),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        lifespan=lifespan,
    )


def _near(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
