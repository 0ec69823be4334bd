"""Opening, joining and entering a class over HTTP: who may what, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

NewClient = Callable[[], httpx.AsyncClient]


async def opened(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """A class, opened by this browser."""
    answer = await client.post("/api/classes", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def joined(client: httpx.AsyncClient, code: str) -> httpx.Response:
    """A team's try to join."""
    return await client.post("/api/session", json={"class_code": code})


async def test_a_class_is_opened_with_nothing_to_fill_in(browser: NewClient) -> None:
    """Code, where teams join, and a private link whose key no server is sent."""
    async with browser() as teacher:
        told = await opened(teacher)
    assert told["join_url"] == f"http://game.test/j/{told['code']}"
    assert told["teacher_url"].startswith("http://game.test/class/enter#")
    assert len(told["recovery_code"].replace("-", "")) == 12


async def test_teams_join_with_names_of_their_own(browser: NewClient) -> None:
    """Each gets another generated name, whatever it asks for, and can roll it again."""
    async with browser() as teacher:
        code = (await opened(teacher))["code"]
    names = set()
    for _ in range(20):
        async with browser() as team:
            answer = await team.post("/api/session", json={"class_code": code, "team": "Ana Souza"})
            assert answer.status_code == 201
            rolled = await team.post("/api/session/name", json={"name": "Ana Souza"})
            assert rolled.json()["name"] != answer.json()["name"]
            names.add(rolled.json()["name"])
    assert len(names) == 20
    assert "Ana Souza" not in names


async def test_joining_again_is_the_same_team(browser: NewClient) -> None:
    """After a refresh by code; on another machine by the resume code."""
    async with browser() as teacher, browser() as team, browser() as other:
        code = (await opened(teacher))["code"]
        first = (await joined(team, code)).json()
        again = (await joined(team, code)).json()
        assert again["team_id"] == first["team_id"]
        resumed = await other.post(
            "/api/session/resume", json={"resume_code": first["resume_code"]}
        )
        assert resumed.json()["team_id"] == first["team_id"]


async def test_a_wrong_code_says_so(browser: NewClient) -> None:
    """404, and a browser that is signed in to nothing."""
    async with browser() as team:
        answer = await joined(team, "BBBBBB")
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers


async def test_near_codes_are_told_to_their_teacher_alone(browser: NewClient) -> None:
    """Who opened the class is asked whether it is meant; a pupil gets no help in guessing."""
    async with browser() as teacher, browser() as pupil:
        code = (await opened(teacher))["code"]
        swapped = code[1] + code[0] + code[2:]
        if swapped == code:
            swapped = code[:5] + ("B" if code[5] != "B" else "C")
        assert code in (await joined(teacher, swapped)).json()["detail"]
        assert code not in (await joined(pupil, swapped)).text


async def test_codes_cannot_be_tried_without_end(browser: NewClient) -> None:
    """Wrong codes run out; before that, however many teams join from one address."""
    async with browser() as teacher:
        code = (await opened(teacher))["code"]
    for _ in range(50):
        async with browser() as team:
            assert (await joined(team, code)).status_code == 201
    async with browser() as guesser:
        answers = await asyncio.gather(*(joined(guesser, "BBBBBB") for _ in range(120)))
    refused = [a for a in answers if a.status_code == 429]
    assert 30 <= len(refused) <= 45
    assert all(int(a.headers["retry-after"]) <= 5 for a in refused)


async def test_a_teacher_comes_back_on_another_machine(browser: NewClient) -> None:
    """By the link's key, by the passphrase, by the recovery code; others learn nothing."""
    async with browser() as teacher:
        told = await opened(teacher, passphrase="correct horse")
    key = told["teacher_url"].partition("#")[2]
    for body in (
        {"key": key},
        {"code": told["code"], "passphrase": "correct horse"},
        {"code": told["code"], "passphrase": told["recovery_code"]},
    ):
        async with browser() as other:
            entered = await other.post("/api/classes/enter", json=body)
            assert entered.json() == {"code": told["code"]}
            assert "httponly" in entered.headers["set-cookie"].lower()
    async with browser() as stranger:
        wrong = {"code": told["code"], "passphrase": "wrong"}
        nobody = {"code": "BBBBBB", "passphrase": "wrong"}
        answers = [await stranger.post("/api/classes/enter", json=b) for b in (wrong, nobody)]
        assert [a.status_code for a in answers] == [403, 403]
        assert answers[0].json() == answers[1].json()


async def test_passphrases_cannot_be_tried_without_end(browser: NewClient) -> None:
    """Ten for a class, from wherever they come."""
    async with browser() as teacher, browser() as stranger:
        code = (await opened(teacher, passphrase="correct horse"))["code"]
        body = {"code": code, "passphrase": "wrong"}
        answers = [(await stranger.post("/api/classes/enter", json=body)) for _ in range(11)]
        assert [a.status_code for a in answers] == [403] * 10 + [429]


async def test_a_renewed_link_puts_the_others_out(browser: NewClient) -> None:
    """The browser that renews stays; one that came by the old link is a stranger again."""
    async with browser() as teacher, browser() as other:
        told = await opened(teacher)
        key = told["teacher_url"].partition("#")[2]
        await other.post("/api/classes/enter", json={"key": key})
        assert (await other.post(f"/api/classes/{told['code']}/renew")).status_code == 200
        assert (await teacher.post(f"/api/classes/{told['code']}/renew")).status_code == 403


async def test_an_administrator_can_reset_a_class(browser: NewClient) -> None:
    """With the token, and with nothing else: a new link, and the passphrase is gone."""
    async with browser() as teacher, browser() as admin:
        code = (await opened(teacher, passphrase="correct horse"))["code"]
        path = f"/api/classes/{code}/reset"
        assert (await teacher.post(path)).status_code == 403
        headers = {"Authorization": "Bearer a-token-for-tests"}
        told = (await admin.post(path, headers=headers)).json()
        key = told["teacher_url"].partition("#")[2]
        assert (await admin.post("/api/classes/enter", json={"key": key})).status_code == 200
        lost = {"code": code, "passphrase": "correct horse"}
        assert (await teacher.post("/api/classes/enter", json=lost)).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_opens_no_class(browser: NewClient, site: str) -> None:
    """Nor does it act as a teacher."""
    async with browser() as teacher:
        code = (await opened(teacher))["code"]
        headers = {"Sec-Fetch-Site": site}
        assert (await teacher.post("/api/classes", headers=headers)).status_code == 403
        renew = await teacher.post(f"/api/classes/{code}/renew", headers=headers)
        assert renew.status_code == 403
