"""Clients that send half of what they should: cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from amazonia.serve import asgi

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
SOON = 0.3
"""Seconds that each step may take here."""


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "FIRST_REQUEST", SOON)
    monkeypatch.setattr(asgi, "HEADERS", SOON)
    monkeypatch.setattr(asgi, "BODY", SOON)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, says it, and takes longer than any limit to end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if scope["path"] == "/long":
        await asyncio.sleep(3 * SOON)
    await send({"type": "http.response.body", "body": b" end"})


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """A port on which our protocol listens, with the least of a worker behind it."""
    cfg = Config()
    cfg.set("asgi_disconnect_grace_period", 0)
    worker = SimpleNamespace(
        cfg=cfg,
        log=Logger(cfg),
        asgi=echo,
        loop=asyncio.get_running_loop(),
        nr_conns=0,
        nr=0,
        max_requests=10**9,
        alive=True,
        state={},
        connections=set(),
    )
    server = await worker.loop.create_server(lambda: asgi.Protocol(worker), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(worker.connections):
            connection.transport.abort()
        await server.wait_closed()


async def _closed_after(port: int, *pieces: bytes, pause: float = 0.0) -> float:
    """Send pieces and no more; the seconds until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        await asyncio.wait_for(reader.read(), 10 * SOON)
        return time.monotonic() - begun
    except ConnectionError:
        return time.monotonic() - begun
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", HEAD[:-2], HEAD, HEAD + b"hal"], ids=lambda sent: f"{len(sent)}"
)
async def test_half_a_request_is_cut_off(sent: bytes) -> None:
    """Silent, in the line, in the headers, before or in the body."""
    async with served() as port:
        assert SOON * 0.9 <= await _closed_after(port, sent) < 3 * SOON


async def test_drop_by_drop_is_no_way_out() -> None:
    """A byte now and then does not make the time longer."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        closed = asyncio.create_task(reader.read())
        begun = time.monotonic()
        for byte in HEAD:
            if not closed.done():
                writer.write(bytes([byte]))
                await asyncio.wait({closed}, timeout=SOON / 5)
        assert SOON * 0.9 <= time.monotonic() - begun < 3 * SOON
        await asyncio.gather(closed, return_exceptions=True)
        writer.close()


async def test_the_next_request_has_its_own_time() -> None:
    """On a connection that is used again, half a request is cut off as well."""
    async with served() as port:
        whole = HEAD + b"0123456789"
        assert SOON * 0.9 <= await _closed_after(port, whole, HEAD[:20], pause=0.1) < 4 * SOON


async def test_a_long_reply_is_not_cut_off() -> None:
    """Once the request is there, the time is the server's."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 10 * SOON)).endswith(b" end\r\n0\r\n\r\n")
        writer.close()


async def test_two_hundred_of_them_harm_nobody() -> None:
    """Others are answered at once, and when they are gone nothing of them is left."""
    async with served() as port:
        slow = [asyncio.create_task(_closed_after(port, HEAD[:30])) for _ in range(200)]
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"0123456789")
        assert b"200" in await asyncio.wait_for(reader.readline(), SOON * 3)
        assert time.monotonic() - begun < SOON * 3
        writer.close()
        assert max(await asyncio.gather(*slow)) < 8 * SOON


LINE = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        LINE + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        LINE + b"X: a\r\n" * 500 + b"\r\n",
        LINE + b"X: " + b"a" * 1_000_000,
        b"a" * 200_000,
    ],
    ids=["long address", "long header", "many headers", "endless header", "no request"],
)
async def test_too_much_of_a_head_is_refused(sent: bytes) -> None:
    """Address, headers and their number have limits; nothing waits for the rest."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(), 2 * SOON)
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:80]
        writer.close()
