"""The calls around a class: open it, come back to it, lead it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amazonia.classroom.classes import Opened, read_class_code
from amazonia.errors import UnknownCode
from amazonia.play.sessions import show_code
from amazonia.ports.classes import Classroom
from amazonia.web import models
from amazonia.web.answers import Json
from amazonia.web.operations import ForAdmin
from amazonia.web.session import TheServices, cookies_of, is_secure
from amazonia.web.teaching import (
    ENTER_EVERY,
    ENTERS,
    TheClass,
    address_of,
    limit,
)

router = APIRouter()

OPEN_EVERY, OPENS = 10.0, 40


@router.post("/api/classes", status_code=201, responses={201: {"model": models.ClassAnswer}})
async def open_class(
    request: Request, services: TheServices, body: models.ClassBody | None = None
) -> Response:
    """Open a class; this browser is its teacher's from now on."""
    body = body or models.ClassBody()
    await limit(services, f"open:{address_of(request)}", OPEN_EVERY, OPENS)
    case = body.case or services.sessions.default_case()
    opened = await services.registry.open(case, body.lang, body.hours * 3600, body.passphrase)
    return _opened(request, opened, 201)


@router.post("/api/classes/enter")
async def enter_class(request: Request, services: TheServices, body: models.EnterBody) -> Response:
    """Come back to a class, by its private link, its passphrase or its recovery code."""
    where = address_of(request)
    await limit(services, f"enter:{where}", ENTER_EVERY / 2, 2 * ENTERS)
    if body.key:
        room = await services.registry.by_key(body.key)
    else:
        await limit(services, f"enter:{body.code.strip().upper()[:8]}", ENTER_EVERY, ENTERS)
        room = await services.registry.by_passphrase(body.code, body.passphrase)
    await services.limits.give_back(f"enter:{where}", ENTER_EVERY / 2)
    response = Json({"code": room.code})
    cookies_of(request).set_class(response, room, secure=is_secure(request))
    return response


@router.post("/api/classes/{code}/renew", responses={200: {"model": models.ClassAnswer}})
async def renew_class(request: Request, services: TheServices, room: TheClass) -> Response:
    """Make a new private link and recovery code; whoever holds the old ones is out."""
    return _opened(request, await services.registry.renew(room), 200)


@router.post(
    "/api/classes/{code}/reset",
    dependencies=[ForAdmin],
    responses={
        200: {"model": models.ClassAnswer},
        403: {"model": models.Problem, "description": "Not the token"},
    },
)
async def reset_class(request: Request, services: TheServices, code: str) -> Response:
    """For the administrator, when link, passphrase and recovery code are lost."""
    room = await services.registry.classes.by_code(read_class_code(code))
    if room is None:
        raise UnknownCode("no such class")
    return _opened(request, await services.registry.renew(room, ""), 200, badge=False)


def links(request: Request, room: Classroom, key: str = "") -> dict[str, str]:
    """Where teams join, and where the teacher comes back."""
    origin = str(request.base_url)
    found = {"code": room.code, "join_url": f"{origin}j/{room.code}"}
    return {**found, "teacher_url": f"{origin}class/enter#{key}"} if key else found


def _opened(request: Request, opened: Opened, status: int, *, badge: bool = True) -> Response:
    told = {
        **links(request, opened.room, opened.key),
        "recovery_code": show_code(opened.recovery),
        "lang": opened.room.lang,
        "ends_at": opened.room.ends_at,
    }
    response = Json(told, status)
    if badge:
        cookies_of(request).set_class(response, opened.room, secure=is_secure(request))
    return response
