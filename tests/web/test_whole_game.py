"""The real case through the public HTTP interface of the real server, as `amazonia solve` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.domain.world import World, lama
from tests.postgres import new_database
from tests.server import Server, serve

from amazonia.content.library import bundled_cases

PATHS = {"riddle": "riddles", "challenge": "challenges", "counter": "counter"}


@pytest.fixture(scope="module")
def world() -> World:
    """The real case, taught."""
    loaded = lama()
    loaded.library.open()
    return loaded


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(
    tmp_path_factory: pytest.TempPathFactory, world: World, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A server of two processes, on each database."""
    data = tmp_path_factory.mktemp("game") / "data"
    with ExitStack() as stack:
        environ = {}
        if request.param == "postgres":
            environ["DATABASE_URL"] = stack.enter_context(new_database(empty=True))
        yield stack.enter_context(serve(data, cases=bundled_cases(), **environ))


@pytest.fixture
def team(server: Server) -> Iterator[httpx.Client]:
    """A team that has just begun."""
    with httpx.Client(base_url=server.url, timeout=20) as client:
        assert client.post("/api/session", json={"team": "Turma do Tucumã"}).status_code == 201
        yield client


def do(client: httpx.Client, action: dict[str, Any]) -> Any:
    """Perform one action of a walkthrough; its answer."""
    kind = action["do"]
    body = {key: value for key, value in action.items() if key not in ("do", "id")}
    path = f"{PATHS[kind]}/{action['id']}" if kind in PATHS else kind
    response = client.post(f"/api/{path}", json=body)
    assert response.status_code == 200, (action, response.text)
    return response.json()


@pytest.mark.parametrize("ending", ["e1", "e2", "e3", "e4"])
def test_walkthrough_reaches_its_ending(team: httpx.Client, world: World, ending: str) -> None:
    """Every action of `amazonia solve --ending` is accepted, and the last one prints that page."""
    answers = [do(team, action) for action in world.guide.walkthrough(ending)]
    assert answers[-1]["headline"] == world.words.publication.endings[ending].headline


def test_best_walkthrough_never_shows_a_secret(team: httpx.Client, world: World) -> None:
    """Whatever the team sees on its way, no locked name, answer or inner id is in it."""
    case, seen = world.case, ""
    for action in world.guide.walkthrough():
        state = team.get("/api/state").json()
        seen = json.dumps(state, ensure_ascii=False).lower()
        inner = [*case.confrontations, *(d for d in case.publication.decisions if d != "josue")]
        assert not [name for name in inner if f'"{name}"' in seen]
        owned = {clue["id"] for clue in state["clues"]}
        locked = [clue for clue in case.clues if clue not in owned]
        titles = [world.words.clues[clue].title.lower() for clue in locked]
        assert not [title for title in titles if f'"{title}"' in seen]
        do(team, action)
    assert "e1" not in seen.split('"')


def test_a_team_resumes_elsewhere_with_its_code(team: httpx.Client, server: Server) -> None:
    """What was found on one machine is there on the other, however the code is typed."""
    question = {"entity_id": "josue", "message": "vc mediu o oxigênio da água?"}
    assert team.post("/api/chat", json=question).json()["clues"][0]["id"] == "oxigenio"
    code = team.get("/api/state").json()["team"]["resume_code"]
    with httpx.Client(base_url=server.url) as other:
        typed = {"resume_code": f" {code.lower().replace('-', ' ')} "}
        assert other.post("/api/session/resume", json=typed).status_code == 200
        clues = [clue["id"] for clue in other.get("/api/state").json()["clues"]]
    assert clues == ["patrocinio", "oxigenio"]


def test_two_teams_share_nothing(team: httpx.Client, server: Server) -> None:
    """A team cannot read another's turn, and starts with its own notebook."""
    question = {"entity_id": "graca", "message": "a senhora viu o vídeo do Kelvin?"}
    turn = team.post("/api/chat", json=question).json()["turn_id"]
    with httpx.Client(base_url=server.url) as other:
        other.post("/api/session", json={})
        assert other.get(f"/api/turns/{turn}/events").status_code == 404
        assert other.get("/api/history/graca").json() != team.get("/api/history/graca").json()


def test_bundled_cases_are_where_the_server_looks() -> None:
    """The default folder of cases is this checkout's."""
    assert bundled_cases() == Path(__file__).resolve().parents[2] / "cases"


def test_maps_with_unearned_marks_are_not_served(server: Server) -> None:
    """Portraits are public; drawings that hold what a team has yet to earn are not."""
    art = f"{server.url}/art/lama_sem_ouro"
    assert httpx.get(f"{art}/portrait-josue.svg").status_code == 200
    for name in ("map.svg", "r_mapa.svg", "map.json"):
        assert httpx.get(f"{art}/{name}").status_code == 404
