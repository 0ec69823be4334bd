"""The guard at the door: names, keys, and what a browser is told for good."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.worlds import mini_library, mini_settings

from amazonia.errors import BadSetting
from amazonia.groundwork import migrate
from amazonia.settings import read_settings
from amazonia.web.app import create_app
from amazonia.web.security import COOKIE

OLD, NEW, OTHER = "an-older-key-that-nobody-knows", "the-key-of-today", "somebody-else's-key"
STRONG = "k8sV2mQx7bTz4nLw9dRf3hJp6yGc5aEu"


@asynccontextmanager
async def opened(data: Path, origin: str, **environ: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with its own settings."""
    settings = mini_settings(data, **environ)
    migrate(settings)
    app = create_app(settings, mini_library())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin) as client,
    ):
        yield client


# ── keys ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fallbacks", "status"), [(OLD, 200), (f"{OTHER}, {OLD}", 200), (OTHER, 401), ("", 401)]
)
async def test_a_key_can_be_renewed(tmp_path: Path, fallbacks: str, status: int) -> None:
    """What an earlier key signed stays good as long as that key is named."""
    async with opened(tmp_path, "http://game.test", SECRET_KEY=OLD) as client:
        (await client.post("/api/session", json={})).raise_for_status()
        cookie = client.cookies[COOKIE]
    renewed = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": fallbacks}
    async with opened(tmp_path, "http://game.test", **renewed) as client:
        client.cookies[COOKIE] = cookie
        assert (await client.get("/api/state")).status_code == status


async def test_the_newest_key_signs(tmp_path: Path) -> None:
    """A cookie of today is good without the earlier keys."""
    both = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": OLD}
    async with opened(tmp_path, "http://game.test", **both) as client:
        (await client.post("/api/session", json={})).raise_for_status()
        cookie = client.cookies[COOKIE]
    async with opened(tmp_path, "http://game.test", SECRET_KEY=NEW) as client:
        client.cookies[COOKIE] = cookie
        assert (await client.get("/api/state")).status_code == 200


# ── what production refuses ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "SECRET_KEY: not set"),
        ({"SECRET_KEY": STRONG[:31]}, "SECRET_KEY: too short"),
        ({"SECRET_KEY": "changeme" * 4 + "!"}, None),
        ({"SECRET_KEY": "ab" * 20}, "SECRET_KEY: easy to guess"),
        (
            {"SECRET_KEY": STRONG, "SECRET_KEY_FALLBACKS": "older"},
            "SECRET_KEY_FALLBACKS: too short",
        ),
        ({"SECRET_KEY": STRONG, "ADMIN_TOKEN": "pass123"}, "ADMIN_TOKEN: too short"),
        ({"SECRET_KEY": STRONG, "ADMIN_TOKEN": "a" * 16}, "ADMIN_TOKEN: easy to guess"),
        ({"SECRET_KEY": STRONG, "ADMIN_TOKEN": STRONG[:16]}, None),
    ],
)
def test_production_needs_secrets(environ: dict[str, str], said: str | None) -> None:
    """A start with a weak secret is refused in one line that never shows the secret."""
    production = {"AMAZONIA_ENV": "production", **environ}
    if said is None:
        read_settings(production)
        return
    with pytest.raises(BadSetting, match=said) as refused:
        read_settings(production)
    assert not any(secret in str(refused.value) for secret in environ.values())


# ── names ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["evil.example", "game.test.evil.example", "game.test@evil", ""])
async def test_only_its_own_names(tmp_path: Path, host: str) -> None:
    """A call by another name is refused: links and printed codes would lead there."""
    async with opened(tmp_path, "http://game.test", ALLOWED_HOSTS="game.test, [::1]") as client:
        for own in ("game.test", "GAME.test:8000", "[::1]:8000"):
            assert (await client.get("/api/state", headers={"Host": own})).status_code == 401
        refused = await client.get("/api/state", headers={"Host": host})
        assert refused.status_code == 400
        assert refused.json()["type"] == "/problems/bad-host"
        health = await client.get("/health/live", headers={"Host": host})
        assert health.status_code == 200


@pytest.mark.parametrize("host", ['game.test"><script>', "a b", "a/b", "a:b", "a%2eb"])
async def test_a_host_is_a_name(browser: Callable[[], httpx.AsyncClient], host: str) -> None:
    """Where any name is allowed, it still has to be one."""
    async with browser() as client:
        assert (await client.get("/api/state", headers={"Host": host})).status_code == 400


def test_a_wrong_list_of_names_is_refused() -> None:
    """An address is no name."""
    with pytest.raises(BadSetting, match=r"ALLOWED_HOSTS.*without http"):
        read_settings({"ALLOWED_HOSTS": "https://play.example.org"})


# ── for good ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("origin", "stays"), [("https://game.test", True), ("http://lan", False)])
async def test_tls_is_kept(tmp_path: Path, origin: str, stays: bool) -> None:
    """Who came by TLS is told to stay with it; a school's plain network is not."""
    async with opened(tmp_path, origin) as client:
        told = "strict-transport-security" in (await client.get("/health/live")).headers
        assert told is stays


async def test_nothing_is_loaded_unless_named(client: httpx.AsyncClient) -> None:
    """The content policy begins with nothing at all."""
    policy = (await client.get("/api/state")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "*" not in policy
