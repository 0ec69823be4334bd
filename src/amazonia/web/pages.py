"""The pages: server-rendered, readable without a script, one router.

Each page shows the projection that the API shows (`amazonia.domain.projection.state_view`) and
nothing else of the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from amazonia.domain.errors import Unknown
from amazonia.play.history import conversation
from amazonia.web.drawings import Drawings, qr_code
from amazonia.web.hub import news, pins
from amazonia.web.phrases import Phrases
from amazonia.web.session import services_of
from amazonia.web.visit import (
    Here,
    PageRoute,
    Seated,
    Visit,
    art_of,
    problem_for,
    problem_page,
    wants_page,
    words_of,
)

Json = dict[str, Any]

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute
)


# ── arriving ────────────────────────────────────────────────────────────────────────────────────


@router.get("/")
async def start(here: Here, case: str = "") -> Response:
    """The start page, with the cover of a case."""
    return start_page(here, case)


def start_page(here: Visit, case: str = "", joining: str = "") -> Response:
    """The start page.

    Args:
        case: the one whose cover is shown; unless named, the team's own or the usual one.
        joining: the code of the class that is joined: that door is open, with it in its place.
    """
    services = services_of(here.request)
    shown = case or (here.desk.record.case_id if here.desk else services.sessions.default_case())
    lang = here.t.lang
    names = [name for name in services.library.names() if name != shown]
    others = [(words_of(found, lang), found) for found in map(services.library.case, names)]
    return here.page(
        "start.html",
        title=words_of(services.library.case(shown), lang).title,
        art=art_of(here.request, shown),
        others=others,
        joining=joining,
        page_data={"words": here.t.group("js", "js_start"), "lang": lang, "case": shown},
    )


@router.get("/opening")
async def opening(here: Seated) -> Response:
    """The opening, and the team's name."""
    return here.page("opening.html", air=True)


@router.get("/code")
async def code(here: Seated) -> Response:
    """The card with the resume code."""
    desk = here.team
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


@router.get("/privacy")
async def privacy(here: Here) -> Response:
    """What is kept of players, for players."""
    return here.page("privacy.html", days=services_of(here.request).settings.retention_days)


# ── the newsroom ────────────────────────────────────────────────────────────────────────────────


@router.get("/newsroom")
async def newsroom(here: Seated) -> Response:
    """The hub: the map, the people, what is new. A class may ask something before it begins."""
    desk, t = here.team, here.t
    if not desk.record.state.editions and await _is_to_judge(here):
        return RedirectResponse("/judge", 303)
    view = desk.view
    asking = (view["counter"] or {}).get("by")
    people = [{**p, "asks": p["id"] == asking} for p in view["characters"]]
    recap = [c["title"] for c in view["clues"]][-3:] if desk.record.state.said else []
    return here.page(
        "newsroom.html",
        tab="newsroom",
        people=people,
        map=desk.art.map(view["marks"], pins(desk, t, people)),
        news=news(desk, t),
        solved=[r for r in view["riddles"] if r["solved"]],
        recap=recap,
        page_data={"words": t.group("js", "js_newsroom")},
    )


@router.get("/interview/{character}")
async def interview(here: Seated, character: str) -> Response:
    """The conversation with a character."""
    desk, t = here.team, here.t
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
    desk, t = here.team, here.t
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
    desk = here.team
    found = {"table": None, "pick": 0, **_find(desk.view["riddles"], riddle_id)}
    drawing = desk.art.svg(riddle_id) if desk.art.has(riddle_id) else ""
    data = {"words": here.t.group("js", "js_riddle"), "parts": found.get("parts", {})}
    return here.page("riddle.html", riddle=found, riddle_map=drawing, page_data=data)


@router.get("/challenges")
async def challenges(here: Seated) -> Response:
    """The letterbox: what characters ask, and the slips that came of it."""
    desk = here.team
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
    desk = here.team
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
    if here.team.view["publication"] is None:
        raise Unknown("publication", "publication")
    data = {"words": here.t.group("js", "js_publish")}
    return here.page("publish.html", tab="publish", page_data=data)


@router.get("/ending")
async def ending(here: Seated) -> Response:
    """The front page of the newest edition."""
    if here.team.view["ending"] is None:
        raise Unknown("ending", "ending")
    return here.page("ending.html", tab="publish", to_judge=await _is_to_judge(here))


@router.get("/problems/{name}")
async def problem(here: Here, name: str) -> Response:
    """What a problem's `type` address says to people."""
    return problem_for(here, 404 if name in {"not-found", "unknown"} else 400, "", status=200)


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────


async def _is_to_judge(here: Visit) -> bool:
    return await services_of(here.request).afterwards.asked(here.team.record) is not None


def _find(items: Sequence[Json], id_: str) -> Json:
    for item in items:
        if item["id"] == id_:
            return item
    raise Unknown("page", id_)


def _brief(t: Phrases, clue: Json) -> Json:
    kind = t(f"doc.{clue['document']['type']}")
    return {k: clue[k] for k in ("id", "title", "summary", "question")} | {"kind": kind}


def _picture(art: Drawings, clue: str) -> Markup | str:
    return art.svg(f"clue-{clue}", hidden=True) if art.has(f"clue-{clue}") else ""


__all__ = ["problem_page", "router", "wants_page"]
