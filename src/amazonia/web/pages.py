"""The pages: server-rendered, readable without a script, one router.

Each page shows the projection that the API shows (`amazonia.domain.projection.state_view`) and
nothing else of the state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from amazonia.domain.errors import NotYet, Unknown
from amazonia.domain.projection import state_view
from amazonia.play.history import conversation
from amazonia.play.sessions import show_code
from amazonia.ports import Team
from amazonia.web.book import Book
from amazonia.web.drawings import Drawings, Pin, icon, logo, places, qr_code
from amazonia.web.phrases import LANGUAGES, Phrases, phrases, preferred
from amazonia.web.session import services_of, team_if_any

Json = dict[str, Any]
LANG_COOKIE = "amazonia_lang"
YEAR = 365 * 24 * 3600
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose errors are pages as well; without a session it leads to the start."""

    def get_route_handler(self) -> Handler:
        """The route's handler, with the errors of pages translated."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSeated:
                return RedirectResponse("/", 303)
            except Unknown:
                return await problem_page(request, 404)
            except NotYet as exc:
                return await problem_page(request, 409, exc.reason)

        return handle_page


router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A signed-in team at its desk.

    Attributes:
        team: id, name, members, resume_code.
        lang: the language in which it plays the case.
        view: what the team may see.
    """

    team: Json
    lang: str
    view: Json
    book: Book
    art: Drawings
    record: Team


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page, with what every page needs."""

    request: Request
    t: Phrases
    desk: Desk | None

    def page(self, template: str, http: int = 200, /, **values: object) -> HTMLResponse:
        """Render a template."""
        desk = self.desk
        view = desk.view if desk else None
        data = values.pop("page_data", {})
        context: Json = {
            "t": self.t,
            "lang": self.t.lang,
            "languages": LANGUAGES.items(),
            "desk": desk,
            "book": desk.book if desk else None,
            "art": desk.art if desk else None,
            "asset": self.request.app.state.assets.url,
            "icon": icon,
            "logo": logo(),
            "nonce": getattr(self.request.state, "nonce", ""),
            "air": False,
            "tab": "",
            "open_challenges": _waiting(view["challenges"]) if view else 0,
            "page_data": {"words": self.t.group("js"), **data} if isinstance(data, dict) else {},
            **values,
        }
        html = _templates().get_template(template).render(context)
        response = HTMLResponse(html, http, headers={"Cache-Control": "no-store"})
        if self.request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(LANG_COOKIE, self.t.lang, YEAR, samesite="lax", httponly=True)
        return response


async def visit(request: Request) -> Visit:
    """Who asks, and in which language."""
    team = await team_if_any(request)
    if team is None:
        return Visit(request, phrases(_language(request, None)), None)
    return Visit(request, phrases(_language(request, team.lang)), _desk(request, team))


class NotSeated(Exception):
    """The page is only for teams: the answer is a redirect to the start."""


async def seated(here: Annotated[Visit, Depends(visit)]) -> Visit:
    """The same for pages that only a team sees.

    Raises:
        NotSeated: nobody is signed in.
    """
    if here.desk is None:
        raise NotSeated
    return here


Here = Annotated[Visit, Depends(visit)]
Seated = Annotated[Visit, Depends(seated)]


# ── arriving ────────────────────────────────────────────────────────────────────────────────────


@router.get("/")
async def start(here: Here) -> Response:
    """The start page."""
    art = here.desk.art if here.desk else _default_art(here.request)
    words = {"words": here.t.group("js", "js_start"), "lang": here.t.lang}
    return here.page("start.html", art=art, page_data=words)


@router.get("/opening")
async def opening(here: Seated) -> Response:
    """The opening, and the team's name."""
    return here.page("opening.html", air=True)


@router.get("/code")
async def code(here: Seated) -> Response:
    """The card with the resume code."""
    desk = _of(here)
    origin = str(here.request.base_url)
    return here.page("code.html", qr=qr_code(f"{origin}#{desk.team['resume_code']}"))


@router.get("/glossary")
async def glossary(here: Seated) -> Response:
    """Words that a pupil may not know."""
    return here.page("glossary.html")


@router.get("/credits")
async def credits_page(here: Here) -> Response:
    """Who is real, who speaks, where facts come from."""
    return here.page("credits.html")


# ── the newsroom ────────────────────────────────────────────────────────────────────────────────


@router.get("/newsroom")
async def newsroom(here: Seated) -> Response:
    """The hub: the map, the people, what is new."""
    desk, t = _of(here), here.t
    view = desk.view
    asking = (view["counter"] or {}).get("by")
    people = [{**p, "asks": p["id"] == asking} for p in view["characters"]]
    recap = [c["title"] for c in view["clues"]][-3:] if desk.record.state.said else []
    return here.page(
        "newsroom.html",
        tab="newsroom",
        people=people,
        map=desk.art.map(view["marks"], _pins(desk, t, people)),
        news=_news(desk, t),
        solved=[r for r in view["riddles"] if r["solved"]],
        recap=recap,
        page_data={"words": t.group("js", "newsroom")},
    )


@router.get("/interview/{character}")
async def interview(here: Seated, character: str) -> Response:
    """The conversation with a character."""
    desk, t = _of(here), here.t
    said = await conversation(services_of(here.request).interviews, desk.record, character)
    person = _find(desk.view["characters"], character)
    host = desk.book.host(character)
    clues = {clue["id"]: clue for clue in desk.view["clues"]}
    history = [
        {
            **turn,
            "expression": host["expressions"].get(turn["emotion"], "calm"),
            "shown_title": clues[turn["shown"]]["title"] if turn["shown"] in clues else "",
            "clues": [clues[clue] for clue in turn["clues"] if clue in clues],
        }
        for turn in said
    ]
    counter = desk.view["counter"]
    return here.page(
        "interview.html",
        air=True,
        person=person,
        extras=host,
        history=history,
        portrait=desk.art.svg(f"portrait-{character}", hidden=True),
        page_data={
            "words": t.group("js", "js_interview"),
            "character": character,
            "name": person["short"],
            "expressions": host["expressions"],
            "idle": host["idle"],
            "clues": [_brief(t, clue) for clue in desk.view["clues"]],
            "counter": counter if counter and counter["by"] == character else None,
        },
    )


@router.get("/notebook")
async def notebook(here: Seated) -> Response:
    """The evidence board."""
    desk, t = _of(here), here.t
    names = {p["id"]: p["short"] for p in desk.view["characters"]}
    clues = [
        {
            **clue,
            "group": desk.book.group(clue["document"]["type"]),
            "shown_names": [names[who] for who in clue["shown_to"]],
            "picture": _picture(desk.art, clue["id"]),
        }
        for clue in desk.view["clues"]
    ]
    return here.page(
        "notebook.html",
        tab="notebook",
        clues=clues,
        groups={clue["group"] for clue in clues},
        titles={clue["id"]: clue["title"] for clue in clues},
        page_data={"words": t.group("js", "js_notebook"), "links": desk.view["links"]},
    )


# ── decisions ───────────────────────────────────────────────────────────────────────────────────


@router.get("/riddle/{riddle_id}")
async def riddle(here: Seated, riddle_id: str) -> Response:
    """A riddle that is open, or what it taught."""
    desk = _of(here)
    found = {"table": None, "pick": 0, **_find(desk.view["riddles"], riddle_id)}
    drawing = desk.art.svg(riddle_id) if desk.art.has(riddle_id) else ""
    data = {"words": here.t.group("js", "js_riddle"), "parts": found.get("parts", {})}
    return here.page("riddle.html", riddle=found, riddle_map=drawing, page_data=data)


@router.get("/challenges")
async def challenges(here: Seated) -> Response:
    """The letterbox: what characters ask, and the slips that came of it."""
    desk = _of(here)
    listed = desk.view["challenges"]
    groups = [
        {
            "by": person["id"],
            "name": person["short"],
            "challenges": sorted(
                (c for c in listed if c["by"] == person["id"]), key=lambda c: bool(c["solved"])
            ),
        }
        for person in desk.view["characters"]
        if any(c["by"] == person["id"] for c in listed)
    ]
    data = {"words": here.t.group("js", "js_riddle")}
    return here.page("challenges.html", tab="challenges", groups=groups, page_data=data)


@router.get("/confront/{code}")
async def confront(here: Seated, code: str) -> Response:
    """A confrontation."""
    desk = _of(here)
    scene = _find(desk.view["confrontations"], code)
    person = _find(desk.view["characters"], scene["with"])
    return here.page(
        "confront.html",
        air=True,
        scene=scene,
        person=person,
        won=sum(1 for r in scene["rounds"] if r["won"]),
        first=next((r["id"] for r in scene["rounds"] if not r["won"]), ""),
        portrait=desk.art.svg(f"portrait-{person['id']}", hidden=True),
        page_data={"words": here.t.group("js", "js_riddle")},
    )


@router.get("/publish")
async def publish(here: Seated) -> Response:
    """Choosing what goes on air."""
    if _of(here).view["publication"] is None:
        raise Unknown("publication", "publication")
    data = {"words": here.t.group("js", "js_publish")}
    return here.page("publish.html", tab="publish", page_data=data)


@router.get("/ending")
async def ending(here: Seated) -> Response:
    """The front page of the newest edition."""
    if _of(here).view["ending"] is None:
        raise Unknown("ending", "ending")
    return here.page("ending.html", tab="publish")


@router.get("/problems/{name}")
async def problem(here: Here, name: str) -> Response:
    """What a problem's `type` address says to people."""
    return _problem(here, 404 if name in {"not-found", "unknown"} else 400, "", status=200)


# ── when something is wrong ─────────────────────────────────────────────────────────────────────


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not a script."""
    is_call = request.url.path.startswith(("/api/", "/static/", "/art/"))
    return not is_call and "text/html" in request.headers.get("accept", "")


async def problem_page(request: Request, code: int, detail: str = "") -> Response:
    """The page for an error, in the newsroom's voice.

    Args:
        detail: what is true and what to do, in the session's language.
    """
    try:
        here = await visit(request)
    except Exception:  # noqa: BLE001 - the page that says so must not fail for the same reason
        here = Visit(request, phrases(_language(request, None)), None)
    return _problem(here, code, detail)


def _problem(here: Visit, code: int, detail: str, status: int | None = None) -> Response:
    t = here.t
    if code == 404:
        heading, line = t("problem.not_found"), t("problem.not_found_detail")
    elif code == 409:
        heading, line = t("problem.locked"), detail
    elif code >= 500:
        heading, line = t("problem.server"), t("problem.server_detail")
    else:
        heading, line = t("problem.other"), detail or t("problem.other_detail")
    page_status = code if status is None else status
    return here.page("problem.html", page_status, heading=heading, detail=line, status=code)


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _language(request: Request, team_lang: str | None) -> str:
    """The interface's language: just chosen, chosen before, the session's, the browser's."""
    for choice in (request.query_params.get("lang"), request.cookies.get(LANG_COOKIE), team_lang):
        if choice in LANGUAGES:
            return choice
    return preferred(request.headers.get("accept-language", ""))


def _desk(request: Request, team: Team) -> Desk:
    table = services_of(request).game.table(team)
    shown = {
        "id": team.id,
        "name": team.name,
        "members": team.members,
        "resume_code": show_code(team.resume_code),
    }
    view = state_view(table.case, table.words, team.state, team.id)
    book = Book(table.case, table.words, team.state)
    return Desk(shown, team.lang, view, book, _art(request, team.case_id), team)


def _art(request: Request, case_id: str) -> Drawings:
    folder = services_of(request).library.folder / case_id / "art"
    return Drawings(folder, request.app.state.art[case_id].url)


def _default_art(request: Request) -> Drawings:
    """The drawings of the case that a new investigation will play."""
    return _art(request, services_of(request).sessions.default_case())


def _of(here: Visit) -> Desk:
    if here.desk is None:
        raise NotSeated
    return here.desk


def _find(items: Sequence[Json], id_: str) -> Json:
    for item in items:
        if item["id"] == id_:
            return item
    raise Unknown("page", id_)


def _waiting(challenges: Sequence[Json]) -> int:
    return sum(1 for challenge in challenges if not challenge["solved"])


def _brief(t: Phrases, clue: Json) -> Json:
    kind = t(f"doc.{clue['document']['type']}")
    return {k: clue[k] for k in ("id", "title", "summary", "question")} | {"kind": kind}


def _picture(art: Drawings, clue: str) -> Markup | str:
    return art.svg(f"clue-{clue}", hidden=True) if art.has(f"clue-{clue}") else ""


def _pins(desk: Desk, t: Phrases, people: Sequence[Json]) -> list[Pin]:
    spots = places(json.loads((desk.art.folder / "map.json").read_text(encoding="utf-8")))
    pins = []
    for person in people:
        x, y = spots[person["place"]]
        where = desk.book.places[person["place"]]["name"]
        if person["locked"]:
            label = t("newsroom.shut", name=person["short"], place=where, reason=person["reason"])
            pins.append(Pin(x, y, person["short"], label))
        else:
            label = t("newsroom.open", name=person["short"], place=where)
            href, picture = f"/interview/{person['id']}", desk.art.url(f"portrait-{person['id']}")
            pins.append(Pin(x, y, person["short"], label, href, picture, not person["met"]))
    return pins


def _news(desk: Desk, t: Phrases) -> list[Json]:
    """What lies on the newsroom's desk, most pressing first. `key` lets the page mark new things."""
    view = desk.view
    names = {p["id"]: p["short"] for p in view["characters"]}
    found: list[Json] = []

    def add(kind: str, mark: str, href: str, text: str, key: str = "") -> None:
        found.append({"kind": kind, "icon": mark, "href": href, "text": text, "key": key})

    if view["counter"]:
        by = view["counter"]["by"]
        add("counter", "radio", f"/interview/{by}", t("newsroom.counter", name=names[by]))
    for item in view["riddles"]:
        if not item["solved"]:
            text = t("newsroom.riddle", title=item["title"])
            add("riddle", "riddle", f"/riddle/{item['id']}", text, item["id"])
    for item in view["confrontations"]:
        if not item["won"]:
            text = t("newsroom.confront", title=item["title"])
            add("confront", "radio", f"/confront/{item['id']}", text, item["id"])
    for who, name in names.items():
        n = _waiting([c for c in view["challenges"] if c["by"] == who])
        if n:
            text = t("newsroom.challenges" if n > 1 else "newsroom.challenge", name=name, n=n)
            add("challenge", "challenge", f"/challenges#by-{who}", text, f"{who}{n}")
    if view["slips"]:
        n = len(view["slips"])
        add("slips", "challenge", "/challenges", t("newsroom.slips", n=n), f"slips{n}")
    if view["ending"]:
        add("ending", "publish", "/ending", t("newsroom.ending"))
    elif view["publication"]:
        add("publish", "publish", "/publish", t("newsroom.publish"), "publish")
    return found
