"""A class while it goes on, over HTTP: what its teacher sees and does, what its teams are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from amazonia.services import Services

NewClient = Callable[[], httpx.AsyncClient]
QUESTION = {"entity_id": "cida", "message": "quem pegou o bolo?"}


@dataclass
class School:
    """A class with its teacher and two teams, each in a browser of its own."""

    code: str
    teacher: httpx.AsyncClient
    team: httpx.AsyncClient
    other: httpx.AsyncClient
    team_id: str
    services: Services

    async def do(self, do: str, **more: Any) -> httpx.Response:
        """The teacher commands."""
        path = f"/api/classes/{self.code}/commands"
        return await self.teacher.post(path, json={"do": do, **more})

    async def ask(self) -> httpx.Response:
        """The team asks a character something."""
        return await self.team.post("/api/chat", json=QUESTION)

    @asynccontextmanager
    async def live(self) -> AsyncIterator[Callable[[str], Any]]:
        """The teacher's stream; calling it with a kind waits for the next event of that kind."""
        room = await self.services.registry.classes.by_code(self.code)
        assert room is not None
        events = self.services.lessons.boards.follow(room.id)

        async def until(kind: str) -> Any:
            async with asyncio.timeout(8):
                async for event in events:
                    if event.kind == kind:
                        return json.loads(json.dumps(event.data))
            raise AssertionError("the stream ended")

        yield until
        await events.aclose()  # type: ignore[attr-defined]


@pytest.fixture
async def school(app: FastAPI, browser: NewClient) -> AsyncIterator[School]:
    async with browser() as teacher, browser() as team, browser() as other:
        code = (await teacher.post("/api/classes")).json()["code"]
        answer = await team.post("/api/session", json={"class_code": code})
        await other.post("/api/session", json={"class_code": code})
        yield School(code, teacher, team, other, answer.json()["team_id"], app.state.services)


# ── who may ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "live"),
        ("GET", "board"),
        ("GET", "teams/TEAM"),
        ("POST", "commands"),
        ("POST", "renew"),
    ],
)
async def test_only_its_teacher_sees_and_leads_a_class(
    school: School, browser: NewClient, method: str, path: str
) -> None:
    """No stranger, no team, no other teacher; none of them learns whether it exists."""
    path = path.replace("TEAM", school.team_id)
    body = {"json": {"do": "pause"}} if path == "commands" else {}
    async with browser() as stranger, browser() as colleague:
        await colleague.post("/api/classes")
        answers = [
            await client.request(method, f"/api/classes/{code}/{path}", **body)  # type: ignore[arg-type]
            for client in (stranger, school.team, colleague)
            for code in (school.code, "BBBBBB")
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert (await school.ask()).status_code == 200


async def test_a_teacher_reads_only_teams_of_the_class(school: School, browser: NewClient) -> None:
    """Another team is as unknown as one that does not exist; it cannot be led either."""
    async with browser() as stranger:
        foreign = (await stranger.post("/api/session", json={})).json()["team_id"]
    for team in (foreign, "nobody"):
        path = f"/api/classes/{school.code}/teams/{team}"
        assert (await school.teacher.get(path)).status_code == 404
        for do in ("remove", "hint", "seen"):
            assert (await school.do(do, team=team)).status_code == 404


# ── the live view ───────────────────────────────────────────────────────────────────────────────


async def test_the_teacher_sees_a_team_move(school: School) -> None:
    """All teams at first; then, within two seconds, the one that did something, and no other."""
    async with school.live() as until:
        first = await until("teams")
        assert len(first["teams"]) == 2
        assert {team["mood"] for team in first["teams"]} == {"playing"}
        await school.ask()
        moved = await until("teams")
        assert [team["id"] for team in moved["teams"]] == [school.team_id]
        (team,) = moved["teams"]
        assert team["who"]
        assert team["clues"] >= 1
        assert moved["now"] >= team["last_at"] > first["now"] - 1


async def test_two_teachers_see_each_other_s_commands(school: School) -> None:
    """In the order in which they took effect; the newest wins."""
    async with school.live() as one, school.live() as two:
        await one("class")
        await two("class")
        await school.do("pause")
        await school.do("resume")
        for until in (one, two):
            seen = await until("class")
            while len(seen["commands"]) < 2:
                seen = await until("class")
            assert [c["kind"] for c in seen["commands"]] == ["pause", "resume"]
            assert not seen["paused"]


async def test_a_teacher_reads_what_a_team_asked(school: School) -> None:
    """And what it misses, in words."""
    await school.ask()
    read = (await school.teacher.get(f"/api/classes/{school.code}/teams/{school.team_id}")).json()
    assert [turn["message"] for turn in read["talk"]] == ["quem pegou o bolo?"]
    assert read["missing"]["do"] in {"chat", "riddle", "counter", "confront", "publish"}


# ── leading ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_pause_stops_every_action_and_loses_nothing(school: School) -> None:
    """423 and when to come back; looking at things still works; then all goes on."""
    await school.do("pause")
    for path, body in [
        ("/api/chat", QUESTION),
        ("/api/hint", {}),
        ("/api/riddles/r_relogio", {"answer": "x"}),
        ("/api/publish", {"claims": []}),
    ]:
        refused = await school.team.post(path, json=body)
        assert refused.status_code == 423, path
        assert refused.headers["retry-after"]
        assert refused.json()["type"] == "/problems/class-paused"
    assert (await school.team.get("/api/state")).status_code == 200
    await school.do("resume")
    assert (await school.ask()).status_code == 200


async def test_a_removed_team_is_told_and_keeps_what_it_has(school: School) -> None:
    """It plays no more, its state is there, the other team does not notice."""
    await school.ask()
    assert (await school.do("remove", team=school.team_id)).status_code == 200
    refused = await school.ask()
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/team-removed")
    assert (await school.team.get("/api/state")).json()["clues"]
    assert (await school.other.post("/api/chat", json=QUESTION)).status_code == 200
    assert (await school.do("remove", team=school.team_id)).status_code == 404


async def test_an_ended_class_can_be_opened_again(school: School) -> None:
    """Nobody plays or joins; with more time, everybody goes on."""
    await school.do("end")
    assert (await school.ask()).json()["type"] == "/problems/class-ended"
    assert (await school.do("hint")).status_code == 409
    after = (await school.do("extend", minutes=30)).json()
    assert not after["is_over"]
    assert (await school.ask()).status_code == 200


async def test_a_hint_arrives_at_its_team(school: School) -> None:
    """The smallest one; the team that it is for is told, the other is not."""
    assert (await school.do("hint", team=school.team_id)).status_code == 200
    stream = school.services
    mine = await stream.game.teams.get(school.team_id)
    assert mine is not None
    assert sum(mine.state.hints.values()) == 1
    room = await stream.registry.classes.by_code(school.code)
    assert room is not None
    (command,) = await stream.registry.classes.commands(room.id)
    assert command.team_id == school.team_id
    assert command.data["hint"]["level"] == 1


async def test_a_scripted_class_asks_no_model(school: School) -> None:
    """The voice is the class's."""
    services = school.services
    team = await services.game.teams.get(school.team_id)
    assert team is not None
    assert not await services.lessons.is_scripted(team)
    await school.do("voice", voice="scripted")
    assert await services.lessons.is_scripted(team)


@pytest.mark.parametrize(
    "body",
    [
        {"do": "dance"},
        {"do": "hold", "act": "W9"},
        {"do": "lang", "lang": "xx"},
        {"do": "vote", "question": "?", "options": ["one"]},
        {"do": "hands", "hands": [1, 2]},
    ],
)
async def test_a_command_that_makes_no_sense_changes_nothing(
    school: School, body: dict[str, Any]
) -> None:
    """It is refused with a reason."""
    before = await school.services.registry.classes.by_code(school.code)
    answer = await school.teacher.post(f"/api/classes/{school.code}/commands", json=body)
    assert answer.status_code in {404, 422}
    assert await school.services.registry.classes.by_code(school.code) == before


async def test_a_vote_counts_devices_and_hands(school: School) -> None:
    """One ballot a browser, which may change; hands are added; afterwards nobody votes."""
    asked = await school.do("vote", question="Quem ouvimos?", options=["Cida", "Beto", " "])
    vote = asked.json()["vote"]
    assert vote["options"] == ["Cida", "Beto"]
    for client, option in ((school.team, 1), (school.team, 0), (school.other, 0)):
        ballot = {"vote": vote["id"], "option": option}
        assert (await client.post("/api/vote", json=ballot)).status_code == 204
    counted = (await school.do("hands", hands=[3, 5])).json()["vote"]
    assert counted["tally"] == [5, 5]
    assert (await school.do("vote_close")).json()["vote"]["is_open"] is False
    late = await school.team.post("/api/vote", json={"vote": vote["id"], "option": 1})
    assert late.status_code == 422


# ── care ────────────────────────────────────────────────────────────────────────────────────────


async def test_distress_is_answered_by_people(school: School) -> None:
    """At once, with whom to call; no turn is made of it; the teacher sees a mark, and why."""
    message = {"entity_id": "cida", "message": "eu quero morrer"}
    answer = await school.team.post("/api/chat", json=message)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/care"
    assert "188" in answer.json()["detail"]
    assert "aviso ao lado" in answer.json()["detail"]
    assert (await school.team.get("/api/history/cida")).json() == []
    async with school.live() as until:
        teams = {team["id"]: team for team in (await until("teams"))["teams"]}
        assert [team["flags"] for team in teams.values() if team["id"] == school.team_id] == [1]
        assert sum(team["flags"] for team in teams.values()) == 1
        await school.do("seen", team=school.team_id)
        (team,) = (await until("teams"))["teams"]
        assert (team["flags"], team["flags_seen"]) == (0, 1)
    read = await school.teacher.get(f"/api/classes/{school.code}/teams/{school.team_id}")
    assert read.json()["flags"][0]["message"] == "eu quero morrer"


async def test_distress_without_a_class_is_answered_too(client: httpx.AsyncClient) -> None:
    """Without saying that a teacher sees it."""
    message = {"entity_id": "cida", "message": "meu padrasto me bate"}
    answer = await client.post("/api/chat", json=message)
    assert answer.json()["type"] == "/problems/care"
    assert "aviso" not in answer.json()["detail"]
