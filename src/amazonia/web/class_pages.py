"""The teacher's pages: open a class, follow and lead it, project it; and the ways in for teams."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from amazonia.classroom.live import room_view
from amazonia.ports.classes import Classroom
from amazonia.web.classes import links
from amazonia.web.drawings import qr_code
from amazonia.web.pages import start_page
from amazonia.web.session import services_of
from amazonia.web.teaching import class_if_teacher
from amazonia.web.visit import Here, PageRoute, Visit, stranger, words_of

Json = dict[str, Any]

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute
)


LASTS = (0.8334, 1.6667, 168, 720)
"""Hours that a teacher may choose from; the third is the usual one."""


@router.get("/join")
async def join(here: Here) -> Response:
    """The start page with the class's door open."""
    return start_page(here, joining="?")


@router.get("/j/{code}")
async def join_by_link(here: Here, code: str) -> Response:
    """The same, with the code of a QR code in its place."""
    return start_page(here, joining=code[:12].upper())


@router.get("/class")
async def open_page(request: Request) -> Response:
    """Open a class, or come back to one."""
    here, services = stranger(request), services_of(request)
    known = {name: services.library.case(name) for name in services.library.names()}
    cases = {name: words_of(case, here.t.lang).title for name, case in known.items()}
    langs = sorted({lang for case in known.values() for lang in case.words})
    return here.page(
        "class_open.html",
        cases=cases,
        usual=services.sessions.default_case(),
        langs=langs,
        lasts=LASTS,
        page_data={"words": here.t.group("js", "js_live", "class")},
    )


@router.get("/class/enter")
async def enter_page(request: Request) -> Response:
    """Where the private link leads: its key stands behind the mark, which no server is sent."""
    here = stranger(request)
    return here.page("class_enter.html", page_data={"words": here.t.group("js", "class")})


@router.get("/class/{code}")
async def live_page(request: Request, code: str) -> Response:
    """The class as it goes on."""
    room = await class_if_teacher(request, code)
    if room is None:
        return RedirectResponse("/class#back", 303)
    here, case = stranger(request), services_of(request).library.case(room.case_id)
    words = case.words[room.lang]
    return here.page(
        "class_live.html",
        room=room,
        acts=[(name, words.acts[name].title) for name, _ in case.acts],
        langs=list(case.words),
        join=links(request, room),
        page_data=_page_data(request, here, room),
    )


@router.get("/class/{code}/wall")
async def wall_page(request: Request, code: str) -> Response:
    """What a projector shows: the code, the class's board, a vote."""
    room = await class_if_teacher(request, code)
    if room is None:
        return RedirectResponse("/class#back", 303)
    here, told = stranger(request), links(request, room)
    address = told["join_url"].partition("://")[2].partition("/j/")[0]
    return here.page(
        "class_wall.html",
        room=room,
        qr=qr_code(told["join_url"]),
        address=f"{address}/join",
        page_data=_page_data(request, here, room),
    )


def _page_data(request: Request, here: Visit, room: Classroom) -> Json:
    view = room_view(room, services_of(request).clock.now())
    words = here.t.group("js", "live", "wall", "js_live")
    return {"words": words, "code": room.code, "room": view}
