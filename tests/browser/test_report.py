"""What a teacher sees and does afterwards, in a browser; what a team is asked before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Browser, Page
from pypdf import PdfReader
from tests.browser.conftest import Studio
from tests.domain.world import lama

PATHS = {"riddle": "riddles", "counter": "counter"}
PHONE = {"viewport": {"width": 360, "height": 740}}
UNNAMED = """[...document.querySelectorAll("svg[role=img], input, button, a, table, [role=region]")]
  .filter(e => e.checkVisibility() && !(e.ariaLabel || e.title || e.innerText?.trim()
    || e.labels?.length || e.querySelector("svg[aria-label], title, [role=img]")))
  .map(e => e.outerHTML.slice(0, 120))"""


def open_class(studio: Studio) -> str:
    """The code of a class that this window's teacher opened."""
    opened = studio.context.request.post(f"{studio.url}/api/classes", data={"lang": "pt-BR"})
    assert opened.status == 201
    return str(opened.json()["code"])


def play(call: APIRequestContext, url: str, moves: int | None = None) -> None:
    """Play a shortest walkthrough, or its first moves."""
    for action in lama().guide.walkthrough()[:moves]:
        kind = action["do"]
        body: dict[str, Any] = {k: v for k, v in action.items() if k not in {"do", "id"}}
        path = f"{PATHS[kind]}/{action['id']}" if kind in PATHS else kind
        assert call.post(f"{url}/api/{path}", data=body).ok, action


def join(chromium: Browser, studio: Studio, code: str, moves: int | None) -> None:
    """A team joins on its own machine and plays."""
    context = chromium.new_context()
    joined = context.request.post(f"{studio.url}/api/session", data={"class_code": code})
    assert joined.status == 201
    play(context.request, studio.url, moves)
    context.close()


def look(page: Page) -> None:
    """Nothing is wider than the window; whatever can be used or looked at has a name."""
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    assert page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("studio", [{}, PHONE], indirect=True, ids=["desk", "phone"])
def test_a_teacher_reads_saves_and_erases(
    studio: Studio, chromium: Browser, tmp_path: Path
) -> None:
    """Charts with their tables, a PDF that a job made; after the code was typed nothing is left."""
    code = open_class(studio)
    join(chromium, studio, code, None)
    join(chromium, studio, code, 9)
    page = studio.go(f"/class/{code}/report")
    page.locator(".chart").first.wait_for()
    assert page.locator(".figures dd").all_inner_texts()[0] == "2"
    assert "1 de 2" in page.locator(".figures").inner_text()
    assert page.locator(".chart").count() >= 4
    look(page)
    for summary in page.locator("summary").all():
        summary.click()
    look(page)
    page.screenshot(path=tmp_path / "report.png", full_page=True)

    with page.expect_download() as saving:
        page.click("[data-pdf]")
    saving.value.save_as(tmp_path / "report.pdf")
    assert saving.value.suggested_filename == f"amazonia-{code}-relatorio.pdf"
    text = PdfReader(tmp_path / "report.pdf").pages[0].extract_text()
    assert "Relatório da turma" in text
    page.get_by_text("O PDF está pronto.").wait_for()

    page.fill("#keep", "30")
    page.click("[data-keep] button")
    page.get_by_text("Mudado.").wait_for()
    page.fill("#erase", "BBBBBB")
    page.click("[data-erase] button")
    page.get_by_text("Nada foi apagado.").wait_for()
    page.fill("#erase", code.lower())
    page.click("[data-erase] button")
    page.get_by_text(f"A turma {code} foi apagada.").wait_for()
    gone = studio.context.request.get(f"{studio.url}/api/classes/{code}/report.csv")
    assert gone.status == 403


@pytest.mark.parametrize("studio", [{}, PHONE], indirect=True, ids=["desk", "phone"])
def test_a_team_judges_sources_by_keyboard(studio: Studio) -> None:
    """It is asked before the newsroom, told what is missing, and goes on when all are marked."""
    code = open_class(studio)
    api = studio.context.request
    assert api.post(f"{studio.url}/api/classes/{code}/questionnaire", data={"on": True}).ok
    assert api.post(f"{studio.url}/api/session", data={"class_code": code}).status == 201
    page = studio.go("/newsroom")
    assert page.url.endswith("/judge")
    look(page)
    page.get_by_role("button", name="Pronto").click()
    page.get_by_text("Faltam 6 fontes.").wait_for()
    for group in page.locator("fieldset").all():
        group.locator("input").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert group.locator("input:checked").get_attribute("value") == "3"
    page.get_by_role("button", name="Pronto").press("Enter")
    page.wait_for_url("**/newsroom")
    play(api, studio.url)
    page = studio.go("/ending")
    page.get_by_role("link", name="julgar mais seis fontes").click()
    page.get_by_role("button", name="Pular").click()
    page.wait_for_url("**/ending")
    assert page.get_by_role("link", name="julgar mais seis fontes").count() == 0


def test_the_pupils_sheet_is_one_page(studio: Studio, tmp_path: Path) -> None:
    """A4, and nothing of it on a second page."""
    page = studio.go("/class/sheet")
    look(page)
    page.pdf(path=tmp_path / "sheet.pdf", format="A4")
    assert len(PdfReader(tmp_path / "sheet.pdf").pages) == 1
