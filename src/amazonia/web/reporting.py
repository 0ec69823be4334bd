"""What a teacher has of a class afterwards: the report's page, its files, and the class's data."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from amazonia.classroom.afterwards import FEWEST_DAYS
from amazonia.classroom.archive import archive
from amazonia.classroom.labels import BRASILIA, Labels
from amazonia.classroom.path import TeamReport
from amazonia.classroom.report import Hard, Report
from amazonia.classroom.sentences import outcome_lines, team_figures
from amazonia.classroom.sheets import team_sheet
from amazonia.domain.case import Lang
from amazonia.domain.errors import BadAnswer
from amazonia.jobs.desk import Desk
from amazonia.ports import Team
from amazonia.ports.classes import Classroom
from amazonia.ports.jobs import Job
from amazonia.web import charts, models
from amazonia.web.answers import Json
from amazonia.web.jobs import TheDesk, download, job_view
from amazonia.web.phrases import Phrases
from amazonia.web.session import TheServices, TheTeam, services_of
from amazonia.web.teaching import TheClass
from amazonia.web.visit import PageRoute, Seated, stranger

calls = APIRouter()
pages = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute
)

FEW_CLUES, FEW_CHALLENGES, FEW_LONGEST = 10, 10, 5
EASTERNMOST, WESTERNMOST = 14 * 60, -12 * 60
"""Minutes from UTC of the clocks that there are."""


def labels_of(t: Phrases, offset: int | None) -> Labels:
    """The report's words, by the clock of whoever reads it."""
    minutes = BRASILIA if offset is None else min(EASTERNMOST, max(WESTERNMOST, offset))
    return Labels(t.lang, t.group("afterwards"), minutes)


def file_of(kind: str) -> dict[int | str, dict[str, object]]:
    """How the API's description speaks of a file."""
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


# ── the page ────────────────────────────────────────────────────────────────────────────────────


@pages.get("/class/sheet")
async def sheet_page(request: Request) -> Response:
    """The pupils' sheet: one page to be printed. It tells nothing of any class."""
    return stranger(request).page("sheet.html")


@pages.get("/class/{code}/report")
async def report_page(request: Request, room: TheClass, offset: int | None = None) -> Response:
    """The report on a class."""
    here, services = stranger(request), services_of(request)
    report = await services.afterwards.report(room, here.t.lang)
    case = services.library.case(room.case_id)
    spoken = Lang(here.t.lang) if here.t.lang in case.words else room.lang
    labels = labels_of(here.t, offset)
    return here.page(
        "report.html",
        room=room,
        report=report,
        say=labels,
        made=labels.moment(services.clock.now()),
        groups=_groups(report),
        longest=report.longest[:FEW_LONGEST],
        charts=charts,
        outcome_lines=outcome_lines,
        team_figures=team_figures,
        talks=_talks,
        forms=case.questionnaire,
        judged=case.words[spoken].questionnaire,
        days=services.afterwards.kept_days(room),
        bounds=(FEWEST_DAYS, services.afterwards.most_days),
        page_data={"words": here.t.group("js", "js_report"), "code": room.code},
    )


def _groups(report: Report) -> list[tuple[str, tuple[Hard, ...]]]:
    """What is drawn as bars: all of what has few entries, the hardest of what has many."""
    challenges = tuple(hard for hard in report.hardest("challenge") if hard.tried)
    return [
        ("hard_riddle", report.hardest("riddle")),
        ("hard_round", report.hardest("round")),
        ("hard_clue", report.hardest("clue", FEW_CLUES)),
        ("hard_challenge", challenges[:FEW_CHALLENGES]),
    ]


def _talks(team: TeamReport) -> str:
    """Whom a team talked with, and how often."""
    return ", ".join(f"{name} ({n})" for name, n in team.talks)


# ── the files ───────────────────────────────────────────────────────────────────────────────────


@calls.get("/api/classes/{code}/report.csv", response_class=Response, responses=file_of("text/csv"))
async def report_csv(request: Request, room: TheClass, offset: int | None = None) -> Response:
    """A row for each team, as a spreadsheet of the reader's language."""
    t = stranger(request).t
    report = await services_of(request).afterwards.report(room, t.lang)
    labels = labels_of(t, offset)
    return _file(team_sheet(report, labels), "text/csv; charset=utf-8", _name(room, labels, "csv"))


@calls.get(
    "/api/classes/{code}/report.pdf",
    response_class=Response,
    responses={**file_of("application/pdf"), 202: {"description": "The job that makes it"}},
)
async def report_pdf(
    request: Request, desk: TheDesk, room: TheClass, offset: int | None = None
) -> Response:
    """The report, to be printed: the file, or the job that makes it (`Prefer: respond-async`)."""
    job = await _order_pdf(request, desk, room, offset)
    if "respond-async" in request.headers.get("prefer", ""):
        return Json(job_view(job), 202, {"Location": f"/api/jobs/{job.id}"})
    async for now in desk.follow(job.id):
        job = now
    return download(await desk.file(job.id))


async def _order_pdf(request: Request, desk: Desk, room: Classroom, offset: int | None) -> Job:
    """The job that makes the PDF of what is there now; the same until something moves."""
    t, services = stranger(request).t, services_of(request)
    case = services.library.case(room.case_id)
    labels = labels_of(t, offset)
    spoken = Lang(t.lang) if t.lang in case.words else room.lang
    now = labels.moment(services.clock.now())
    version = await services.afterwards.records.versions(room.id)
    arguments = {
        "class": room.id,
        "labels": asdict(labels),
        "made": labels("made", code=room.code, case=case.words[spoken].title, when=now),
        "name": _name(room, labels, "pdf"),
    }
    key = f"report:{room.id}:{version}:{t.lang}:{labels.offset}"
    return await desk.order("report", arguments, f"class:{room.id}", key)


@calls.get(
    "/api/classes/{code}/export.zip", response_class=Response, responses=file_of("application/zip")
)
async def export(request: Request, room: TheClass, offset: int | None = None) -> Response:
    """Everything that is kept of the class."""
    t, afterwards = stranger(request).t, services_of(request).afterwards
    report = await afterwards.report(room, t.lang)
    kept = await afterwards.records.everything(room.id)
    labels = labels_of(t, offset)
    content = await asyncio.to_thread(archive, report, kept, labels)
    return _file(content, "application/zip", _name(room, labels, "zip"))


def _name(room: Classroom, labels: Labels, kind: str) -> str:
    return f"amazonia-{room.code}-{labels('file_report')}.{kind}"


def _file(content: bytes, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=kind, headers=headers)


# ── the data ────────────────────────────────────────────────────────────────────────────────────


@calls.post("/api/classes/{code}/questionnaire")
async def switch_questionnaire(
    services: TheServices, room: TheClass, body: models.SwitchBody
) -> Response:
    """Ask the teams to judge sources before and after, or stop asking."""
    after = await services.afterwards.switch_questionnaire(room, on=body.on)
    return Json({"questionnaire": after.questionnaire})


@calls.post("/api/classes/{code}/keep")
async def keep(services: TheServices, room: TheClass, body: models.KeepBody) -> Response:
    """Keep the class for so many days after something last happened in it."""
    after = await services.afterwards.keep(room, body.days)
    return Json({"keep_days": after.keep_days})


@calls.post("/api/classes/{code}/erase")
async def erase(services: TheServices, room: TheClass, body: models.EraseBody) -> Response:
    """Erase the class and everything that is kept of it; its code confirms it."""
    if "".join(body.confirm.split()).upper() != room.code:
        raise BadAnswer(f"confirm must be the class's code, {room.code}; nothing was erased")
    erased = await services.afterwards.erase(room)
    return Json({"erased": dict(erased)})


# ── the questionnaire, as a team sees it ────────────────────────────────────────────────────────


@pages.get("/judge")
async def judge_page(here: Seated) -> Response:
    """The questionnaire, if it is time for it."""
    desk = here.team
    asked = await services_of(here.request).afterwards.asked(desk.record)
    words = desk.book.words.questionnaire
    if asked is None or words is None:
        return RedirectResponse(_next(desk.record), 303)
    return here.page(
        "judge.html",
        asked=asked,
        judged=words,
        page_data={"words": here.t.group("js", "js_judge")},
    )


@calls.post("/api/judgement")
async def judge(services: TheServices, team: TheTeam, body: models.JudgementBody) -> Response:
    """A team's marks; none at all mean that it skips the questionnaire."""
    kept = await services.afterwards.answer(team, body.marks)
    return Json({"kept": kept, "next": _next(team)})


def _next(team: Team) -> str:
    return "/ending" if team.state.editions else "/newsroom"
