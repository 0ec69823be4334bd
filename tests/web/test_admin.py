"""The control room: who may come in, what it tells, what it does in every process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from itsdangerous import TimestampSigner
from tests.providers import FaultyProvider, provider
from tests.web.test_operations import client_of, locked, process

from amazonia import web
from amazonia.services import Services
from amazonia.web.admin import COOKIE, MAX_AGE
from amazonia.web.phrases import LANGUAGES, phrases

TOKEN = "a-token-for-tests"
WEB = Path(web.__file__).parent
WHO = {"entity_id": "cida", "message": "quem pegou o bolo?"}
NewClient = Callable[[], httpx.AsyncClient]


async def enter(client: httpx.AsyncClient, token: str = TOKEN) -> httpx.Response:
    """Sign in; the answer that sets the cookie."""
    return await client.post("/admin/sign-in", data={"token": token})


@pytest.fixture
async def admin(browser: NewClient) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's browser."""
    async with browser() as client:
        assert (await enter(client)).status_code == 303
        yield client


# ── the door ────────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_sees_the_door_alone(browser: NewClient) -> None:
    """A form for the token, and nothing of what is behind it."""
    async with browser() as client:
        page = await client.get("/admin")
    assert page.status_code == 200
    assert 'type="password"' in page.text
    assert "data-live" not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_wrong_token_opens_nothing(browser: NewClient) -> None:
    """403 with the form again, and no cookie."""
    async with browser() as client:
        for token in ("wrong", "", "é", TOKEN + "x"):
            refused = await enter(client, token)
            assert refused.status_code == 403
            assert 'type="password"' in refused.text
            assert "set-cookie" not in refused.headers


async def test_tokens_cannot_be_tried_without_end(browser: NewClient) -> None:
    """After ten tries even the right one has to wait."""
    async with browser() as client:
        for _ in range(10):
            await enter(client, "wrong")
        assert (await enter(client)).status_code == 429


async def test_without_a_token_the_door_stays_shut(tmp_path: Path) -> None:
    """403, whatever is said at it."""
    async with process(tmp_path / "data") as app, client_of(app) as client:
        assert (await client.get("/admin")).status_code == 403
        assert (await enter(client, "")).status_code == 403
        assert (await client.post("/admin/clear-cache")).status_code == 403


async def test_the_cookie_is_strict_and_holds_no_token(browser: NewClient) -> None:
    """HTTP-only, for this site and these pages alone, for eight hours."""
    async with browser() as client:
        header = (await enter(client)).headers["set-cookie"]
    assert TOKEN not in header
    (morsel,) = SimpleCookie(header).values()
    assert morsel.key == COOKIE
    assert morsel["httponly"]
    assert morsel["samesite"].lower() == "strict"
    assert morsel["path"] == "/admin"
    assert morsel["max-age"] == str(8 * 3600)


async def test_a_cookie_that_is_not_ours_opens_nothing(
    app: FastAPI, browser: NewClient, admin: httpx.AsyncClient
) -> None:
    """Neither a forged one, nor a player's, nor one of another token, nor one of this morning."""
    services: Services = app.state.services
    good = admin.cookies[COOKIE]
    badge = good.split(".")[0]

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time()) - MAX_AGE - 1

    old = Earlier(services.secret, salt="amazonia.admin").sign(badge).decode()
    player = TimestampSigner(services.secret, salt="amazonia.session").sign(badge).decode()
    other = TimestampSigner(services.secret, salt="amazonia.admin").sign("x").decode()
    for cookie in (good[:-1], old, player, other, "", "é".encode().decode("latin-1")):
        async with browser() as client:
            headers = {b"cookie": f"{COOKIE}={cookie}".encode("latin-1")}
            page = await client.get("/admin", headers=headers)
            assert "data-live" not in page.text, cookie
    assert "data-live" in (await admin.get("/admin")).text


async def test_signing_out_shuts_the_door(admin: httpx.AsyncClient) -> None:
    """The browser has no cookie any more."""
    await admin.post("/admin/sign-out")
    assert COOKIE not in admin.cookies
    assert "data-live" not in (await admin.get("/admin")).text


@pytest.mark.parametrize("path", ["/admin/voices", "/admin/clear-cache"])
async def test_strangers_do_nothing(browser: NewClient, path: str) -> None:
    """403 without the cookie."""
    async with browser() as client:
        assert (await client.post(path, data={"voice": "openai"})).status_code == 403


async def test_another_site_does_nothing(admin: httpx.AsyncClient) -> None:
    """A form on another site is refused though the cookie came along."""
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "http://evil.test"}
    for path in ("/admin/clear-cache", "/admin/sign-out", "/admin/voices", "/admin/sign-in"):
        assert (await admin.post(path, headers=elsewhere)).status_code == 403


# ── what it tells ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_it_speaks_every_language(admin: httpx.AsyncClient, lang: str) -> None:
    """With the phrases of each."""
    page = (await admin.get("/admin", headers={"accept-language": lang})).text
    assert f'<html lang="{lang}"' in page
    for key in ("title", "health", "budget", "clear", "no_voices", "mood_well"):
        assert phrases(lang)(f"admin.{key}") in page


def test_every_language_has_every_phrase_of_it() -> None:
    """Switching the language loses no word."""
    keys = [{key for key in phrases(lang).table if key.startswith("admin.")} for lang in LANGUAGES]
    assert all(one == keys[0] for one in keys)


def test_players_are_not_led_to_it() -> None:
    """No template and no script of the game names the control room."""
    files = [
        *(WEB / "templates").glob("*.html"),
        *(WEB / "static" / "js").glob("*.js"),
    ]
    others = [file for file in files if not file.name.startswith("admin")]
    assert len(others) < len(files)
    assert not [file.name for file in others if "/admin" in file.read_text(encoding="utf-8")]


async def test_it_is_there_while_the_database_is_locked(
    app: FastAPI, admin: httpx.AsyncClient
) -> None:
    """It is for such moments: soon, whatever is down."""
    with locked(app.state.services.settings.database_file):
        begun = time.monotonic()
        page = await admin.get("/admin")
        assert time.monotonic() - begun < 1.5
    assert page.status_code == 200
    assert "data-live" in page.text


# ── what it does ────────────────────────────────────────────────────────────────────────────────


async def test_it_clears_the_caches(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    """And says what was forgotten."""
    first = (await client.post("/api/chat", json=WHO)).json()
    done = await admin.post("/admin/clear-cache")
    assert done.status_code == 303
    page = (await admin.get(done.headers["location"], headers={"accept-language": "en"})).text
    assert phrases("en")("admin.cleared", replies=0, duplicates=1) in page
    assert (await client.post("/api/chat", json=WHO)).json()["turn_id"] != first["turn_id"]


async def test_a_provider_is_switched_off_everywhere(tmp_path: Path) -> None:
    """One process is told; another leaves the provider alone and speaks the authored lines."""
    with provider("fast") as upstream:
        environ = {"OPENAI_BASE_URL": upstream.url, "ADMIN_TOKEN": TOKEN}
        async with (
            process(tmp_path / "data", **environ) as one,
            process(tmp_path / "data", **environ) as other,
            client_of(one) as admin,
        ):
            await enter(admin)
            page = (await admin.get("/admin", headers={"accept-language": "en"})).text
            assert phrases("en")("admin.turn_off_which", name="openai") in page
            await switch(admin, "off")
            services: Services = other.state.services
            await services.switches.look()
            assert await source_of(other) == "scripted"
            assert _calls(upstream) == 0
            async with client_of(other) as anybody:
                told = (await anybody.get("/health")).json()
            (voice,) = told["checks"]["providers"]
            assert (voice["state"], voice["why"]) == ("off", "switched_off")
            assert told["status"] == "ok"
            page = (await admin.get("/admin", headers={"accept-language": "en"})).text
            assert phrases("en")("admin.turn_on_which", name="openai") in page
            await switch(admin, "on")
            await services.switches.look()
            assert await source_of(other) == "model"


async def test_a_switch_outlives_the_process(tmp_path: Path) -> None:
    """What was switched off is off after a new start."""
    environ = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "ADMIN_TOKEN": TOKEN}
    async with process(tmp_path / "data", **environ) as app, client_of(app) as admin:
        await enter(admin)
        await switch(admin, "off")
    async with process(tmp_path / "data", **environ) as app:
        services: Services = app.state.services
        await services.switches.look()
        assert not services.switches.is_on("openai")


@pytest.mark.parametrize(
    "form", [{}, {"voice": "nobody", "turn": "off"}, {"voice": "openai", "turn": "sideways"}]
)
async def test_what_is_not_there_is_not_switched(
    admin: httpx.AsyncClient, form: dict[str, str]
) -> None:
    """404 for a provider or a position that does not exist."""
    assert (await admin.post("/admin/voices", data=form)).status_code == 404


async def switch(admin: httpx.AsyncClient, turn: str) -> None:
    """Turn the first provider off or on."""
    done = await admin.post("/admin/voices", data={"voice": "openai", "turn": turn})
    assert done.status_code == 303


async def source_of(app: FastAPI) -> str:
    """Whose words a new team hears."""
    async with client_of(app) as team:
        await team.post("/api/session", json={})
        return str((await team.post("/api/chat", json=WHO)).json()["source"])


def _calls(upstream: FaultyProvider) -> int:
    return int(upstream.stats()["calls"])
