"""A class of forty teams in the real server, six of them and the teacher in real browsers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Studio
from tests.browser.test_admin import BIGGER, FAINT, NAMELESS
from tests.server import Server

pytestmark = pytest.mark.browser

QUESTIONS = ("por que os peixes morreram?", "em que ordem os peixes morreram?", "e o oxigênio?")
BY_HTTP, IN_BROWSERS = 34, 6
PATIENCE = 60_000


def opened(page: Page, url: str) -> str:
    """Open a class by keyboard, as fast as a teacher can; its code."""
    page.goto(f"{url}/class")
    page.get_by_label("Senha para voltar").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".code-big")
    return page.url[-6:]


def joined(page: Page, url: str, code: str) -> str:
    """Join as a QR code leads, by keyboard; the team's name."""
    page.goto(f"{url}/j/{code}")
    page.locator(":focus").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/opening")
    page.keyboard.press("Escape")
    name = page.get_by_label("Nome da equipe").input_value()
    page.get_by_role("button", name="Entrar na redação").click()
    page.wait_for_url("**/newsroom")
    return name


def asked(page: Page, question: str) -> None:
    """Ask whoever is interviewed and wait for the whole reply."""
    replies = page.locator(".turn[data-turn] .said.done")
    before = replies.count()
    page.fill("#question", question)
    page.keyboard.press("Enter")
    replies.nth(before).wait_for()


def problems(page: Page) -> list[Any]:
    """What a page does wrong for eyes, keyboards and screen readers."""
    wide, window = page.evaluate(BIGGER)
    too_wide = [f"{wide} > {window}"] if wide > window else []
    return [*page.evaluate(FAINT), *page.evaluate(NAMELESS), *too_wide]


@contextmanager
def window(browser: Browser, **options: Any) -> Iterator[Page]:
    """Another window, of another team."""
    context = browser.new_context(**{"locale": "pt-BR", **options})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


async def crowd(url: str, code: str) -> list[httpx.AsyncClient]:
    """Thirty-four teams that join at once from one address and play."""

    async def one(number: int) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=url, timeout=30)
        answer = await client.post("/api/session", json={"class_code": code})
        assert answer.status_code == 201, answer.text
        for question in QUESTIONS[: number % 4]:
            body = {"entity_id": "esmerina", "message": question}
            (await client.post("/api/chat", json=body)).raise_for_status()
        return client

    return await asyncio.gather(*map(one, range(BY_HTTP)))


def played(url: str, code: str) -> None:
    """The crowd, which needs no window, comes and goes."""

    async def all_of_them() -> None:
        for client in await crowd(url, code):
            await client.aclose()

    asyncio.run(all_of_them())


def in_thread(call: Any, *arguments: Any) -> None:
    """Run what has an event loop of its own beside Playwright's."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(call, *arguments).result()


def test_a_class_of_forty(studio: Studio, chromium: Browser, server: Server) -> None:
    """Join, play, a browser that crashes, one hint, a pause, the end, the report, everything
    erased; the teacher's page tells it all as it happens.
    """
    teacher, url = studio.page, server.url
    code = opened(teacher, url)
    expect(teacher.locator("#key")).not_to_have_value("", timeout=PATIENCE)
    key_link = teacher.locator("#key").input_value()
    teacher.get_by_role("button", name="Já guardei").click()
    in_thread(played, url, code)
    rows = teacher.locator("tr.team")
    expect(rows).to_have_count(BY_HTTP, timeout=PATIENCE)

    contexts = [chromium.new_context(locale="pt-BR") for _ in range(IN_BROWSERS)]
    teams = [context.new_page() for context in contexts]
    names = [joined(page, url, code) for page in teams]
    assert len(set(names)) == IN_BROWSERS
    expect(rows).to_have_count(BY_HTTP + IN_BROWSERS, timeout=PATIENCE)
    expect(teacher.get_by_text("40 equipes")).to_be_visible()

    for page in teams:
        page.goto(f"{url}/interview/esmerina")
        expect(page.get_by_text("pode ler o que vocês perguntam")).to_be_visible()
        asked(page, QUESTIONS[0])

    # One browser crashes in the middle of a question; on another machine the team goes on.
    first = teams[0]
    resume = contexts[0].request.get(f"{url}/api/state").json()["team"]["resume_code"]
    first.fill("#question", QUESTIONS[1])
    first.keyboard.press("Enter")
    contexts[0].close()
    contexts[0] = chromium.new_context(locale="pt-BR")
    first = teams[0] = contexts[0].new_page()
    contexts[0].request.post(f"{url}/api/session/resume", data={"resume_code": resume})
    first.goto(f"{url}/interview/esmerina")
    expect(first.get_by_text(QUESTIONS[0])).to_be_visible()

    # A hint for one of them arrives there and nowhere else.
    row = teacher.locator("tr.team", has_text=names[1])
    row.get_by_role("button", name=f"Dica: {names[1]}").click()
    expect(teams[1].get_by_role("heading", name="Dica do professor")).to_be_visible(
        timeout=PATIENCE
    )
    assert teams[2].get_by_role("heading", name="Dica do professor").count() == 0

    # A pause covers every page; what is asked through it waits, and goes out afterwards.
    teacher.get_by_role("button", name="Pausar todos").click()
    for page in teams:
        expect(page.get_by_role("heading", name="Pausa")).to_be_visible(timeout=PATIENCE)
    expect(teacher.locator(".mood.is-paused")).to_have_count(40, timeout=PATIENCE)
    teacher.get_by_role("button", name="Retomar").click()
    for page in teams:
        expect(page.get_by_role("heading", name="Pausa")).to_have_count(0, timeout=PATIENCE)
    asked(teams[3], QUESTIONS[2])

    # One team is removed while it plays, and is told kindly.
    row = teacher.locator("tr.team", has_text=names[5])
    row.get_by_role("button", name=f"Tirar: {names[5]}").click()
    row.get_by_role("button", name=f"Tirar: {names[5]}").click()
    expect(teams[5].get_by_role("heading", name="Esta equipe saiu da turma")).to_be_visible(
        timeout=PATIENCE
    )
    expect(teacher.get_by_text("39 equipes")).to_be_visible(timeout=PATIENCE)

    end = teacher.locator("[data-do=end]")
    end.click()
    end.click()
    expect(teams[4].get_by_role("heading", name="A turma terminou")).to_be_visible(timeout=PATIENCE)
    expect(teacher.locator(".mood.is-ended")).to_have_count(39, timeout=PATIENCE)

    teacher.get_by_role("link", name="Relatório").click()
    expect(teacher.get_by_text(names[1]).first).to_be_visible(timeout=PATIENCE)
    api = studio.context.request
    pdf = api.get(f"{url}/api/classes/{code}/report.pdf")
    assert pdf.body().startswith(b"%PDF-")
    csv = api.get(f"{url}/api/classes/{code}/report.csv").body().decode("utf-8-sig")
    assert all(name in csv for name in names[:5])

    erased = api.post(f"{url}/api/classes/{code}/erase", data={"confirm": code})
    assert erased.ok, erased.text()
    assert contexts[1].request.get(f"{url}/api/state").status == 401
    with window(chromium) as stranger:
        stranger.goto(key_link)
        expect(stranger.get_by_text("Este link não leva a nenhuma turma")).to_be_visible()
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    "studio",
    [
        {"viewport": {"width": 1366, "height": 768}},
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    ],
    ids=["desk", "phone"],
    indirect=True,
)
def test_every_page_of_a_class_can_be_read(studio: Studio, chromium: Browser) -> None:
    """Contrast, names for screen readers, nothing wider than the window; a vote from end to end."""
    page, url = studio.page, studio.url
    page.goto(f"{url}/class")
    assert problems(page) == []
    code = opened(page, url)
    assert problems(page) == []
    with window(chromium, viewport={"width": 360, "height": 740}) as team:
        joined(team, url, code)
        page.locator("tr.team").wait_for()
        page.fill("#option-1", "Dona Esmerina")
        page.fill("#option-2", "Josué")
        page.get_by_role("button", name="Abrir a votação").click()
        team.get_by_role("button", name="Josué").click()
        expect(team.get_by_text("Voto anotado")).to_be_visible()
        expect(team.get_by_role("button", name="Josué")).to_be_hidden()  # the slip folded up
        team.goto(f"{url}/interview/esmerina")
        expect(team.get_by_text("A turma vota")).to_be_visible()
        team.fill("#question", "eu quero morrer")
        team.keyboard.press("Enter")
        expect(team.get_by_text("188 (CVV)")).to_be_visible()
        expect(team.get_by_text("A turma vota")).to_be_hidden()  # nothing lies over it
        assert problems(team) == []
        page.fill("#hands-0", "7")
        page.keyboard.press("Tab")
        wall = studio.context.new_page()
        wall.goto(f"{url}/class/{code}/wall")
        bars = wall.locator("[data-vote-bars] tbody tr")
        expect(bars.nth(0)).to_contain_text("7 votos", timeout=PATIENCE)
        expect(bars.nth(1)).to_contain_text("1 voto", timeout=PATIENCE)
        assert problems(wall) == []
        wall.get_by_role("button", name="Quadro da turma").click()
        expect(wall.locator("[data-board] tbody tr")).not_to_have_count(0)
        wall.get_by_role("button", name="Código").click()
        expect(wall.get_by_text(code)).to_be_visible()
        assert problems(wall) == []


def test_words_of_distress_are_answered_in_the_interview(studio: Studio) -> None:
    """In place of a character, with whom to call; what was typed goes nowhere."""
    studio.begin()
    page = studio.go("/interview/esmerina")
    page.fill("#question", "eu quero morrer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").get_by_text("188 (CVV)")).to_be_visible()
    assert page.input_value("#question") == ""
    assert page.locator(".turn[data-turn]").count() == 0
    studio.faults[:] = [fault for fault in studio.faults if "422" not in fault]
