"""Work that nobody waits for: ordered and retried by the administrator, watched by its owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from amazonia.jobs.desk import Desk
from amazonia.ports import Json as JsonObject
from amazonia.ports import StreamEvent
from amazonia.ports.jobs import Job, JobFile
from amazonia.web import models
from amazonia.web.answers import Json
from amazonia.web.operations import ForAdmin, bears_token
from amazonia.web.session import TheServices, cookies_of, services_of
from amazonia.web.sse import event_stream, last_event_id

NEWEST = 50
"""Jobs that are listed."""

router = APIRouter()


async def desk_now(request: Request) -> Desk:
    """The desk that the app opened."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_now)]


# ── who may see what ────────────────────────────────────────────────────────────────────────────


async def _is_admin(request: Request, owner: str) -> bool:
    """The administrator's jobs are nobody else's."""
    del request, owner  # who bears the token was let in before
    return False


async def _is_teacher(request: Request, owner: str) -> bool:
    """A class's jobs are its teacher's."""
    room = await services_of(request).registry.classes.get(owner)
    return room is not None and cookies_of(request).reads_class(request, room)


OWNERS: Mapping[str, Callable[[Request, str], Awaitable[bool]]] = {
    "admin": _is_admin,
    "class": _is_teacher,
}
"""For each kind of owner, as in `class:4F7K`: whether a request comes from the one of that name."""


async def seen_by_owner(request: Request, services: TheServices, desk: TheDesk, id: str) -> Job:
    """The job of that id, for its owner and for the administrator.

    Raises:
        HTTPException: 404, there is none, or none that concerns whoever asks.
    """
    job = await desk.get(id)
    if job is not None:
        if bears_token(request, services):
            return job
        kind, _, name = job.owner.partition(":")
        if kind in OWNERS and await OWNERS[kind](request, name):
            return job
    raise HTTPException(404)


SeenJob = Annotated[Job, Depends(seen_by_owner)]


# ── the administrator ───────────────────────────────────────────────────────────────────────────

ADMIN: dict[int | str, dict[str, Any]] = {
    403: {"model": models.Problem, "description": "Not the token"}
}


@router.post("/api/admin/jobs", status_code=202, responses=ADMIN, dependencies=[ForAdmin])
async def order_job(desk: TheDesk, body: models.JobBody) -> Response:
    """Order a job; the same key again is the same job, while it is under way."""
    job = await desk.order(body.name, body.arguments, key=body.key)
    return Json(job_view(job), 202, {"Location": f"/api/jobs/{job.id}"})


@router.get("/api/admin/jobs", responses=ADMIN, dependencies=[ForAdmin])
async def list_jobs(desk: TheDesk) -> Response:
    """The newest jobs, and those that were given up."""
    newest, dead = await desk.newest(NEWEST), await desk.newest(NEWEST, "dead")
    return Json({"jobs": [job_view(j) for j in newest], "dead": [job_view(j) for j in dead]})


@router.post(
    "/api/admin/jobs/{id}/retry", status_code=202, responses=ADMIN, dependencies=[ForAdmin]
)
async def retry_job(desk: TheDesk, id: str) -> Response:
    """Try a job anew that was given up; any other stays as it is."""
    job = await desk.retry(id)
    if job is None:
        raise HTTPException(404)
    return Json(job_view(job), 202)


# ── its owner ───────────────────────────────────────────────────────────────────────────────────


@router.get("/api/jobs/{id}")
async def get_job(
    request: Request, desk: TheDesk, job: SeenJob, last: Annotated[int | None, Query()] = None
) -> Response:
    """A job as it is; as `text/event-stream` whenever it moves: `job`, and `end` when over."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        return Json(job_view(job))
    seen = last_event_id(request, last)
    if seen and job.status in {"done", "dead"}:
        return Response(status_code=204)  # told already: a browser asks no more
    return event_stream(_events(desk, job, seen), {})


@router.get("/api/jobs/{id}/file")
async def get_job_file(desk: TheDesk, job: SeenJob) -> Response:
    """The file that a job made, while it is kept."""
    return download(await desk.file(job.id))


async def _events(desk: Desk, job: Job, seen: int) -> AsyncIterator[StreamEvent]:
    async for now in desk.follow(job.id):
        seen += 1
        yield StreamEvent(seen, "end" if now.status in {"done", "dead"} else "job", job_view(now))


def download(file: JobFile | None) -> Response:
    """A file to be saved.

    Raises:
        HTTPException: 404, there is none, or it is too old.
    """
    if file is None:
        raise HTTPException(404)
    named = f"attachment; filename*=UTF-8''{quote(file.name)}"
    headers = {"Content-Disposition": named, "Cache-Control": "no-store"}
    return Response(file.body, headers=headers, media_type=file.kind)


def job_view(job: Job) -> JsonObject:
    """A job as it is shown to whoever may see it."""
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "progress": round(job.progress, 3),
        "note": job.note,
        "result": job.result,
        "file": f"/api/jobs/{job.id}/file" if "file" in job.result else None,
        "error": job.error,
        "attempt": job.attempt,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
    }
