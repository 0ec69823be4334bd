"""What operators and the machines around the game call: health, and beginning anew."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from amazonia.ops import metrics
from amazonia.services import Services
from amazonia.web import models
from amazonia.web.answers import Json
from amazonia.web.session import TheServices


def admin_only(request: Request, services: Services) -> None:
    """Let only the administrator pass.

    Raises:
        HTTPException: 403, the request does not bear the token.
    """
    if not bears_token(request, services):
        raise HTTPException(403)


async def the_admin(request: Request, services: TheServices) -> None:
    """`admin_only` as a dependency."""
    admin_only(request, services)


ForAdmin: Final = Depends(the_admin)


router = APIRouter()

_NOT_NOW: Any = {"content": {"application/json": {}}}


@router.get("/health", responses={503: {"description": "Turns cannot be saved", **_NOT_NOW}})
async def health(request: Request, services: TheServices) -> Response:
    """Whether turns can be saved, and how everything else is. It waits for nothing."""
    report = await whole_report(request, services)
    return Json(report, 503 if report["checks"]["database"] == "down" else 200)


@router.get("/health/live")
async def health_live() -> Response:
    """The process serves."""
    return Json({"status": "ok"})


@router.get("/health/ready", responses={503: {"description": "Send turns elsewhere", **_NOT_NOW}})
async def health_ready(services: TheServices) -> Response:
    """The process may be sent turns."""
    if services.closing.is_set():
        return Json({"status": "closing"}, 503)
    if not await services.health.can_save():
        return Json({"status": "down"}, 503)
    return Json({"status": "ok"})


@router.post(
    "/api/clear-cache",
    dependencies=[ForAdmin],
    responses={403: {"model": models.Problem, "description": "Not the token"}},
)
async def clear_cache(services: TheServices) -> Response:
    """Forget kept replies and repeated questions, on every worker and instance."""
    return Json({"cleared": await forget_caches(services)})


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={403: {"model": models.Problem, "description": "Not from here"}},
)
async def read_metrics(request: Request, services: TheServices) -> Response:
    """Prometheus's text, of all processes of this machine, for it or for the administrator."""
    host = request.client.host if request.client else ""
    if not bears_token(request, services) and not metrics.is_local(host, request.headers):
        raise HTTPException(403)
    text = await asyncio.to_thread(metrics.exposition)
    return Response(text, media_type=metrics.CONTENT_TYPE)


async def whole_report(request: Request, services: Services) -> dict[str, Any]:
    """How this process is, the job queue included; within some 30 ms."""
    queue = asyncio.ensure_future(request.app.state.desk.queue())
    report = await services.health.report()
    report["checks"]["queue"] = await queue
    if await queue == "degraded":
        report["status"] = "degraded"
    return report


def bears_token(request: Request, services: Services) -> bool:
    """Whether a request bears the administrator's token."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_admin(services, given.strip())


def is_admin(services: Services, given: str) -> bool:
    """Whether a token is the administrator's; how long this takes tells nothing about it.

    Where no token is set, there is no administrator.
    """
    token = services.settings.admin_token
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


async def forget_caches(services: Services) -> dict[str, int]:
    """Begin anew: what a model said is asked for again, and a question asked again is a new one.

    Returns:
        How many kept replies were forgotten, and how many turns would have been duplicates. A turn
        that is still being answered stays one: asking again joins it.
    """
    window = services.settings.duplicate_window
    replies = await services.replies.clear()
    await services.epoch.move()
    since = services.clock.now() - window
    duplicates = await services.interviews.turns.forget_questions(since)
    return {"replies": replies, "duplicates": duplicates}
