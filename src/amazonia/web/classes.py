"""The calls around a class: open it, come back to it, lead it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from amazonia.classroom.classes import Opened, read_class_code
from amazonia.classroom.live import room_view
from amazonia.classroom.missing import told
from amazonia.classroom.notices import voter
from amazonia.domain.case import CharacterId
from amazonia.errors import UnknownCode
from amazonia.play.sessions import show_code
from amazonia.ports.classes import Classroom
from amazonia.web import models
from amazonia.web.answers import Json
from amazonia.web.commands import obey, team_of
from amazonia.web.operations import ForAdmin
from amazonia.web.security import device_of
from amazonia.web.session import TheServices, TheTeam, cookies_of, is_secure
from amazonia.web.sse import EVENTS, event_stream, until
from amazonia.web.teaching import (
    ENTER_EVERY,
    ENTERS,
    TheClass,
    address_of,
    limit,
)

router = APIRouter()

OPEN_EVERY, OPENS = 10.0, 40
MOST_READ = 200
"""Turns of a team that a teacher's page shows."""


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


# ── following ───────────────────────────────────────────────────────────────────────────────────


@router.get("/api/classes/{code}/live", response_class=Response, responses={200: EVENTS})
async def follow_class(services: TheServices, room: TheClass) -> Response:
    """`class` and `teams` as they move: everything at first, then what changed."""
    board = services.lessons.boards.follow(room.id)
    return event_stream(until(services.closing, board), {})


@router.get("/api/classes/{code}/board")
async def class_board(services: TheServices, room: TheClass, least: int = 2) -> Response:
    """How many teams have each clue; one that fewer than `least` have is not named."""
    return Json(await services.lessons.boards.evidence(room, max(1, least)))


@router.get("/api/classes/{code}/teams/{team_id}")
async def read_team(services: TheServices, room: TheClass, team_id: str) -> Response:
    """What a team asked and was answered, what it misses, why it is marked."""
    team = await team_of(services, room, team_id)
    classes, case = services.registry.classes, services.library.case(team.case_id)
    words = case.words[team.lang]
    said = await classes.conversation(team.id, MOST_READ)
    found = await services.lessons.steps.find(case, team.state)
    flags = (await classes.flags([team.id])).get(team.id, [])
    return Json(
        {
            "id": team.id,
            "name": team.name,
            "resume_code": show_code(team.resume_code),
            "missing": told(case, words, found.move),
            "clues": [words.clues[clue].title for clue in team.state.clues if clue in words.clues],
            "talk": [
                {
                    "who": words.characters[CharacterId(one.character)].short,
                    "message": one.message,
                    "reply": one.reply,
                    "at": one.at,
                }
                for one in said
                if one.character in words.characters
            ],
            "flags": [
                {"kind": flag.kind, "message": flag.message, "at": flag.at, "seen_at": flag.seen_at}
                for flag in flags
            ],
        }
    )


# ── leading ─────────────────────────────────────────────────────────────────────────────────────


@router.post("/api/classes/{code}/commands")
async def command_class(
    services: TheServices, room: TheClass, body: models.CommandBody
) -> Response:
    """Pause, hold, hint, set the voice, end: what a teacher does. The newest command wins."""
    await obey(services, room, body)
    newest = await services.registry.classes.get(room.id)
    return Json(room_view(newest or room, services.clock.now()))


@router.post("/api/vote", status_code=204)
async def vote(
    request: Request, services: TheServices, team: TheTeam, body: models.BallotBody
) -> Response:
    """Vote in the class; a browser that votes again votes anew."""
    leading = services.lessons.leading
    await limit(services, f"vote:{team.id}", 0.5, 10)
    await leading.cast(team.class_id, voter(device_of(request)), body.vote, body.option)
    return Response(status_code=204)


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
