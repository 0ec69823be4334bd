"""A visit to a page: who asks, in which language, and how a page is rendered for them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from amazonia.domain.case import Case, Lang
from amazonia.domain.projection import state_view
from amazonia.domain.words import CaseWords
from amazonia.play.sessions import show_code
from amazonia.ports import Team
from amazonia.web.book import Book
from amazonia.web.drawings import Drawings, icon, logo
from amazonia.web.phrases import LANGUAGES, Phrases, phrases, preferred
from amazonia.web.session import is_secure, services_of, team_if_any

Json = dict[str, Any]
LANG_COOKIE = "amazonia_lang"
YEAR = 365 * 24 * 3600
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


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


class NotSeated(Exception):
    """The page is only for teams: the answer is a redirect to the start."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page, with what every page needs."""

    request: Request
    t: Phrases
    desk: Desk | None

    @property
    def team(self) -> Desk:
        """The desk of the team that asks.

        Raises:
            NotSeated: nobody is signed in.
        """
        if self.desk is None:
            raise NotSeated
        return self.desk

    def page(
        self, template: str, http: int = 200, /, *, page_data: Json | None = None, **values: object
    ) -> HTMLResponse:
        """Render a template.

        Args:
            page_data: what the page's script is given; the words that all of them need are added.
        """
        desk = self.desk
        view = desk.view if desk else None
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
            "open_challenges": waiting(view["challenges"]) if view else 0,
            "in_class": bool(desk and desk.record.class_id),
            "page_data": self._for_scripts(page_data or {}),
            **values,
        }
        html = _templates().get_template(template).render(context)
        response = HTMLResponse(html, http, headers={"Cache-Control": "no-store"})
        if self.request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                LANG_COOKIE,
                self.t.lang,
                YEAR,
                samesite="lax",
                httponly=True,
                secure=is_secure(self.request),
            )
        return response

    def _for_scripts(self, data: Json) -> Json:
        """What scripts are given; in a class, its words as well."""
        given = {"words": self.t.group("js"), **data}
        if self.desk and self.desk.record.class_id:
            given["class_words"] = self.t.group("js_class")
        return given


async def visit(request: Request) -> Visit:
    """Who asks, and in which language."""
    team = await team_if_any(request)
    if team is None:
        return Visit(request, phrases(_language(request, None)), None)
    return Visit(request, phrases(_language(request, team.lang)), _desk(request, team))


def stranger(request: Request) -> Visit:
    """A visit by whoever it is: no team is looked up, so that it needs no database."""
    return Visit(request, phrases(_language(request, None)), None)


async def seated(here: Annotated[Visit, Depends(visit)]) -> Visit:
    """The same for pages that only a team sees.

    Raises:
        NotSeated: nobody is signed in.
    """
    _ = here.team
    return here


Here = Annotated[Visit, Depends(visit)]
Seated = Annotated[Visit, Depends(seated)]


# ── errors are pages as well ────────────────────────────────────────────────────────────────────


class PageRoute(APIRoute):
    """A route that leads to the start where it needs a team and nobody is signed in."""

    def get_route_handler(self) -> Handler:
        """The route's handler with that redirect."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSeated:
                return RedirectResponse("/", 303)

        return handle_page


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
        here = stranger(request)
    return problem_for(here, code, detail)


def problem_for(here: Visit, code: int, detail: str, status: int | None = None) -> Response:
    """The page for an error of a visitor; `status` where the answer itself is none."""
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


def waiting(challenges: Sequence[Json]) -> int:
    """How many challenges are still to be answered."""
    return sum(1 for challenge in challenges if not challenge["solved"])


def art_of(request: Request, case_id: str, captions: Mapping[str, str] | None = None) -> Drawings:
    """The drawings of a case, with their captions in a language of the case."""
    folder = services_of(request).library.folder / case_id / "art"
    return Drawings(folder, request.app.state.art[case_id].url, captions or {})


def words_of(case: Case, lang: str) -> CaseWords:
    """The words of a case in a language of the interface; in its first one if it lacks that."""
    return case.words.get(Lang(lang)) or next(iter(case.words.values()))


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
    view = state_view(table.case, table.words, table.state, team.id)
    book = Book(table.case, table.words, table.state)
    return Desk(
        shown, team.lang, view, book, art_of(request, team.case_id, table.words.captions), team
    )
