"""The bare relay: the floor that no game can get under.

It does nothing but forward: a question becomes one request to the provider, and the provider's
bytes become the answer, unread. Same Gunicorn, same worker, same settings as the game.

    .venv/bin/python bench/load/relay.py --port 8100 --provider http://127.0.0.1:9999/v1
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, MutableMapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
from gunicorn.app.base import BaseApplication

from amazonia.serve import gunicorn_settings
from amazonia.settings import read_settings

MODEL = "relay"
MAX_TOKENS = 400
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Relay:
    """The ASGI application.

    `POST /api/chat` takes `{message}`, or a whole request body of the provider's, and answers with
    the provider's stream.
    """

    def __init__(self, provider: str) -> None:
        """Forward to this base URL."""
        self.state = SimpleNamespace()
        self._url = f"{provider}/chat/completions"
        self._http: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or live and die with the worker."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/api/chat" and self._http is not None:
            await self._forward(self._http, await _body(receive), send)
        else:
            await _answer(send, 200 if scope["path"] == "/health" else 404)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self._http:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _forward(self, http: aiohttp.ClientSession, body: bytes, send: Send) -> None:
        async with http.post(self._url, json=_request(orjson.loads(body))) as upstream:
            await send(_start(upstream.status, upstream.content_type))
            async for chunk in upstream.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _request(asked: dict[str, Any]) -> dict[str, Any]:
    if "messages" in asked:
        return {**asked, "model": MODEL}
    messages = [{"role": "user", "content": asked["message"]}]
    return {"model": MODEL, "stream": True, "max_tokens": MAX_TOKENS, "messages": messages}


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _start(status: int, content_type: str) -> Message:
    headers = [(b"content-type", content_type.encode())]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _answer(send: Send, status: int) -> None:
    await send(_start(status, "text/plain"))
    await send({"type": "http.response.body", "body": b""})


class _Gunicorn(BaseApplication):
    """Gunicorn as the game runs it, with another application."""

    def __init__(self, relay: Relay, options: dict[str, Any]) -> None:
        self._relay = relay
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Relay:
        """The application."""
        return self._relay


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--provider", default="http://127.0.0.1:9999/v1")
    given = parser.parse_args()
    options = gunicorn_settings(read_settings({"PORT": str(given.port)}))
    for ours in ("wsgi_app", "on_starting"):
        del options[ours]
    _Gunicorn(Relay(given.provider), options).run()


if __name__ == "__main__":
    main()
