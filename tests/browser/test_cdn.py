"""The game with its files on another origin, as a CDN serves them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import CASES, Studio
from tests.server import free_port, serve

pytestmark = pytest.mark.browser

HOP = {"connection", "transfer-encoding", "keep-alive", "server", "date"}


@contextmanager
def cdn(port: int, game: str) -> Iterator[None]:
    """A CDN that fetches files from the game and hands them on as they are; nothing else."""

    class Edge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(("/static/", "/art/")):
                self.send_error(404)
                return
            asked = {"accept-encoding": self.headers.get("accept-encoding", "identity")}
            with httpx.stream("GET", game + self.path, headers=asked) as response:
                body = b"".join(response.iter_raw())
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", port), Edge)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_team_plays_with_its_files_from_elsewhere(tmp_path: Path, chromium: Browser) -> None:
    """Every file comes from the CDN, scripts run, and nothing is refused by any policy."""
    data, port = tmp_path / "data", free_port()
    elsewhere = f"http://127.0.0.1:{port}"
    with serve(data, cases=CASES, ASSET_URL=elsewhere) as game, cdn(port, game.url):
        context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="pt-BR")
        context.set_default_timeout(20_000)
        studio = Studio(game.url, context, context.new_page())
        files: set[str] = set()
        studio.page.on("console", lambda m: studio.faults.append(m.text))
        studio.page.on("pageerror", lambda error: studio.faults.append(str(error)))
        studio.page.on("requestfailed", lambda r: _note_failure(studio, r.url, r.failure))
        studio.page.on("response", lambda r: files.add(r.url))
        studio.go("/")
        studio.begin()
        studio.go("/interview/esmerina")
        assert studio.ask("Quem é a senhora?")
        studio.go("/notebook")
        context.close()
    paths = [urlsplit(url) for url in files]
    kept = {path.netloc for path in paths if path.path.startswith(("/static/", "/art/"))}
    assert kept == {f"127.0.0.1:{port}"}
    assert {p.path.rpartition(".")[2] for p in paths if p.port == port} >= {"css", "js", "svg"}
    assert studio.faults == []


def _note_failure(studio: Studio, url: str, failure: str | None) -> None:
    """Note what was not let through; that leaving a page breaks requests off is no fault."""
    if failure != "net::ERR_ABORTED":
        studio.faults.append(f"{url}: {failure}")
