"""Server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from amazonia.ports import StreamEvent

HEARTBEAT = 10.0
RETRY = b"retry: 1000\n\n"
STILL_HERE = b": still here\n\n"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
EVENTS: Final[dict[str, Any]] = {"content": {"text/event-stream": {}}}
"""How such an answer is described."""


def last_event_id(request: Request, last: int | None) -> int:
    """The id of the last event that the client saw, by header or query; 0 if none."""
    header = request.headers.get("last-event-id", "").strip()
    if header.isascii() and header.isdigit() and len(header) < 10:
        return int(header)
    return max(0, last or 0)


def event_stream(events: AsyncIterator[StreamEvent], headers: dict[str, str]) -> Response:
    """Events as they come, with a comment now and then so that nobody thinks the line dead."""
    return _Events(events, {**HEADERS, **headers})


async def until(
    closing: asyncio.Event, events: AsyncIterator[StreamEvent]
) -> AsyncIterator[StreamEvent]:
    """The events, until the process begins to shut down."""
    closed = asyncio.ensure_future(closing.wait())
    coming: asyncio.Future[StreamEvent] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(events))
            await asyncio.wait({coming, closed}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                return
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            yield event
    finally:
        closed.cancel()
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def encode(event: StreamEvent) -> bytes:
    """One event on the wire."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.id,
        event.kind.encode(),
        orjson.dumps(event.data),
    )


class _Events(Response):
    """An answer that lasts until its events end or the client is gone.

    Two tasks for the whole answer, one that listens to the events and one to the client; what
    comes together is sent together.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[StreamEvent], headers: dict[str, str]) -> None:
        self._events = events
        self.status_code = 200
        self.background = None
        self.init_headers(headers)  # there is no body yet, whose length the others would have

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        ready, news = [RETRY], asyncio.Event()
        coming = asyncio.ensure_future(_gather(self._events, ready, news))
        gone = asyncio.ensure_future(_leave(receive))
        for task in (coming, gone):
            task.add_done_callback(lambda _: news.set())
        start = {"status": self.status_code, "headers": self.raw_headers}
        try:
            await send({"type": "http.response.start", **start})
            while not gone.done():
                if ready:
                    body = b"".join(ready)
                    ready.clear()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                elif coming.done():
                    coming.result()  # if the events broke off, so does the answer
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    return
                else:
                    news.clear()
                    await _wait(news, ready)
        finally:
            coming.cancel()
            gone.cancel()
            await asyncio.gather(coming, gone, return_exceptions=True)


async def _gather(
    events: AsyncIterator[StreamEvent], ready: list[bytes], news: asyncio.Event
) -> None:
    """Encode events as they come."""
    async for event in events:
        ready.append(encode(event))
        news.set()


async def _leave(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait(news: asyncio.Event, ready: list[bytes]) -> None:
    """Wait until there is something to be sent; a comment if nothing comes for long."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            await news.wait()
    except TimeoutError:
        ready.append(STILL_HERE)
