"""Static files."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import brotli
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
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


@pytest.mark.parametrize(
    ("asked", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.2", "gzip"),
        ("gzip;q=0", ""),
        ("identity", ""),
        ("", ""),
    ],
)
async def test_a_file_is_kept_for_good(folder: Path, asked: str, coding: str) -> None:
    """Under its fingerprint, in the smallest form that a client takes."""
    assets = Assets(folder, "/static")
    headers = {"accept-encoding": asked}
    async with client_for(assets) as client:
        response = await client.get(assets.url("css/paper.css"), headers=headers)
        async with client.stream("GET", assets.url("css/paper.css"), headers=headers) as raw:
            sent = b"".join([chunk async for chunk in raw.aiter_raw()])
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[coding]
    assert response.headers.get("content-encoding", "") == coding
    assert unpack(sent).decode() == response.text == BODY
    assert int(response.headers["content-length"]) == len(sent)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["vary"] == "Accept-Encoding"


async def test_each_form_has_a_tag_of_its_own(folder: Path) -> None:
    """A cache that mixed them up would be found out; each is confirmed by its own tag alone."""
    assets = Assets(folder, "/static")
    url, tags = assets.url("css/paper.css"), {}
    async with client_for(assets) as client:
        for coding in ("br", "gzip", "identity"):
            asked = {"accept-encoding": coding}
            tags[coding] = (await client.get(url, headers=asked)).headers["etag"]
        for coding, tag in tags.items():
            for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
                asked = {"accept-encoding": coding, "if-none-match": given}
                again = await client.get(url, headers=asked)
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["etag"] == tag
                assert "immutable" in again.headers["cache-control"]
            other = {"accept-encoding": coding, "if-none-match": '"x"'}
            assert (await client.get(url, headers=other)).status_code == 200
    assert len(set(tags.values())) == 3


async def test_what_does_not_shrink_is_sent_as_it_is(folder: Path) -> None:
    """A picture that is compressed already, or a file of a few bytes."""
    (folder / "small.css").write_text("a{}")
    assets = Assets(folder, "/static")
    async with client_for(assets) as client:
        response = await client.get(assets.url("small.css"))
    assert "content-encoding" not in response.headers


async def test_a_page_of_any_origin_may_use_the_files(folder: Path) -> None:
    """Modules and fonts that come from a CDN are refused by browsers otherwise."""
    assets = Assets(folder, "/static", origin="https://cdn.test")
    async with client_for(assets) as client:
        response = await client.get("/static/css/paper.css", headers={"origin": "https://a.test"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


async def test_a_part_is_answered_with_the_whole(folder: Path) -> None:
    """Parts are not offered; asking for one is no fault."""
    assets = Assets(folder, "/static")
    async with client_for(assets) as client:
        asked = {"range": "bytes=0-3", "accept-encoding": "identity"}
        response = await client.get(assets.url("css/paper.css"), headers=asked)
    assert (response.status_code, response.text) == (200, BODY)
    assert response.headers["accept-ranges"] == "none"


async def test_head_tells_the_same_without_the_file(
    app: FastAPI, browser: Callable[[], httpx.AsyncClient]
) -> None:
    """Through the whole application: the headers of GET and no body."""
    url = app.state.assets.url("css/base.css")
    async with browser() as client:
        got, head = await client.get(url), await client.head(url)
    same = ("etag", "content-length", "content-encoding", "cache-control", "content-type")
    assert {n: head.headers[n] for n in same} == {n: got.headers[n] for n in same}
    assert head.content == b""
    assert got.headers["content-encoding"] == "br"


async def test_nothing_but_files_is_ever_kept_by_a_cache(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    """Every page and every call, whatever it answers, is nobody's but the one's who asked."""
    asked = 0
    for route in app.routes:
        if not isinstance(route, APIRoute) or route.path.endswith(("/events", "/live")):
            continue
        path = re.sub(r"{(\w+)(:\w+)?}", "cida", route.path)
        for method in sorted((route.methods or set()) & {"GET", "POST"}):
            if (method, path) == ("GET", "/api/events"):
                continue  # a stream without an end
            response = await client.request(method, path)
            kept = response.headers.get("cache-control", "")
            assert "no-store" in kept or "private" in kept, (method, path, response.status_code)
            asked += 1
    assert asked > 40


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
