"""A team plays in a browser: from the start to a solved riddle, whatever the network does."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Studio

pytestmark = pytest.mark.browser

OXYGEN = "O que você mediu na água do Cochicho?"
DEATHS = ["O que aconteceu com os peixes do Cochicho?", "o que aconteceu com os peixes?"]
ORDER = ["Beiço inchado", "Pescada morta", "Tucunaré", "Traíra"]


def put_in_order(page: Page, texts: list[str]) -> None:
    """Move the pieces of an order riddle by their keys."""
    for place, text in enumerate(texts):
        item = page.locator("[data-piece]", has_text=text)
        while text not in page.locator("[data-piece]").nth(place).inner_text():
            item.locator("[data-up]").press("Enter")


def test_from_the_start_to_a_solved_riddle(studio: Studio) -> None:
    """By keyboard alone: start, opening, newsroom, questions, clues, a riddle."""
    page = studio.go("/")
    page.get_by_role("button", name="Nova investigação").press("Enter")
    page.wait_for_url("**/opening")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Entrar na redação").press("Enter")
    page.wait_for_url("**/newsroom")

    page.locator(".people").get_by_role("link", name=re.compile("Josué")).press("Enter")
    page.wait_for_url("**/interview/josue")
    assert "0,4" in studio.ask(OXYGEN)
    expect(page.locator(".stamped")).to_contain_text("Zero vírgula quatro")
    expect(page.locator('[data-count="clues"]')).to_have_text("2")
    page.fill("#question", "")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#question")).to_have_value(OXYGEN)
    page.keyboard.press("Escape")
    page.wait_for_url("**/newsroom")

    studio.go("/interview/esmerina")
    for question in DEATHS:
        studio.ask(question)
    page.locator(".unlocked").get_by_role("link", name=re.compile("Enigma")).press("Enter")
    page.wait_for_url("**/riddle/r_ordem")
    put_in_order(page, ORDER[::-1])
    page.get_by_role("button", name="Responder").press("Enter")
    expect(page.locator("[data-verdict]")).to_contain_text("Ainda não")
    put_in_order(page, ORDER)
    page.get_by_role("button", name="Responder").press("Enter")
    expect(page.locator("#solved")).to_be_focused()
    expect(page.locator("#solved")).to_contain_text("É isso")
    page.get_by_role("link", name="Voltar para a redação").first.press("Enter")
    expect(page.locator(".people").get_by_role("link", name=re.compile("Kelvin"))).to_be_visible()


def test_a_reload_in_the_middle_of_a_reply_resumes(studio: Studio) -> None:
    """The turn goes on without its listener and is there once, whole, after the reload."""
    studio.begin()
    page = studio.go("/interview/josue")
    page.route("**/api/turns/**", lambda route: route.abort("connectionreset"))
    page.fill("#question", OXYGEN)
    with page.expect_response("**/api/chat"):
        page.keyboard.press("Enter")
    page.unroute("**/api/turns/**")
    page.reload()
    expect(page.locator(".turn[data-turn] .said.done")).to_contain_text("0,4")
    expect(page.locator(".asked")).to_have_count(1)
    studio.faults.clear()  # the lost connection itself is told on the console


def test_a_stream_that_breaks_goes_on_by_itself(studio: Studio) -> None:
    """The browser reconnects and the reply comes, without a reload."""
    studio.begin()
    page = studio.go("/interview/josue")
    page.route("**/api/turns/**", lambda route: route.abort("connectionreset"), times=1)
    assert "0,4" in studio.ask(OXYGEN)
    expect(page.locator(".stamped")).to_have_count(1)
    studio.faults.clear()


def test_without_network_the_question_is_kept_and_sent_once(studio: Studio) -> None:
    """The page says that it waits; when the network is back the question goes out by itself."""
    studio.begin()
    page = studio.go("/interview/josue")
    studio.context.set_offline(True)
    page.fill("#question", OXYGEN)
    page.keyboard.press("Enter")
    expect(page.locator(".waiting")).to_contain_text("Sem rede")
    expect(page.locator("[data-offline]")).to_be_visible()
    studio.context.set_offline(False)
    expect(page.locator(".turn[data-turn] .said.done")).to_contain_text("0,4")
    history = studio.context.request.get(f"{studio.url}/api/history/josue").json()
    assert [turn["message"] for turn in history] == [OXYGEN]
    studio.faults.clear()


def test_a_question_typed_but_not_sent_survives_a_reload(studio: Studio) -> None:
    """What was typed is never lost, sent or not."""
    studio.begin()
    page = studio.go("/interview/josue")
    page.fill("#question", "E o motor")
    page.reload()
    expect(page.locator("#question")).to_have_value("E o motor")
    page.fill("#question", "")
    page.route("**/api/chat", lambda route: route.abort("connectionreset"))
    page.fill("#question", OXYGEN)
    page.keyboard.press("Enter")
    expect(page.locator(".waiting")).to_be_visible()
    page.unroute("**/api/chat")
    page.reload()
    expect(page.locator(".turn[data-turn] .said.done")).to_contain_text("0,4")
    history = studio.context.request.get(f"{studio.url}/api/history/josue").json()
    assert len(history) == 1
    studio.faults.clear()


def test_a_clue_is_laid_on_the_table(studio: Studio) -> None:
    """The drawer proposes the clue's own question, and the transcript remembers what was shown."""
    studio.begin()
    page = studio.go("/interview/graca")
    page.get_by_role("button", name="Mostrar uma pista").click()
    page.locator(".evidence", has_text="O adesivo do transmissor").click()
    expect(page.locator("#question")).to_have_value("O que este adesivo conta?")
    page.keyboard.press("Enter")
    page.locator(".turn[data-turn] .said.done").wait_for()
    page.reload()
    expect(page.locator(".asked .laid")).to_contain_text("O adesivo do transmissor")


def test_the_board_ties_strings_by_key_and_by_pointer(studio: Studio) -> None:
    """A string that the case knows says why; any other is the team's own."""
    studio.begin()
    studio.go("/interview/josue")
    studio.ask(OXYGEN)
    page = studio.go("/notebook")
    page.locator('[data-link="patrocinio"]').press("Enter")
    expect(page.locator("[data-linking]")).to_contain_text("O adesivo do transmissor")
    page.locator('[data-link="oxigenio"]').press("Enter")
    expect(page.locator("[data-pair]")).to_have_class("loose")
    expect(page.locator("[data-strings] path.loose")).to_have_count(1)
    page.get_by_role("button", name="desatar").press("Enter")
    expect(page.locator("[data-pair]")).to_have_count(0)
    page.locator("#patrocinio [data-pin]").drag_to(page.locator("#oxigenio .summary"))
    expect(page.locator("[data-pair]")).to_have_count(1)
    page.get_by_role("button", name="Zero vírgula quatro").press("Enter")
    expect(page.locator("[data-table]")).to_be_visible()
    expect(page.locator("[data-docs] .doc-meter")).to_be_visible()


def test_a_team_comes_back_with_its_code(studio: Studio) -> None:
    """The code on the card leads back to the same newsroom, from a browser that left."""
    studio.begin()
    page = studio.go("/code")
    code = page.locator(".press-code").inner_text()
    name = page.locator(".press-name").inner_text()
    page.get_by_role("button", name="Sair deste computador").click()
    page.wait_for_url(f"{studio.url}/")
    page.locator("summary", has_text="Voltar com código").click()
    page.fill("#resume-code", "AAAA-BBBB-CCCC")
    page.keyboard.press("Enter")
    expect(page.locator("[data-resume] .error")).to_be_visible()
    page.fill("#resume-code", code.lower().replace("-", " "))
    page.keyboard.press("Enter")
    page.wait_for_url("**/newsroom")
    expect(page.locator(".foot-team")).to_have_text(name)
    studio.faults.clear()  # the 404 for the wrong code


@pytest.mark.parametrize(
    "studio",
    [{"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}],
    indirect=True,
)
def test_nothing_is_wider_than_a_phone(studio: Studio) -> None:
    """No page scrolls sideways at 360 pixels, and each has one heading of the first level."""
    studio.begin()
    for path in ["/", "/opening", "/newsroom", "/interview/josue", "/notebook", "/challenges"]:
        page = studio.go(path)
        page.wait_for_load_state()
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, path
        assert page.locator("h1").count() == 1, path


def test_pages_speak_english(studio: Studio) -> None:
    """The switch changes the interface's language for good; the case keeps its own."""
    studio.begin()
    page = studio.go("/newsroom?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page = studio.go("/notebook")
    expect(page.locator("h1")).to_have_text("Field notebook")
    expect(page.locator("[data-board]")).to_have_attribute("lang", "pt-BR")


def test_without_a_session_pages_lead_to_the_start(studio: Studio) -> None:
    """A page of a team that nobody is signed in to is no error."""
    page = studio.go("/newsroom")
    expect(page).to_have_url(f"{studio.url}/")


def test_what_is_not_there_is_said_in_the_newsrooms_voice(studio: Studio) -> None:
    """Unknown addresses, riddles not reached and people who do not answer yet have a page."""
    studio.begin()
    for path in ["/nada", "/riddle/r_elo", "/ending"]:
        expect(studio.go(path).locator("h1")).to_have_text("Essa página não saiu nesta edição")
    expect(studio.go("/interview/neia").locator(".erratum")).to_contain_text("Néia")
    studio.faults.clear()  # statuses 404 and 409
