"""Bad input: one table. Each is refused with a problem that says what is allowed; nothing moves."""

from typing import Any

import httpx
import pytest

CHAT = "/api/chat"
GOOD = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}

# path, body, status, type of the problem, what its text mentions
TABLE: list[tuple[str, Any, int, str, str]] = [
    (CHAT, {**GOOD, "message": ""}, 422, "invalid", "message"),
    (CHAT, {**GOOD, "message": "   \n "}, 422, "invalid", "500"),
    (CHAT, {**GOOD, "message": "\x00\u202e"}, 422, "invalid", "500"),
    (CHAT, {**GOOD, "message": "a" * 501}, 422, "invalid", "500"),
    (CHAT, {**GOOD, "message": 7}, 422, "invalid", "message"),
    (CHAT, {"message": "oi"}, 422, "invalid", "entity_id"),
    (CHAT, {"entity_id": "cida"}, 422, "invalid", "message"),
    (CHAT, [], 422, "invalid", "body"),
    (CHAT, None, 422, "invalid", "body"),
    (CHAT, {**GOOD, "entity_id": "ninguem"}, 404, "not-found", ""),
    (CHAT, {**GOOD, "entity_id": "' OR 1=1 --"}, 404, "not-found", ""),
    (CHAT, {**GOOD, "entity_id": "lia"}, 409, "not-yet", "recreio"),
    (CHAT, {**GOOD, "show": "migalhas"}, 409, "not-owned", ""),
    (CHAT, {**GOOD, "show": "nada"}, 409, "not-owned", ""),
    ("/api/session", {"case": "nenhum"}, 404, "unknown-case", ""),
    ("/api/session", {"case": "../mini"}, 404, "unknown-case", ""),
    ("/api/session", {"members": -1}, 422, "invalid", "members"),
    ("/api/session", {"members": "muitos"}, 422, "invalid", "members"),
    ("/api/session", {"class_code": "ABC"}, 404, "unknown-code", ""),
    ("/api/session/resume", {"resume_code": "AAAA-AAAA-AAAA"}, 404, "unknown-code", ""),
    ("/api/session/resume", {"resume_code": "x"}, 404, "unknown-code", ""),
    ("/api/session/resume", {}, 422, "invalid", "resume_code"),
    ("/api/riddles/r_relogio", {"answer": "x"}, 404, "not-found", ""),
    ("/api/riddles/nada", {"answer": "x"}, 404, "not-found", ""),
    ("/api/riddles/nada", {"answer": 3}, 422, "invalid", "answer"),
    ("/api/challenges/D1", {"answer": "x"}, 404, "not-found", ""),
    ("/api/counter/cp1", {"answer": "x"}, 404, "not-found", ""),
    (
        "/api/confront",
        {"confrontation": "conf_lia", "round": "gato", "clues": ["pelos"], "reason": "pelo"},
        404,
        "not-found",
        "",
    ),
    ("/api/publish", {"claims": ["x"]}, 404, "not-found", ""),
    ("/api/publish", {"claims": "x"}, 422, "invalid", "claims"),
    ("/api/links", {"clues": ["bilhete"]}, 422, "invalid", "clues"),
    ("/api/links", {"clues": ["bilhete", "bilhete"]}, 422, "bad-answer", "different"),
    ("/api/links", {"clues": ["bilhete", "pelos"]}, 409, "not-owned", ""),
    ("/api/report", {"turn_id": "x"}, 404, "not-found", ""),
]


@pytest.mark.parametrize(("path", "body", "status", "kind", "text"), TABLE)
async def test_bad_input_is_refused(
    client: httpx.AsyncClient, path: str, body: Any, status: int, kind: str, text: str
) -> None:
    """With its status, a stable type, and words; the state is as before."""
    before = (await client.get("/api/state")).json()
    response = await client.post(path, json=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"/problems/{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert text in response.text
    assert (await client.get("/api/state")).json() == before


async def test_lone_surrogates_do_no_harm(client: httpx.AsyncClient) -> None:
    """JSON may hold half a character; it is refused or dropped, never a fault of ours."""
    for path, body in (
        (CHAT, '{"entity_id": "\\ud800", "message": "oi"}'),
        (CHAT, '{"entity_id": "cida", "message": "\\ud800"}'),
        (CHAT, '{"entity_id": "cida", "message": "oi", "show": "\\ud800"}'),
        ("/api/report", '{"turn_id": "\\ud800"}'),
        ("/api/session", '{"case": "\\ud800"}'),
        ("/api/session", '{"team": "\\ud800", "lang": "\\ud800"}'),
        ("/api/riddles/x", '{"answer": "\\ud800"}'),
    ):
        headers = {"content-type": "application/json"}
        response = await client.post(path, content=body, headers=headers)
        assert response.status_code < 500, (path, response.text)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b"\xff\xfe", {"content-type": "application/json"}, 400),
        (b"message=oi", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"content-type": "application/json", "content-length": "x"}, 413),
        (b" " * 70_000, {"content-type": "application/json"}, 413),
    ],
)
async def test_a_bad_body_is_refused(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """No JSON, another type, too much."""
    response = await client.post(CHAT, content=content, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_of_unknown_length_is_cut_off(client: httpx.AsyncClient) -> None:
    """Over the limit it is refused; under it, read as ever."""

    async def chunks(size: int) -> Any:
        yield b'{"entity_id": "cida", "message": "oi"'
        for _ in range(size):
            yield b" " * 1000
        yield b"}"

    headers = {"content-type": "application/json"}
    response = await client.post(CHAT, content=chunks(70), headers=headers)
    assert response.status_code == 413
    response = await client.post(CHAT, content=chunks(3), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://game.test"}, 200),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.test"}, 403),
    ],
)
async def test_changes_come_from_this_site(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """What a browser says of itself must fit; neither header is no browser."""
    response = await client.post(CHAT, json=GOOD, headers=headers)
    assert response.status_code == status


async def test_problems_speak_the_browser_s_language(client: httpx.AsyncClient) -> None:
    """Or the session's, once there is one."""
    client.cookies.clear()
    for asked, title in (("en-GB,en", "No session"), ("pt-BR", "Sessão não encontrada")):
        response = await client.get("/api/state", headers={"accept-language": asked})
        assert (response.status_code, response.json()["title"]) == (401, title)


@pytest.mark.parametrize("path", ["/api/nothing", "/static/nothing", "/static/../app.py", "/art/x"])
async def test_what_is_not_there(client: httpx.AsyncClient, path: str) -> None:
    """404, as a problem."""
    response = await client.get(path)
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/not-found"


async def test_every_answer_is_guarded(client: httpx.AsyncClient) -> None:
    """Headers that keep other sites and foreign scripts out, with a new nonce each time."""
    policies = set()
    for _ in range(2):
        headers = (await client.get("/health/live")).headers
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        policies.add(policy)
    assert len(policies) == 2
