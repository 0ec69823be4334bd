"""Static files."""

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from amazonia.web.assets import Assets

BODY = "body { color: black; }\n" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "paper.css").write_text(BODY)
    (tmp_path / "secret.yaml").write_text("answer: 42")
    return tmp_path


def client_for(assets: Assets) -> httpx.AsyncClient:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await assets({**scope, "root_path": "/static"}, receive, send)
        except HTTPException as exc:
            await Response(status_code=exc.status_code)(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://game.test")


async def test_a_file_is_kept_for_good(folder: Path) -> None:
    """Under its fingerprint; compressed for those who take it."""
    assets = Assets(folder, "/static")
    async with client_for(assets) as client:
        response = await client.get(assets.url("css/paper.css"))
        assert response.text == BODY
        assert response.headers["content-encoding"] == "gzip"
        assert "immutable" in response.headers["cache-control"]
        plain = await client.get(
            assets.url("css/paper.css"), headers={"accept-encoding": "identity"}
        )
        assert "content-encoding" not in plain.headers
        assert plain.content == BODY.encode() == gzip.decompress(gzip.compress(BODY.encode()))


async def test_without_or_with_an_old_fingerprint_it_is_asked_for_again(folder: Path) -> None:
    """So that nobody keeps new content under an old address."""
    assets = Assets(folder, "/static")
    async with client_for(assets) as client:
        for path in ("/static/css/paper.css", "/static/0123456789ab/css/paper.css"):
            response = await client.get(path)
            assert response.headers["cache-control"] == "no-cache"
            tag = {"if-none-match": response.headers["etag"]}
            assert (await client.get(path, headers=tag)).status_code == 304


async def test_a_changed_file_has_another_address(folder: Path) -> None:
    """Where the folder is watched; every address of the folder changes with it."""
    assets = Assets(folder, "/static", watch=True)
    before = assets.url("css/paper.css")
    (folder / "css" / "paper.css").write_text("body {}")
    assert assets.url("css/paper.css") != before


@pytest.mark.parametrize(
    "path", ["/static/secret.yaml", "/static/../secret.yaml", "/static/css", "/static/"]
)
async def test_only_listed_kinds_are_served(folder: Path, path: str) -> None:
    """A case's folder of drawings gives its drawings only."""
    assets = Assets(folder, "/static", ("*.css",))
    async with client_for(assets) as client:
        assert (await client.get(path)).status_code == 404


def test_addresses_can_point_to_a_cdn(folder: Path) -> None:
    """ASSET_URL is put before them."""
    assets = Assets(folder, "/static", origin="https://cdn.test/")
    assert assets.url("a.css").startswith("https://cdn.test/static/")


def test_the_app_knows_its_files(app: FastAPI) -> None:
    """Templates ask the app for addresses."""
    assert app.state.assets.url("art/logo.svg").startswith("/static/")
    assert set(app.state.art) == {"mini"}
