"""nginx, with our configuration, in front of a real server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.server import Server, free_port, serve

from amazonia.web.app import STATIC
from amazonia.web.assets import Assets

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PATIENCE = 10.0

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@contextmanager
def _nginx(folder: Path, game: str) -> Iterator[str]:
    """nginx with deploy/nginx.conf, moved to loopback and a folder; its address."""
    port = free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for ours, here in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "http://web:8000": game,
        "    include /etc/nginx/mime.types;\n": "",
        "/tmp/": f"{folder}/",
        "/run/nginx.pid": f"{folder}/pid",
        "/dev/stderr": f"{folder}/error.log",
        "resolver 127.0.0.11 valid=2s;": "",
    }.items():
        assert ours in text
        text = text.replace(ours, here)
    conf = folder / "nginx.conf"
    conf.write_text(text)
    command = [str(NGINX), "-c", str(conf), "-p", str(folder), "-e", f"{folder}/error.log"]
    # As root it would serve as nobody, who may not look into the test's folder.
    as_root = " user root;" if os.geteuid() == 0 else ""
    process = subprocess.Popen([*command, "-g", f"daemon off;{as_root}"])
    try:
        _wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_until_open(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx did not start")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers."""
    with serve(tmp_path_factory.mktemp("game") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, game: Server) -> Iterator[str]:
    """nginx in front of it."""
    with _nginx(tmp_path_factory.mktemp("nginx"), game.url) as url:
        yield url


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    """A browser that has begun."""
    with httpx.Client(base_url=site, timeout=PATIENCE) as client:
        client.post("/api/session", json={}).raise_for_status()
        yield client


def test_a_turn_is_played_through_it(client: httpx.Client, site: str) -> None:
    """A change from the page's own origin passes, and is answered."""
    question = {"entity_id": "cida", "message": "quem comeu o bolo?"}
    reply = client.post("/api/chat", json=question, headers={"Origin": site})
    assert reply.status_code == 200, reply.text
    assert reply.json()["reply"]


def test_a_change_from_another_site_does_not(client: httpx.Client) -> None:
    """The game still sees where a change comes from."""
    question = {"entity_id": "cida", "message": "quem?"}
    reply = client.post("/api/chat", json=question, headers={"Origin": "http://elsewhere.test"})
    assert reply.status_code == 403


def test_events_are_not_held_back(client: httpx.Client) -> None:
    """The first event of a stream that stays open arrives at once, and not compressed."""
    headers = {"Accept-Encoding": "gzip"}
    begun = time.monotonic()
    with client.stream("GET", "/api/team/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
        assert next(stream.iter_raw())
        assert time.monotonic() - begun < 5


def test_files_are_kept_and_nothing_else(client: httpx.Client) -> None:
    """Each form of a file by itself, with the game's own tags; a page and a call never."""
    path = Assets(STATIC, "/static").url("css/base.css")
    seen = {}
    for coding in ("br", "gzip", "identity"):
        asked = {"accept-encoding": coding}
        first, second = (client.get(path, headers=asked) for _ in range(2))
        assert first.status_code == 200, first.text
        assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
        assert second.headers.get("content-encoding", "identity") == coding
        assert second.text == first.text
        tag = {**asked, "if-none-match": second.headers["etag"]}
        assert client.get(path, headers=tag).status_code == 304
        seen[coding] = second.headers["etag"]
    assert len(set(seen.values())) == 3
    stale = re.sub(r"/static/\w+/", "/static/0123456789ab/", path)
    assert [client.get(stale).headers["x-cache"] for _ in range(2)] == ["MISS", "MISS"]
    for other in ("/newsroom", "/api/state", "/health"):
        response = client.get(other)
        assert "x-cache" not in response.headers
        assert response.headers["cache-control"] in {"no-store", "private, no-cache"}


def test_metrics_stay_inside(client: httpx.Client) -> None:
    """What is for this machine only is not reached through the proxy."""
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics").headers["server"] == "nginx"


def test_while_the_game_starts_anew_browsers_are_told_to_ask_again(tmp_path: Path) -> None:
    """Nobody listens: a turn gets 503 with Retry-After, which the page obeys; a page, one too."""
    with _nginx(tmp_path, f"http://127.0.0.1:{free_port()}") as url:
        turn = httpx.post(f"{url}/api/chat", json={})
        assert turn.status_code == 503
        assert turn.headers["retry-after"] == "1"
        assert turn.headers["content-type"] == "application/problem+json"
        assert turn.json()["status"] == 503
        page = httpx.get(f"{url}/")
        assert page.status_code == 503
        assert 'http-equiv="refresh"' in page.text
