"""A class's report over HTTP: its page, its files, the end of its data, and who may have them."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from tests.classroom.classes import record
from tests.classroom.enrol import enrol
from tests.classroom.test_report import HASTY, LATE, THOROUGH

from amazonia.domain.case import CharacterId
from amazonia.domain.session import Spoken
from amazonia.ports.reports import Record
from amazonia.services import Services

NewClient = Callable[[], httpx.AsyncClient]
HTML = {"Accept": "text/html"}


async def a_class(app: FastAPI, teacher: httpx.AsyncClient, *records: Record) -> str:
    """The code of a class that this teacher opened, and in which these teams played."""
    code = str((await teacher.post("/api/classes", json={})).json()["code"])
    services: Services = app.state.services
    room = await services.registry.classes.by_code(code)
    assert room is not None
    await enrol(services, room, records)
    return code


def rows_of(content: bytes) -> list[dict[str, str]]:
    """A spreadsheet as a Brazilian Excel reads it."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


async def test_only_its_teacher_sees_a_class(app: FastAPI, browser: NewClient) -> None:
    """Neither strangers, nor its teams, nor the teacher of another class."""
    async with browser() as teacher, browser() as other, browser() as team, browser() as stranger:
        code = await a_class(app, teacher, THOROUGH)
        await other.post("/api/classes", json={})
        await team.post("/api/session", json={"class_code": code})
        gets = ["report.csv", "report.pdf", "export.zip"]
        posts: list[tuple[str, dict[str, Any]]] = [
            ("questionnaire", {"on": True}),
            ("keep", {"days": 30}),
            ("erase", {"confirm": code}),
        ]
        for client in (other, team, stranger):
            page = await client.get(f"/class/{code}/report", headers=HTML)
            assert page.status_code == 403
            for name in gets:
                assert (await client.get(f"/api/classes/{code}/{name}")).status_code == 403
            for name, body in posts:
                answer = await client.post(f"/api/classes/{code}/{name}", json=body)
                assert answer.status_code == 403
        assert (await teacher.get(f"/class/{code}/report", headers=HTML)).status_code == 200


async def test_the_page_tells_what_happened(app: FastAPI, browser: NewClient) -> None:
    """Every team, claim and question, each chart with a name and a table behind it."""
    async with browser() as teacher:
        code = await a_class(app, teacher, THOROUGH, HASTY, LATE)
        page = (await teacher.get(f"/class/{code}/report?lang=pt-BR", headers=HTML)).text
    for told in ("Boto", "Tracajá", "Mucura", "2 de 3", "EF07CI02", "sem a prova"):
        assert told in page
    charts = re.findall(r'<svg class="chart"[^>]*role="img"[^>]*aria-label="[^"]+"', page)
    assert len(charts) == page.count('<svg class="chart"') == page.count("<figure>") == 5
    assert page.count("Ver em tabela") == 5
    assert "%" not in re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL), "three teams"


async def test_an_empty_class_has_a_page(app: FastAPI, browser: NewClient) -> None:
    """Before anybody played it says so, and every file can be had all the same."""
    async with browser() as teacher:
        code = await a_class(app, teacher)
        page = await teacher.get(f"/class/{code}/report?lang=pt-BR", headers=HTML)
        assert "Nenhuma equipe jogou ainda" in page.text
        for name in ("report.csv", "report.pdf", "export.zip"):
            got = await teacher.get(f"/api/classes/{code}/{name}")
            assert got.status_code == 200, got.text[:500]


async def test_the_sheet_opens_in_a_brazilian_excel(app: FastAPI, browser: NewClient) -> None:
    """Byte order mark, semicolons, decimal comma, dd/mm/aaaa by the clock of whoever asks."""
    async with browser() as teacher:
        code = await a_class(app, teacher, THOROUGH, HASTY, LATE)
        answer = await teacher.get(f"/api/classes/{code}/report.csv?lang=pt-BR&offset=-240")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="amazonia-{code}-relatorio.csv"'
    )
    boto = next(row for row in rows_of(answer.content) if row["Equipe"] == "Boto")
    assert boto["Minutos ativos"] == "8,7"
    # 1,790,000,000 is 21 September 2026, 14:13:20 UTC.
    assert (boto["Começou"], boto["Última atividade"]) == ("21/09/2026 10:13", "21/09/2026 11:22")
    assert (boto["Pistas"], boto["Enigmas resolvidos"], boto["Frases provadas"]) == ("4", "1", "1")


@pytest.mark.parametrize("name", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
async def test_no_cell_is_a_formula(app: FastAPI, browser: NewClient, name: str) -> None:
    """A name that a spreadsheet would calculate is a text."""
    async with browser() as teacher:
        code = await a_class(app, teacher, record((1, []), name=name))
        for kind in ("pt-BR", "en"):
            answer = await teacher.get(f"/api/classes/{code}/report.csv?lang={kind}")
            cell = answer.content.decode("utf-8-sig").splitlines()[1]
            assert cell.startswith("'")


async def test_the_pdf_can_be_read(app: FastAPI, browser: NewClient, tmp_path: Path) -> None:
    """Accents and quotes come out as text, on pages of A4 that are not empty."""
    odd = record((5, [Spoken(CharacterId("cida"), ("x",))]), name="Açaí 🐟 «ção»")
    async with browser() as teacher:
        code = await a_class(app, teacher, THOROUGH, HASTY, odd)
        answer = await teacher.get(f"/api/classes/{code}/report.pdf?lang=pt-BR")
    assert answer.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    for told in ("Relatório da turma", "Tracajá", "Açaí «ção»", "2 de 3"):
        assert told in text
    assert code in text
    assert "�" not in text
    width, height = (float(pages[0].mediabox[n]) / 72 * 25.4 for n in (2, 3))
    assert (round(width), round(height)) == (210, 297)
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is not installed: the pages were read, but not looked at")
    _look_at(answer.content, tmp_path)


def _look_at(content: bytes, folder: Path) -> None:
    """Every page has ink, and most of it is paper."""
    (folder / "report.pdf").write_bytes(content)
    command = ["pdftoppm", "-r", "30", "-gray", str(folder / "report.pdf"), str(folder / "page")]
    subprocess.run(command, check=True, timeout=60)
    drawn = sorted(folder.glob("page*.pgm"))
    assert drawn
    for page in drawn:
        pixels = page.read_bytes().split(b"\n", 3)[-1]
        dark = sum(value < 128 for value in pixels) / len(pixels)
        assert 0.002 < dark < 0.35, f"{page.name}: {dark:.1%} dark"


async def test_everything_is_in_the_zip(app: FastAPI, browser: NewClient) -> None:
    """Sheets and tables, and nothing that opens a door."""
    async with browser() as teacher:
        code = await a_class(app, teacher, THOROUGH, HASTY)
        answer = await teacher.get(f"/api/classes/{code}/export.zip?lang=pt-BR")
    zipped = zipfile.ZipFile(io.BytesIO(answer.content))
    names = set(zipped.namelist())
    assert {"README.txt", "relatorio.csv", "caminho.csv", "frases.csv", "dados/turns.json"} <= names
    path = rows_of(zipped.read("caminho.csv"))
    assert [row["Nome"] for row in path if row["O quê"] == "enigma"]
    sentences = rows_of(zipped.read("frases.csv"))
    assert {row["Situação"] for row in sentences} == {"provada", "falsa", "sem a prova"}
    services: Services = app.state.services
    room = await services.registry.classes.by_code(code)
    assert room is not None
    everything = b"".join(zipped.read(name) for name in names).decode(errors="replace")
    for team in await services.registry.classes.teams(room.id):
        assert team.resume_code not in everything
    assert room.key not in everything


async def test_erasing_needs_the_code(app: FastAPI, browser: NewClient) -> None:
    """Another text erases nothing; the code does, at once, and the teams are out."""
    async with browser() as teacher, browser() as team:
        code = await a_class(app, teacher, THOROUGH)
        assert (await team.post("/api/session", json={"class_code": code})).status_code == 201
        url = f"/api/classes/{code}/erase"
        wrong = await teacher.post(url, json={"confirm": "BBBBBB"})
        assert wrong.status_code == 422
        assert (await team.get("/api/state")).status_code == 200
        done = await teacher.post(url, json={"confirm": f" {code.lower()} "})
        assert done.json()["erased"]["teams"] == 2
        assert (await team.get("/api/state")).status_code == 401
        assert (await teacher.get(f"/class/{code}/report", headers=HTML)).status_code == 403


async def test_a_team_judges_before_it_begins(app: FastAPI, browser: NewClient) -> None:
    """Where the teacher switched it on: the page asks, refuses half an answer, and goes on."""
    async with browser() as teacher, browser() as team:
        code = await a_class(app, teacher)
        assert (
            await teacher.post(f"/api/classes/{code}/questionnaire", json={"on": True})
        ).json() == {"questionnaire": True}
        await team.post("/api/session", json={"class_code": code})
        newsroom = await team.get("/newsroom", headers=HTML)
        assert (newsroom.status_code, newsroom.headers["location"]) == (303, "/judge")
        page = await team.get("/judge", headers=HTML)
        assert page.text.count("<fieldset") == 2
        half = await team.post("/api/judgement", json={"marks": {"placar": 5}})
        assert half.status_code == 422
        whole = await team.post("/api/judgement", json={"marks": {"placar": 5, "recado": 2}})
        assert whole.json() == {"kept": True, "next": "/newsroom"}
        assert (await team.get("/judge", headers=HTML)).status_code == 303


async def test_a_team_may_skip_it(app: FastAPI, browser: NewClient) -> None:
    """It is not asked again, and in no figure of the report."""
    async with browser() as teacher, browser() as team:
        code = await a_class(app, teacher)
        await teacher.post(f"/api/classes/{code}/questionnaire", json={"on": True})
        await team.post("/api/session", json={"class_code": code})
        assert (await team.post("/api/judgement", json={"marks": {}})).json()["kept"]
        assert (await team.get("/judge", headers=HTML)).status_code == 303
        page = await teacher.get(f"/class/{code}/report?lang=pt-BR", headers=HTML)
        assert "Nenhuma equipe respondeu ainda." in page.text


async def test_how_long_a_class_is_kept_is_told_and_changed(
    app: FastAPI, browser: NewClient
) -> None:
    """Half a year unless the teacher says otherwise, within bounds."""
    async with browser() as teacher:
        code = await a_class(app, teacher)
        page = await teacher.get(f"/class/{code}/report?lang=pt-BR", headers=HTML)
        assert "Tudo é apagado sozinho 180 dias depois" in page.text
        assert (
            await teacher.post(f"/api/classes/{code}/keep", json={"days": 3})
        ).status_code == 422
        await teacher.post(f"/api/classes/{code}/keep", json={"days": 30})
        page = await teacher.get(f"/class/{code}/report?lang=pt-BR", headers=HTML)
        assert "Tudo é apagado sozinho 30 dias depois" in page.text


async def test_the_pupils_sheet_is_anybodys(browser: NewClient) -> None:
    """It stands beside the classes' pages and tells nothing of any of them."""
    async with browser() as stranger:
        page = await stranger.get("/class/sheet?lang=pt-BR", headers=HTML)
        assert page.status_code == 200
        assert "folha da equipe" in page.text
        door = await stranger.get("/class?lang=pt-BR", headers=HTML)
        assert "/class/sheet" in door.text
