"""The calls of the contract, in process."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.web.events import events_of
from tests.worlds import mini_library

from amazonia.domain.walkthrough import Guide
from amazonia.web.api import CHAT_BURST

CAKE = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}
MORE = {"entity_id": "cida", "message": "cadê o bolo da festa?"}
Browser = Callable[[], httpx.AsyncClient]


async def post(client: httpx.AsyncClient, path: str, body: Any = None, **headers: str) -> Any:
    response = await client.post(path, json=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_starts_with_nothing(browser: Browser) -> None:
    """No body at all: a generated name, a code to come back, a cookie scripts cannot read."""
    async with browser() as client:
        response = await client.post("/api/session")
        assert response.status_code == 201
        assert set(response.json()) == {"team_id", "resume_code", "case", "lang", "name"}
        cookie = response.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=2592000"))
        assert "Secure" not in cookie
        state = (await client.get("/api/state")).json()
        assert state["team"]["name"]
        assert state["version"] == 0


async def test_a_code_brings_the_team_back(client: httpx.AsyncClient, browser: Browser) -> None:
    """On another machine, with everything that was found."""
    await post(client, "/api/chat", CAKE)
    state = (await client.get("/api/state")).json()
    async with browser() as other:
        code = state["team"]["resume_code"].lower().replace("-", " ")
        await post(other, "/api/session/resume", {"resume_code": code})
        assert (await other.get("/api/state")).json() == state


async def test_leaving_forgets_the_cookie(client: httpx.AsyncClient) -> None:
    """Also a copy of it; the progress is kept."""
    copy = dict(client.cookies)
    code = (await client.get("/api/state")).json()["team"]["resume_code"]
    assert (await client.post("/api/session/leave")).status_code == 204
    assert (await client.get("/api/state")).status_code == 401
    client.cookies.update(copy)
    assert (await client.get("/api/state")).status_code == 401
    await post(client, "/api/session/resume", {"resume_code": code})


async def test_a_forged_cookie_is_nobody(client: httpx.AsyncClient) -> None:
    """A device's id without our signature is worth nothing."""
    value = client.cookies["amazonia"]
    client.cookies.clear()
    for forged in (value[:-6] + "-" * 6, value.split(".")[0], "", "é"):
        cookie = (b"cookie", f"amazonia={forged}".encode())
        response = await client.get("/api/state", headers=[cookie])
        assert response.status_code == 401


async def test_names_can_be_changed(client: httpx.AsyncClient) -> None:
    """Typed or drawn again; HTML stays text."""
    assert await post(client, "/api/session/name", {"name": " <i>Garças</i> 🐬 "}) == {
        "name": "<i>Garças</i> 🐬"
    }
    assert (await post(client, "/api/session/name"))["name"] != "<i>Garças</i> 🐬"


# ── chat ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_reply_has_the_fields_of_the_contract(client: httpx.AsyncClient) -> None:
    """And those that the page needs."""
    reply = await post(client, "/api/chat", CAKE)
    contract = {"turn_id", "reply", "source", "clues", "unlocked", "counter", "suggestions"}
    assert contract | {"elapsed_ms", "duplicate", "emotion", "kind", "readings"} <= set(reply)
    assert reply["source"] == "scripted"
    assert await post(client, "/api/chat", CAKE) == {**reply, "duplicate": True}


async def test_a_turn_can_be_listened_to_apart(client: httpx.AsyncClient) -> None:
    """202 with its id; then the events, resumable; at the end 204."""
    response = await client.post("/api/chat", json=CAKE, headers={"prefer": "respond-async"})
    assert response.status_code == 202
    turn_id = response.json()["turn_id"]
    path = f"/api/turns/{turn_id}/events"
    stream = await client.get(path)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in stream.headers
    assert stream.text.startswith("retry: ")
    events = events_of(stream.text)
    assert [event.kind for event in events] == ["turn", "gesture", "sentence", "sentence", "done"]
    for seen in range(1, len(events)):
        headers = {"last-event-id": str(seen)}
        assert events_of((await client.get(path, headers=headers)).text) == events[seen:]
        assert events_of((await client.get(path, params={"last": seen})).text) == events[seen:]
    last = {"last-event-id": str(len(events))}
    assert (await client.get(path, headers=last)).status_code == 204
    finished = (await client.get(f"/api/turns/{turn_id}")).json()
    assert finished == {"status": "done", **events[-1].data}


async def test_a_turn_can_be_streamed_at_once(client: httpx.AsyncClient) -> None:
    """On the call itself, and a duplicate says so."""
    for duplicate in (False, True):
        response = await client.post(
            "/api/chat", json=CAKE, headers={"accept": "text/event-stream"}
        )
        events = events_of(response.text)
        assert events[0].data["duplicate"] is events[-1].data["duplicate"] is duplicate
        texts = [event.data["text"] for event in events if event.kind == "sentence"]
        assert events[-1].data["reply"] == " ".join(texts)


async def test_two_tabs_lose_nothing(client: httpx.AsyncClient) -> None:
    """Different actions at once are all there afterwards, and every event once."""
    await post(client, "/api/chat", CAKE)
    await post(client, "/api/chat", MORE)
    await asyncio.gather(
        post(client, "/api/chat", {"entity_id": "cida", "message": "a que horas saiu do forno?"}),
        post(client, "/api/chat", {"entity_id": "beto", "message": "como foi a sua manhã?"}),
        post(client, "/api/links", {"clues": ["bilhete", "migalhas"]}),
        *(post(client, "/api/hint") for _ in range(3)),
        post(client, "/api/session/name", {"name": "Tucanos"}),
    )
    state = (await client.get("/api/state")).json()
    assert {clue["id"] for clue in state["clues"]} == {"bilhete", "migalhas", "hora_forno"}
    assert [link["clues"] for link in state["links"]] == [["bilhete", "migalhas"]]
    assert state["team"]["name"] == "Tucanos"
    assert {p["id"]: p["met"] for p in state["characters"]} == {
        "cida": True,
        "beto": True,
        "lia": False,
    }


async def test_the_conversation_is_kept_in_order(client: httpx.AsyncClient) -> None:
    """With what was asked, answered and found."""
    for body in (CAKE, MORE):
        await post(client, "/api/chat", body)
    turns = (await client.get("/api/history/cida")).json()
    assert [turn["message"] for turn in turns] == [CAKE["message"], MORE["message"]]
    assert [turn["clues"] for turn in turns] == [[], ["migalhas"]]


async def test_too_many_questions_are_slowed(client: httpx.AsyncClient) -> None:
    """429 with the time to wait, once the burst is used up."""
    body = {"entity_id": "ninguem", "message": "bom dia"}
    many = (client.post("/api/chat", json=body) for _ in range(CHAT_BURST + 40))
    answers = await asyncio.gather(*many)
    codes = [answer.status_code for answer in answers]
    assert codes.count(404) >= CHAT_BURST
    assert set(codes) == {404, 429}
    slowed = answers[codes.index(429)]
    assert 1 <= int(slowed.headers["retry-after"]) <= 2
    assert slowed.json()["type"] == "/problems/too-fast"


async def test_a_reply_can_be_reported(client: httpx.AsyncClient) -> None:
    """By the team that got it."""
    reply = await post(client, "/api/chat", CAKE)
    body = {"turn_id": reply["turn_id"], "reason": "estranho"}
    assert (await client.post("/api/report", json=body)).status_code == 204
    assert (await client.post("/api/report", json={**body, "turn_id": "x"})).status_code == 404


# ── a whole game ────────────────────────────────────────────────────────────────────────────────


async def test_the_walkthrough_wins(client: httpx.AsyncClient, app: FastAPI) -> None:
    """What the solver writes down, sent call by call, comes to the best ending."""
    case = mini_library().case("mini")
    lang = next(iter(case.words))
    guide = Guide(case, case.words[lang], mini_library().listener(case, lang))
    answer: Any = {}
    for action in guide.walkthrough():
        path = f"/api/{action.pop('do')}"
        match path:
            case "/api/riddle" | "/api/challenge":
                path = f"{path}s/{action.pop('id')}"
            case "/api/counter":
                path = f"{path}/{action.pop('id')}"
        answer = await post(client, path, action)
    assert answer["headline"] == "MIAU"
    assert answer["best"] is True
    assert {"ending", "text", "debrief", "missing"} <= set(answer)
    state = (await client.get("/api/state")).json()
    assert state["ending"]["headline"] == "MIAU"


async def test_wrong_answers_teach_and_can_be_repeated(client: httpx.AsyncClient) -> None:
    """Riddle, hint, challenge, counter-question, confrontation, second edition."""
    for message in (CAKE["message"], MORE["message"]):
        await post(client, "/api/chat", {"entity_id": "cida", "message": message})
    oven = {"entity_id": "cida", "message": "a que horas saiu do forno?"}
    await post(client, "/api/chat", oven)
    reply = await post(client, "/api/chat", {**oven, "message": "que hora o forno desligou?"})
    assert reply["counter"]["id"] == "cp1"
    first, second = (option["id"] for option in reply["counter"]["options"])
    answered = await post(client, "/api/counter/cp1", {"answer": first})
    assert answered["counter"] is None
    assert (await post(client, "/api/counter/cp1", {"answer": second}))["reply"] == answered[
        "reply"
    ]

    state = (await client.get("/api/state")).json()
    (riddle,) = state["riddles"]
    options = {option["text"]: option["id"] for option in riddle["options"]}
    wrong = await post(client, "/api/riddles/r_relogio", {"answer": options["Antes das nove"]})
    assert (wrong["correct"], wrong["hint"]) == (False, "")
    hint = await post(client, "/api/riddles/r_relogio/hint")
    assert hint["hints_left"] == 1
    wrong = await post(client, "/api/riddles/r_relogio", {"answer": options["Antes das nove"]})
    assert wrong["hint"] == hint["hint"]
    right = await post(client, "/api/riddles/r_relogio", {"answer": options["No recreio, às 9h30"]})
    assert right["correct"] is True
    assert {item["kind"] for item in right["unlocked"]} == {"character", "publication"}

    (challenge,) = state["challenges"]
    results = [
        await post(client, "/api/challenges/D1", {"answer": option["id"]})
        for option in challenge["options"]
    ]
    assert sorted(bool(result["slip"]) for result in results) == [False, True]

    state = (await client.get("/api/state")).json()
    claims = {claim["text"]: claim["id"] for claim in state["publication"]["claims"]}
    assert set(claims) == {"Foi o diretor.", "Foi de propósito."}
    for number in (1, 2):
        edition = await post(client, "/api/publish", {"claims": [claims["Foi o diretor."]]})
        assert (edition["headline"], edition["edition"]) == ("ERRAMOS", number)


async def test_the_state_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    """304 until something moves."""
    etag = (await client.get("/api/state")).headers["etag"]
    headers = {"if-none-match": etag}
    assert (await client.get("/api/state", headers=headers)).status_code == 304
    await post(client, "/api/chat", CAKE)
    assert (await client.get("/api/state", headers=headers)).status_code == 200


async def test_strings_on_the_board(client: httpx.AsyncClient) -> None:
    """Tied once, taken off once, only between clues that were found."""
    for body in (CAKE, MORE):
        await post(client, "/api/chat", body)
    pair = ["migalhas", "bilhete"]
    for _ in range(2):
        links = (await post(client, "/api/links", {"clues": pair}))["links"]
        assert [link["clues"] for link in links] == [sorted(pair)]
    assert (await post(client, "/api/links", {"clues": pair, "erase": True}))["links"] == []
    for clues in (["bilhete", "pelos"], ["bilhete", "nada"]):
        response = await client.post("/api/links", json={"clues": clues})
        assert response.status_code == 409


async def test_hints_say_a_little_more_each_time(client: httpx.AsyncClient) -> None:
    """Whom to see, then about what, then a question to ask; then no more than that."""
    hints = [await post(client, "/api/hint") for _ in range(4)]
    assert {(hint["kind"], hint["id"]) for hint in hints} == {("character", hints[0]["id"])}
    assert [hint["level"] for hint in hints] == [1, 2, 3, 3]
    assert hints[0]["text"] == ""
    assert hints[2]["text"].endswith("?")


# ── operations ──────────────────────────────────────────────────────────────────────────────────


async def test_health(client: httpx.AsyncClient) -> None:
    """Alive, ready, and able to save."""
    health = await client.get("/health")
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    assert health.json()["checks"]["database"] == "ok"
    for path in ("/health/live", "/health/ready"):
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("token", "status"), [("", 403), ("Bearer wrong", 403), ("Bearer a-token-for-tests", 200)]
)
async def test_clearing_the_cache_needs_the_token(
    client: httpx.AsyncClient, token: str, status: int
) -> None:
    """And begins a new age."""
    response = await client.post("/api/clear-cache", headers={"authorization": token})
    assert response.status_code == status
    if status == 200:
        assert set(response.json()["cleared"]) == {"replies", "duplicates"}


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    """Every call of the contract is in the description."""
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert {"/api/session", "/api/chat", "/api/turns/{turn_id}/events", "/api/publish"} <= set(
        paths
    )
