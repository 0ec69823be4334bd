"""The control room: one page for whoever runs the game. It needs no script.

An administrator signs in with ``ADMIN_TOKEN``. The cookie holds a signed digest of it and nothing
else, so another token or another secret signs everybody out.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from itsdangerous import BadSignature, TimestampSigner
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from amazonia.errors import StoreDown, TooFast
from amazonia.ports.jobs import Job
from amazonia.services import Services
from amazonia.web.jobs import TheDesk, desk_now, download
from amazonia.web.operations import forget_caches, is_admin, whole_report
from amazonia.web.phrases import Phrases
from amazonia.web.session import TheServices, is_secure, services_now
from amazonia.web.visit import stranger

Json = dict[str, Any]

router = APIRouter(include_in_schema=False)

COOKIE = "amazonia_admin"
MAX_AGE = 8 * 3600
TRY_EVERY, TRIES = 3.0, 10
"""Seconds in which an address gets another try at the token, and how many it has at first."""
JOBS = 12
"""Jobs that the page lists, and as many that were given up."""
PATIENCE = 0.5
"""Seconds for which the page waits for the database; it is there all the same."""


# ── the door ────────────────────────────────────────────────────────────────────────────────────


async def signed_in(request: Request, services: TheServices) -> Services:
    """The services, for an administrator.

    Raises:
        HTTPException: 403, whoever asks is none.
    """
    if not _is_signed_in(request, services):
        raise HTTPException(403)
    return services


Admins = Annotated[Services, Depends(signed_in)]


@router.get("/admin")
async def admin(request: Request, services: Annotated[Services, Depends(services_now)]) -> Response:
    """The control room, or its door."""
    if not _is_signed_in(request, services):
        return _door(request, services)
    here = stranger(request)
    spent = await _looked(services)
    report = await whole_report(request, services)
    return here.page(
        "admin.html",
        report=report,
        mood=_mood(report),
        places=_places(here.t, report),
        voices=[_row(here.t, voice) for voice in report["checks"]["providers"]],
        up=ago(here.t, report["uptime_s"]),
        budget=_budget(here.t, services, spent),
        cleared=_cleared(request),
        jobs=await _jobs(here.t, request),
        cases=services.library.names(),
    )


@router.post("/admin/sign-in")
async def sign_in(request: Request, services: TheServices) -> Response:
    """Come in with the token."""
    client = request.client.host if request.client else "?"
    wait = await services.limits.wait(f"admin:{client}", TRY_EVERY, TRIES)
    if wait:
        raise TooFast(wait)
    if not is_admin(services, await _field(request, "token")):
        return _door(request, services, wrong=True)
    response = _back()
    response.set_cookie(
        COOKIE,
        _signer(services).sign(_badge(services)).decode(),
        max_age=MAX_AGE,
        path="/admin",
        httponly=True,
        samesite="strict",
        secure=is_secure(request),
    )
    return response


@router.post("/admin/sign-out")
async def sign_out(request: Request) -> Response:
    """Go out, and forget the cookie."""
    response = _back()
    response.delete_cookie(
        COOKIE, path="/admin", httponly=True, samesite="strict", secure=is_secure(request)
    )
    return response


# ── what can be done ────────────────────────────────────────────────────────────────────────────


@router.post("/admin/voices")
async def switch_voice(request: Request, services: Admins) -> Response:
    """Switch a provider off or on, in every process."""
    name, turn = await _field(request, "voice"), await _field(request, "turn")
    if name not in services.switches.names or turn not in {"on", "off"}:
        raise HTTPException(404)
    await services.switches.switch(name, on=turn == "on")
    return _back("#voices")


@router.post("/admin/clear-cache")
async def clear_cache(services: Admins) -> Response:
    """Begin anew."""
    cleared = await forget_caches(services)
    return _back(f"?replies={cleared['replies']}&duplicates={cleared['duplicates']}#caches")


@router.post("/admin/jobs")
async def order_job(request: Request, services: Admins, desk: TheDesk) -> Response:
    """Order a job from the page's own: a purge, or a case's replies before a lesson."""
    name, case = await _field(request, "job"), await _field(request, "case")
    if name not in {"purge", "preheat"} or (
        name == "preheat" and case not in services.library.names()
    ):
        raise HTTPException(404)
    arguments = {"case": case} if name == "preheat" else {}
    await desk.order(name, arguments, key=f"admin:{name}:{case}:{services.clock.now() // 5:.0f}")
    return _back("#jobs")


@router.post("/admin/jobs/{id}/retry")
async def retry_job(services: Admins, desk: TheDesk, id: str) -> Response:
    """Try a job anew that was given up."""
    del services
    if await desk.retry(id) is None:
        raise HTTPException(404)
    return _back("#jobs")


@router.get("/admin/jobs/{id}/file")
async def job_file(services: Admins, desk: TheDesk, id: str) -> Response:
    """The file that a job made."""
    del services
    return download(await desk.file(id))


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────


def _door(request: Request, services: Services, *, wrong: bool = False) -> Response:
    """The page that asks for the token, or says that there is none."""
    is_open = bool(services.settings.admin_token)
    status = 200 if is_open and not wrong else 403
    return stranger(request).page("admin_door.html", status, is_open=is_open, wrong=wrong)


def _back(where: str = "") -> Response:
    return RedirectResponse(f"/admin{where}", 303)


async def _field(request: Request, name: str) -> str:
    """A field of a small form; empty if it is not there."""
    fields = parse_qs((await request.body()).decode(errors="replace"))
    return fields.get(name, [""])[0].strip()


def _signer(services: Services) -> TimestampSigner:
    return TimestampSigner(services.secret, salt="amazonia.admin")


def _badge(services: Services) -> str:
    """What the cookie of an administrator holds: nothing that leads back to the token."""
    token = services.settings.admin_token.encode()
    return hmac.new(services.secret.encode(), token, "sha256").hexdigest()


def _is_signed_in(request: Request, services: Services) -> bool:
    if not services.settings.admin_token:
        return False
    try:
        badge = _signer(services).unsign(request.cookies.get(COOKIE, ""), max_age=MAX_AGE)
    except BadSignature:
        return False
    return hmac.compare_digest(badge, _badge(services).encode())


async def _looked(services: Services) -> tuple[int, int] | None:
    """What was spent today, if the database says so in time; switches are looked at as well."""
    with contextlib.suppress(StoreDown, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await services.switches.look()
            return await services.spent()
    return None


async def _jobs(t: Phrases, request: Request) -> list[Json] | None:
    """The jobs that were given up and the newest others, if the database says so in time."""
    desk = await desk_now(request)
    with contextlib.suppress(StoreDown, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            dead, newest = await desk.newest(JOBS, "dead"), await desk.newest(JOBS)
            shown = {job.id: job for job in (*dead, *newest)}
            return [_job(t, job, desk.services.clock.now()) for job in shown.values()]
    return None


def _job(t: Phrases, job: Job, now: float) -> Json:
    """A job as the page tells it."""
    name, about = f"admin.job_{job.name}", job.arguments.get("case", "")
    return {
        "id": job.id,
        "name": t(name) if name in t.table else job.name,
        "about": about,
        "status": job.status,
        "percent": round(job.progress * 100),
        "note": job.error or job.note,
        "when": t("admin.ago", time=ago(t, max(0.0, now - (job.ended_at or job.created_at)))),
        "file": f"/admin/jobs/{job.id}/file" if "file" in job.result else "",
    }


def _mood(report: Json) -> str:
    """How it is in a word: well, partly, badly."""
    if report["checks"]["database"] == "down":
        return "badly"
    return "well" if report["status"] == "ok" else "partly"


def _places(t: Phrases, report: Json) -> Json:
    """Where what processes share is kept, in words."""
    told = {name: report["checks"][name] for name in ("cache", "queue")}
    cache, queue = (place.replace(" ", "_") for place in told.values())
    keys = {"cache": f"admin.cache_{cache}", "queue": f"admin.queue_{queue}"}
    return {name: t(key) if key in t.table else told[name] for name, key in keys.items()}


def _row(t: Phrases, voice: Json) -> Json:
    """A provider as the page tells it."""
    why = f"admin.why_{voice['why']}"
    last, p95 = voice["last_success_s"], voice["p95_s"]
    return {
        **voice,
        "why": t(why) if why in t.table else voice["why"],
        "retry": ago(t, voice["retry_in_s"]) if voice["retry_in_s"] else "",
        "last": t("admin.ago", time=ago(t, last)) if last is not None else t("admin.never"),
        "p95": f"{number(t, p95, 2)} s" if p95 is not None else "—",
    }


def _budget(t: Phrases, services: Services, spent: tuple[int, int] | None) -> Json:
    """Tokens and money spent today, and their limits; empty where there is none."""
    settings = services.settings
    tokens, micros = spent or (0, 0)
    is_priced = settings.prompt_price or settings.reply_price
    return {
        "known": spent is not None,
        "tokens": number(t, tokens),
        "most_tokens": number(t, settings.day_tokens) if settings.day_tokens else "",
        "cost": number(t, micros / 1e6, 4) if is_priced else "",
        "most_cost": number(t, settings.day_cost, 2) if settings.day_cost else "",
    }


def _cleared(request: Request) -> Json | None:
    """What clearing the caches did, as the redirect after it says."""
    asked = request.query_params
    try:
        return {name: int(asked[name]) for name in ("replies", "duplicates")}
    except (KeyError, ValueError):
        return None


def number(t: Phrases, value: float, places: int = 0) -> str:
    """A number as the language writes it."""
    text = f"{value:,.{places}f}"
    return text if t.lang == "en" else text.translate(str.maketrans(",.", ".,"))


def ago(t: Phrases, seconds: float) -> str:
    """A span of time in its largest unit: 12 s, 3 min, 5 h, 2 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{number(t, seconds // size)} {unit}"
    return f"{number(t, seconds)} s"
