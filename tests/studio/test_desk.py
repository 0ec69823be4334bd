"""An author's desk: it follows the files, keeps the last good case, says why a question fits."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from amazonia.content.new import new_case
from amazonia.domain.case import Lang
from amazonia.domain.session import atoms, begin
from amazonia.studio.app import create_desk
from amazonia.studio.desk import Desk, Good, ask, scene, state_of

PT = Lang("pt-BR")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a new case on it, read once."""
    found = Desk(new_case(tmp_path, "filo"), tmp_path / "learned")
    found.look()
    return found


def save(desk: Desk, file: str, old: str, new: str) -> None:
    """Change a file as an editor would, and let the desk look."""
    path = desk.folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    desk.look()


def good(desk: Desk) -> Good:
    """What lies on the desk."""
    assert desk.good is not None
    return desk.good


def test_a_new_case_is_proven(desk: Desk) -> None:
    """A fresh case lies on the desk without findings."""
    assert (desk.state, desk.findings, desk.faulty) == ("done", [], False)


def test_a_save_is_seen(desk: Desk) -> None:
    """Words that were saved are spoken at the next question; nothing happens without a save."""
    version = desk.version
    desk.look()
    assert desk.version == version
    save(desk, "text.pt-BR/rosa.yaml", "Dei a couve dela às nove.", "Dei alface às nove.")
    answer = ask(good(desk), PT, {"character": "rosa", "question": "cadê a Filó?"})
    assert any("alface" in line for line in answer["lines"])


def test_a_faulty_save_keeps_the_last_good_case(desk: Desk) -> None:
    """A file that does not load is named with its line, and the case before it can be asked on."""
    save(desk, "case.yaml", "when: folhas + portao", "when: folhas + portaa")
    assert desk.faulty
    assert [(f.code, f.file.endswith("case.yaml")) for f in desk.findings] == [("L03", True)]
    assert ask(good(desk), PT, {"character": "rosa", "question": "cadê a Filó?"})["lines"]
    save(desk, "case.yaml", "when: folhas + portaa", "when: folhas + portao")
    assert (desk.faulty, desk.findings) == (False, [])


def test_a_save_that_breaks_a_proof_is_shown_and_its_finding_too(desk: Desk) -> None:
    """A case that loads is shown although a proof fails."""
    save(desk, "case.yaml", "steps: [{clue: portao}]", "steps: [{}]")
    assert {f.code for f in desk.findings} == {"P02"}
    assert not desk.faulty


def test_it_starts_anywhere(desk: Desk) -> None:
    """With any atoms held, what they open is open."""
    case = good(desk).case
    held = ["folhas", "portao", "r_caminho", "rosa.filo@2", "mostra:nico:folhas"]
    assert atoms(case, state_of(case, held)) >= set(held)
    assert state_of(case, []) == begin(case)
    closed, opened = scene(good(desk), PT, []), scene(good(desk), PT, ["folhas", "portao"])
    assert (closed["riddles"][0]["open"], closed["riddles"][0]["waits"]) == (
        False,
        ["folhas", "portao"],
    )
    assert opened["riddles"][0]["open"]
    assert scene(good(desk), PT, held)["publish"]


def test_a_question_says_why(desk: Desk) -> None:
    """The topic that matched, its score, what counted, and what the team holds afterwards."""
    asked = {"character": "rosa", "question": "viu alguma coisa no chão perto do cercado?"}
    first = ask(good(desk), PT, asked)
    assert (first["decision"], first["topics"][0]["id"]) == ("answer", "filo")
    assert first["topics"][0]["score"] > 0.7
    assert first["why"]
    second = ask(good(desk), PT, asked | {"have": first["have"]})
    assert second["clues"] == ["folhas"]
    assert {"folhas", "rosa.filo@2"} <= set(second["have"])


def test_the_page(desk: Desk) -> None:
    """Page, status, questions and drawing come over HTTP; another site is refused."""
    with TestClient(create_desk(desk, "pt-BR"), base_url="http://127.0.0.1") as client:
        assert 'lang="pt-BR"' in client.get("/").text
        assert client.get("/status").json()["ready"]
        answer = client.post("/ask", json={"character": "rosa", "question": "cadê a Filó?"})
        assert answer.json()["topics"][0]["id"] == "filo"
        assert client.post("/ask", json={"character": "eva", "question": "?"}).status_code == 400
        assert client.post("/ask", content=b"{").status_code == 400
        assert client.post("/scene", json=[]).status_code == 400
        assert client.get("/graph.svg").headers["content-type"].startswith("image/svg+xml")
        assert client.get("/portrait/rosa.svg").status_code == 404
        assert client.get("/status", headers={"host": "evil.example"}).status_code == 400
