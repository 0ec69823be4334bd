"""The calls of the contract: each parses, calls a use case and renders."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from amazonia.classroom.classes import MOST_TEAMS
from amazonia.domain.projection import state_view
from amazonia.errors import TooFast
from amazonia.play import confront, hints, history, notebook, publish, riddles
from amazonia.play.sessions import Joining, SignedIn, show_code
from amazonia.play.stream import done_data
from amazonia.play.text import clean
from amazonia.ports import Accepted, StreamEvent, Team
from amazonia.services import Services
from amazonia.web import models
from amazonia.web.answers import Json
from amazonia.web.security import device_of
from amazonia.web.session import (
    ThePlayers,
    TheServices,
    TheTeam,
    cookies_of,
    is_secure,
    team_if_any,
)
from amazonia.web.sse import EVENTS, event_stream, last_event_id
from amazonia.web.teaching import class_to_join
from amazonia.web.team_stream import team_in_class, versions

T = TypeVar("T")

router = APIRouter(
    responses={
        422: {"model": models.Problem, "description": "A field or an answer is not accepted"},
    }
)

CHAT_EVERY, CHAT_BURST = 0.25, 60
SESSION_EVERY, SESSION_BURST = 0.02, 1500


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


@router.post("/api/session", status_code=201, responses={201: {"model": models.SessionAnswer}})
async def start_session(
    request: Request, services: TheServices, body: models.SessionBody | None = None
) -> Response:
    """Begin a new investigation."""
    body = body or models.SessionBody()
    if body.class_code:
        return await _join(request, services, body)
    await _limit_sessions(request, services)
    arrived = await services.sessions.start(body.case, body.lang, body.team, body.members)
    return _signed_in(request, arrived, 201)


async def _join(request: Request, services: Services, body: models.SessionBody) -> Response:
    """Join a class; a browser whose team is in it already goes on with that."""
    room = await class_to_join(request, body.class_code or "")
    before = await team_if_any(request)
    if before and before.class_id == room.id and not before.removed:
        return _signed_in(request, SignedIn(before, device_of(request)), 201)
    names = await services.registry.classes.names(room.id)
    joining = Joining(room.id, frozenset(names), MOST_TEAMS)
    arrived = await services.sessions.start(room.case_id, room.lang, None, body.members, joining)
    return _signed_in(request, arrived, 201)


@router.post("/api/session/resume", responses={200: {"model": models.SessionAnswer}})
async def resume_session(
    request: Request, services: TheServices, body: models.ResumeBody
) -> Response:
    """Continue with a resume code."""
    await _limit_sessions(request, services)
    arrived = await services.sessions.resume(body.resume_code)
    return _signed_in(request, arrived, 200)


@router.post("/api/session/leave", status_code=204)
async def leave_session(request: Request, services: TheServices) -> Response:
    """Forget the cookie; the team's progress is kept."""
    await services.sessions.leave(device_of(request))
    response = Response(status_code=204)
    cookies_of(request).forget(response, secure=is_secure(request))
    return response


@router.post("/api/session/name")
async def name_team(
    services: TheServices, team: TheTeam, body: models.NameBody | None = None
) -> Response:
    """Give the team a name, or another generated one."""
    given = body or models.NameBody()
    if team.class_id and given.name == team.name:  # only the head count is new
        taken, wished = [], team.name
    elif team.class_id:
        taken, wished = await services.registry.classes.names(team.class_id), None
    else:
        taken, wished = [], given.name
    name = await services.sessions.rename(team, wished, given.members, taken)
    return Json({"name": name})


async def _limit_sessions(request: Request, services: Services) -> None:
    client = request.client.host if request.client else "?"
    await _limit(services, f"session:{client}", SESSION_EVERY, SESSION_BURST)


async def _limit(services: Services, key: str, every: float, burst: int) -> None:
    wait = await services.limits.wait(key, every, burst)
    if wait:
        raise TooFast(wait)


def _signed_in(request: Request, arrived: SignedIn, status: int) -> Response:
    team = arrived.team
    response = Json(
        {
            "team_id": team.id,
            "resume_code": show_code(team.resume_code),
            "case": team.case_id,
            "lang": team.lang,
            "name": team.name,
        },
        status,
    )
    cookies_of(request).set(response, arrived.device, secure=is_secure(request))
    return response


# ── the state ───────────────────────────────────────────────────────────────────────────────────


@router.get("/api/state")
async def get_state(request: Request, services: TheServices, team: TheTeam) -> Response:
    """Everything that the team may know now."""
    table = services.game.table(team)
    named = zlib.crc32(f"{team.name}/{team.lang}".encode())
    etag = f'W/"{team.version}-{table.case.revision}-{named:x}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Json(
        {
            "version": team.version,
            "team": {
                "id": team.id,
                "name": team.name,
                "members": team.members,
                "resume_code": show_code(team.resume_code),
            },
            "lang": team.lang,
            **state_view(table.case, table.words, table.state, team.id),
        },
        headers=headers,
    )


@router.get("/api/team/events", response_class=Response, responses={200: EVENTS})
async def team_events(
    request: Request, services: TheServices, team: TheTeam, last: int | None = None
) -> Response:
    """`version` whenever the team's state moves, in whichever tab or machine."""
    seen = last_event_id(request, last)
    if not team.class_id:
        return event_stream(_versions(services, team, seen), {})
    return event_stream(team_in_class(services, team, device_of(request), seen), {})


async def _versions(services: Services, team: Team, seen: int) -> AsyncIterator[StreamEvent]:
    async for version in versions(services, team):
        if version != seen:
            seen = version
            yield StreamEvent(version, "version", {"version": version})


# ── turns ───────────────────────────────────────────────────────────────────────────────────────


@router.post(
    "/api/chat",
    responses={
        200: {"model": models.ChatAnswer, "content": {"text/event-stream": {}}},
        202: {
            "description": "With `Prefer: respond-async`: `{turn_id}`",
            "content": {"application/json": {}},
        },
        409: {"model": models.Problem, "description": "Not reachable yet, or no such clue found"},
    },
)
async def chat(
    request: Request, services: TheServices, team: ThePlayers, body: models.ChatBody
) -> Response:
    """Ask a character something."""
    await _limit(services, f"chat:{team.id}", CHAT_EVERY, CHAT_BURST)
    accepted = await services.interviews.ask(team, body.entity_id, body.message, body.show)
    turn = accepted.turn
    if "respond-async" in request.headers.get("prefer", ""):
        where = {
            "Location": f"/api/turns/{turn.id}/events",
            "Preference-Applied": "respond-async",
        }
        return Json({"turn_id": turn.id}, 202, where)
    if "text/event-stream" in request.headers.get("accept", ""):
        events = services.interviews.events(team, turn)
        return event_stream(_marked(events, accepted), {"Location": f"/api/turns/{turn.id}"})
    reply = await _while_connected(request, services.interviews.reply(team, turn))
    return Json({**reply, "duplicate": accepted.how == "duplicate"})


async def _while_connected(request: Request, waiting: Coroutine[Any, Any, T]) -> T:
    """Wait for something as long as the client does.

    Raises:
        HTTPException: the client went away; nobody reads this.
    """
    work = asyncio.ensure_future(waiting)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise HTTPException(499)
    finally:
        work.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    """Wait until the client closes its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _marked(
    events: AsyncIterator[StreamEvent], accepted: Accepted
) -> AsyncIterator[StreamEvent]:
    """The events, saying whether this request was a duplicate."""
    duplicate = {"duplicate": accepted.how == "duplicate"}
    async for event in events:
        if event.kind in {"turn", "done"}:
            event = replace(event, data={**event.data, **duplicate})
        yield event


@router.get("/api/turns/{turn_id}")
async def get_turn(services: TheServices, team: TheTeam, turn_id: str) -> Response:
    """The finished reply, or that it is still being spoken."""
    turn = await services.interviews.turn(team, turn_id)
    if turn.status == "speaking":
        return Json({"turn_id": turn.id, "status": turn.status})
    return Json({"status": turn.status, **done_data(turn)})


@router.get(
    "/api/turns/{turn_id}/events",
    response_class=Response,
    responses={200: EVENTS, 204: {"description": "Nothing more will come"}},
)
async def turn_events(
    request: Request, services: TheServices, team: TheTeam, turn_id: str, last: int | None = None
) -> Response:
    """The turn's events; `Last-Event-ID` resumes. 204 when there is nothing more to come."""
    seen = last_event_id(request, last)
    turn = await services.interviews.turn(team, turn_id)
    if seen and turn.status == "done":
        rest = await services.interviews.rest(turn, seen)
        if not rest:
            return Response(status_code=204)
    return event_stream(services.interviews.events(team, turn, seen), {})


@router.get("/api/history/{entity_id}")
async def get_history(services: TheServices, team: TheTeam, entity_id: str) -> Response:
    """The conversation with a character, oldest first."""
    return Json(await history.conversation(services.interviews, team, entity_id))


@router.post("/api/report", status_code=204)
async def report_turn(services: TheServices, team: TheTeam, body: models.ReportBody) -> Response:
    """Object to a reply."""
    reason = clean(body.reason, 1000)
    await history.report(services.interviews, team, body.turn_id, reason)
    return Response(status_code=204)


# ── paper ───────────────────────────────────────────────────────────────────────────────────────


@router.post("/api/riddles/{id}", responses={200: {"model": models.Judgement}})
async def answer_riddle(
    services: TheServices, team: ThePlayers, id: str, body: models.AnswerBody
) -> Response:
    """Answer a riddle."""
    return Json(await riddles.try_riddle(services.game, team, id, body.answer))


@router.post("/api/riddles/{id}/hint")
async def hint_for_riddle(services: TheServices, team: ThePlayers, id: str) -> Response:
    """The next hint of a riddle."""
    return Json(await riddles.riddle_hint(services.game, team, id))


@router.post("/api/challenges/{id}", responses={200: {"model": models.Judgement}})
async def answer_challenge(
    services: TheServices, team: ThePlayers, id: str, body: models.OptionBody
) -> Response:
    """Answer a challenge."""
    return Json(await riddles.try_challenge(services.game, team, id, body.answer))


@router.post("/api/counter/{id}")
async def answer_counter(
    services: TheServices, team: ThePlayers, id: str, body: models.OptionBody
) -> Response:
    """Answer what a character asked the team."""
    return Json(await confront.answer_question(services.game, team, id, body.answer))


@router.post("/api/confront", responses={200: {"model": models.RoundAnswer}})
async def confront_character(
    services: TheServices, team: ThePlayers, body: models.ConfrontBody
) -> Response:
    """Try to defeat a statement."""
    tried = await confront.try_round(
        services.game, team, body.confrontation, body.round, body.clues, body.reason
    )
    return Json(tried)


@router.post("/api/publish", responses={200: {"model": models.EditionAnswer}})
async def publish_edition(
    services: TheServices, team: ThePlayers, body: models.PublishBody
) -> Response:
    """Publish an edition."""
    edition = await publish.publish_edition(services.game, team, body.claims, body.decisions)
    return Json(edition)


@router.post("/api/links")
async def link_clues(services: TheServices, team: ThePlayers, body: models.LinksBody) -> Response:
    """Tie a string between two clues, or take it off."""
    return Json(await notebook.link_clues(services.game, team, body.clues, body.erase))


@router.post("/api/hint")
async def next_hint(services: TheServices, team: ThePlayers) -> Response:
    """What to do next."""
    return Json(await hints.next_hint(services.game, team))
