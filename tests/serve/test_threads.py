"""`gthread`: four threads serve the same game, and none of them starves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.providers import FaultyProvider, provider
from tests.serve.crowd import Player
from tests.server import Server, serve
from tests.web.events import events_of

from amazonia.serve.bridge import scope_of
from amazonia.serve.deadlines import Deadlines

SEATS = 3


@pytest.fixture(scope="module")
def model() -> Iterator[FaultyProvider]:
    with provider("slow", speed=3) as model:  # 5 to 10 s
        yield model


@pytest.fixture(scope="module")
def server(model: FaultyProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("threads") / "data"
    with serve(
        data,
        OPENAI_BASE_URL=model.url,
        GUNICORN_WORKER_CLASS="gthread",
        GUNICORN_WORKERS="1",
    ) as server:
        yield server


@pytest.fixture
async def player(server: Server) -> AsyncIterator[Player]:
    async with httpx.AsyncClient(base_url=server.url, timeout=25, trust_env=False) as http:
        player = Player(http, 1)
        await player.begin()
        yield player


async def _accept(player: Player, message: str) -> str:
    """Ask something without listening; the turn's id."""
    body = {"entity_id": "cida", "message": message}
    accepted = await player.http.post("/api/chat", json=body, headers={"prefer": "respond-async"})
    assert accepted.status_code == 202
    return str(accepted.json()["turn_id"])


@asynccontextmanager
async def _seats_taken(player: Player) -> AsyncIterator[None]:
    """As many endless streams are open as may be."""
    until = time.monotonic() + 15
    streams: set[asyncio.Task[httpx.Response]] = set()
    try:
        while len(streams) < SEATS:
            assert time.monotonic() < until, "seats are not given back"
            new = {
                asyncio.create_task(player.http.get("/api/team/events"))
                for _ in range(SEATS - len(streams))
            }
            _, stay = await asyncio.wait(new, timeout=1.5)
            streams |= stay
        yield
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


async def test_a_stream_too_many_is_told_to_come_back(player: Player) -> None:
    """It gets what is there at once; the game answers everything else, and nothing is lost."""
    async with _seats_taken(player):
        turn = await _accept(player, "o que aconteceu com o bolo?")
        begun = time.monotonic()
        glimpse = await player.http.get(f"/api/turns/{turn}/events")
        assert time.monotonic() - begun < 2
        assert glimpse.status_code == 200
        assert glimpse.text.endswith("retry: 2000\n\n")
        assert events_of(glimpse.text)[0].kind == "turn"
        assert (await player.http.get("/health/live")).status_code == 200
        done = await player._listen(turn)
        assert done["reply"]
        assert player.resumed > 1


async def test_a_question_too_many_changes_nothing(player: Player) -> None:
    """Who wants the whole reply at once is refused before anything happens."""
    async with _seats_taken(player):
        body = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}
        refused = await player.http.post("/api/chat", json=body)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert (await player.http.get("/api/history/cida")).json() == []


async def test_who_leaves_gives_back_a_seat(player: Player) -> None:
    """The application hears that its listeners are gone; others may listen."""
    for _ in range(2):
        async with _seats_taken(player):
            pass


async def test_silent_connections_hold_no_thread(server: Server, player: Player) -> None:
    """Browsers open some in advance."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        for _ in range(12):
            stack.enter_context(socket.create_connection(address))
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as fresh:
            assert (await fresh.get("/health/live")).status_code == 200
        assert time.monotonic() - begun < 2


async def test_the_reply_as_one(player: Player) -> None:
    """JSON and a stream on the question itself work as with any worker."""
    body = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}
    reply = await player.http.post("/api/chat", json=body)
    assert reply.status_code == 200
    assert reply.json()["reply"]
    stream = await player.http.post(
        "/api/chat",
        json={**body, "message": "a que horas saiu do forno?"},
        headers={"accept": "text/event-stream"},
    )
    assert events_of(stream.text)[-1].kind == "done"


async def test_pages_and_files(player: Player) -> None:
    """What is long comes whole; what is not there, or too large, is said as ever."""
    page = await player.http.get("/api/openapi.json")
    assert page.status_code == 200
    assert "/api/chat" in page.json()["paths"]
    head = await player.http.head("/health/live")
    assert head.content == b""
    assert (await player.http.get("/api/turns/nonesuch/events")).status_code == 404
    large = await player.http.post("/api/chat", json={"entity_id": "x" * 70_000, "message": "?"})
    assert large.status_code == 413


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["asgi", "uvicorn", "gthread"])
async def test_told_to_stop_it_finishes_its_turns(
    tmp_path: Path, model: FaultyProvider, kind: str
) -> None:
    """Whoever listens hears the end, and the process goes."""
    with serve(
        tmp_path / "data",
        OPENAI_BASE_URL=model.url,
        GUNICORN_WORKER_CLASS=kind,
        GUNICORN_WORKERS="1",
    ) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=25, trust_env=False) as http:
            player = Player(http, 1)
            await player.begin()
            turn = await _accept(player, "o que aconteceu com o bolo?")
            listening = asyncio.create_task(player._hear(turn, {}))
            endless = asyncio.create_task(http.get("/api/team/events"))
            await asyncio.sleep(1.0)
            code = await asyncio.to_thread(server.stop)
            assert (await listening)[-1].kind == "done"
            assert code == 0
            assert (await endless).status_code == 200


# ── the pieces ──────────────────────────────────────────────────────────────────────────────────


def test_who_is_late_is_cut_off() -> None:
    """And only who is late; a thread that waits for it goes on."""
    now = 0.0
    deadlines = Deadlines(lambda: now)
    ours, theirs = socket.socketpair()
    with ours, theirs, deadlines.within(ours, 10):
        now = 9.0
        deadlines.enforce()
        theirs.send(b"in time")
        assert ours.recv(10) == b"in time"
        now = 10.0
        deadlines.enforce()
        assert ours.recv(10) == b""
    deadlines.enforce()


def test_who_moved_is_left_alone() -> None:
    """A deadline that was lifted means nothing any more."""
    now = 0.0
    deadlines = Deadlines(lambda: now)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with deadlines.within(ours, 10):
            pass
        now = 11.0
        deadlines.enforce()
        theirs.send(b"still here")
        assert ours.recv(10) == b"still here"


def test_a_request_keeps_its_meaning() -> None:
    """Path, query, headers and client are as the ASGI worker gives them."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/á".encode().decode("latin-1"),
        "RAW_URI": "/%C3%A1?b=%20c",
        "QUERY_STRING": "b=%20c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "1234",
        "CONTENT_TYPE": "application/json",
        "HTTP_LAST_EVENT_ID": "3",
        "wsgi.url_scheme": "https",
    }
    scope = scope_of(environ, {"kept": 1})
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (
        "/á",
        b"/%C3%A1",
        b"b=%20c",
    )
    assert scope["headers"] == [
        (b"last-event-id", b"3"),
        (b"content-type", b"application/json"),
    ]
    assert (scope["client"], scope["scheme"]) == (("192.0.2.7", 1234), "https")
    assert scope["state"] == {"kept": 1}
