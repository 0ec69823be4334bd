"""A new revision of a case under a team that plays: ids renamed and removed, texts changed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.domain.walks import finished, follow, milestones
from tests.domain.world import lama, mini
from tests.worlds import CASES

from amazonia.content.load import load_case
from amazonia.domain.case import Case, CharacterId, ClueId, CounterId, TopicId
from amazonia.domain.revision import fit
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    CounterAsked,
    EvidenceShown,
    LinkDrawn,
    Published,
    Spoken,
    State,
    TopicDeepened,
    begin,
    play,
)
from amazonia.domain.solve import plan
from amazonia.groundwork import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app

CIDA, BETO = CharacterId("cida"), CharacterId("beto")


def revised(folder: Path, *changes: tuple[str, str], add: str = "") -> Path:
    """A copy of the small case with texts replaced in all of its files."""
    case = folder / "mini"
    shutil.copytree(CASES / "mini", case)
    for path in case.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text + add * (path.name == "case.yaml"), encoding="utf-8")
    return case


RENAMED = (("migalhas", "farelos"), ("  forno:", "  fornada:"), (": forno}", ": fornada}"))
MAP = "\nrenamed: {migalhas: farelos, cida.forno: cida.fornada}\n"


@pytest.mark.parametrize("world", [mini(), lama()], ids=["mini", "lama"])
def test_without_a_change_nothing_changes(world: Any) -> None:
    """Every state on the way through a case fits the case that it was made with."""
    states = milestones(world) if world is lama() else [begin(world.case), finished(world)]
    for state in states:
        assert fit(world.case, state) == state


def old_state() -> State:
    """A team of the old revision that has done a bit of everything."""
    return play(
        begin(mini().case),
        [
            Spoken(CIDA, ("topics/bolo/steps/0/says/0",), TopicId("bolo")),
            TopicDeepened(CIDA, TopicId("bolo"), 2),
            ClueFound(ClueId("migalhas"), "cida.bolo"),
            TopicDeepened(CIDA, TopicId("forno"), 2),
            ClueFound(ClueId("hora_forno"), "cida.forno"),
            EvidenceShown(CIDA, ClueId("migalhas")),
            CounterAsked(CounterId("cp1")),
            CounterAnswered(CounterId("cp1"), "b"),
            LinkDrawn((ClueId("migalhas"), ClueId("hora_forno"))),
            Spoken(BETO, ("topics/bolo/steps/0/says/0",), TopicId("bolo")),
            Published(("f1",), (("nome", "dito"),), "e3"),
        ],
    )


def load(folder: Path, *changes: tuple[str, str], add: str = "") -> Case:
    """The revised case."""
    return load_case(revised(folder, *changes, add=add))


def test_renamed_ids_carry_on(tmp_path: Path) -> None:
    """Clues, topics, strings and what was shown stand under their new names."""
    case = load(tmp_path, *RENAMED, add=MAP)
    state = fit(case, old_state())
    assert state.clues == ("bilhete", "farelos", "hora_forno")
    assert state.origins["farelos"] == "cida.bolo"  # type: ignore[index]
    assert state.depth == {"cida.bolo": 2, "cida.fornada": 2}
    assert state.shown == {("cida", "farelos")}
    assert state.links == {frozenset({"farelos", "hora_forno"})}
    assert len(plan(case, state)) == len(plan(mini().case, old_state()))


def test_what_came_under_both_names_is_one(tmp_path: Path) -> None:
    """A topic that was deepened under its old name and again under its new is at the deeper."""
    case = load(tmp_path, *RENAMED, add=MAP)
    later = play(old_state(), [TopicDeepened(CIDA, TopicId("fornada"), 1)])
    assert fit(case, later).depth["cida.fornada"] == 2


def test_what_is_gone_is_left_out(tmp_path: Path) -> None:
    """Clues, topics, answers and editions that the case no longer has stand in nobody's way."""
    case = load(
        tmp_path,
        *RENAMED,
        ("options: [a, b]", "options: [a, c]"),
        ("b: Frio", "c: Frio"),
        ('b: ["Frio', 'c: ["Frio'),
    )
    state = fit(case, old_state())
    assert state.clues == ("bilhete", "hora_forno")
    assert "cida.forno" not in state.depth
    assert state.links == frozenset()
    assert state.counters == {"cp1": ""}
    for move in plan(case, state):
        assert move.do
    assert plan(case, state)


def test_a_state_is_won_after_a_revision() -> None:
    """A state that fits is one to play on from: its plan comes to the best ending."""
    state = fit(mini().case, old_state())
    for move in plan(mini().case, state):
        state = follow(mini(), move, state)
    assert state.editions[-1].ending == "e1"


@asynccontextmanager
async def server(cases: Path, data: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The game over a folder of cases."""
    settings = read_settings({"AMAZONIA_CASES": str(cases), "AMAZONIA_DATA": str(data)})
    migrate(settings)
    app = create_app(settings)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://game.test")
    async with app.router.lifespan_context(app), client:
        yield client


async def test_a_team_plays_on_after_a_restart_with_a_new_revision(tmp_path: Path) -> None:
    """State, conversation, a turn in flight and new questions survive a revision of the case."""
    old, new, data = tmp_path / "old", tmp_path / "new", tmp_path / "data"
    revised(old)
    gone = ("      bolo:\n        steps: [{}]\n", "")
    assert gone[0] in (old / "mini" / "case.yaml").read_text()
    case = revised(new, *RENAMED, gone, add=MAP)
    path = case / "text.pt-BR" / "beto.yaml"
    path.write_text(path.read_text().partition("  bolo:\n")[0])
    assert load_case(case).id == "mini"
    async with server(old, data) as client:
        code = (await client.post("/api/session", json={"team": "Botos"})).json()["resume_code"]
        for who, message in (("cida", "o que aconteceu com o bolo?"), ("cida", "fala do bolo")):
            await client.post("/api/chat", json={"entity_id": who, "message": message})
        asked = {"entity_id": "beto", "message": "você viu o bolo?"}
        said = (await client.post("/api/chat", json=asked)).json()
        assert said["reply"]
    async with server(new, data) as client:
        await client.post("/api/session/resume", json={"resume_code": code})
        state = (await client.get("/api/state")).json()
        assert [clue["id"] for clue in state["clues"]] == ["bilhete", "farelos"]
        history = (await client.get("/api/history/beto")).json()
        assert said["reply"] in str(history)
        for path_ in ("/newsroom", "/notebook", "/interview/cida"):
            assert (await client.get(path_)).status_code == 200, path_
        told = {"entity_id": "cida", "message": "quem passou pela porta?", "show": "farelos"}
        assert (await client.post("/api/chat", json=told)).json()["clues"]
        again = await client.post("/api/chat", json={"entity_id": "beto", "message": "e o bolo?"})
        assert again.status_code == 200
        assert again.json()["reply"]
