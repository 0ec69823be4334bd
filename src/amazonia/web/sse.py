"""Server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import StreamingResponse

from amazonia.ports import StreamEvent

HEARTBEAT = 10.0
RETRY = b"retry: 1000\n\n"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


def last_event_id(request: Request, last: int | None) -> int:
    """The id of the last event that the client saw, by header or query; 0 if none."""
    header = request.headers.get("last-event-id", "").strip()
    if header.isascii() and header.isdigit() and len(header) < 10:
        return int(header)
    return max(0, last or 0)


def event_stream(events: AsyncIterator[StreamEvent], headers: dict[str, str]) -> StreamingResponse:
    """Events as they come, with a comment now and then so that nobody thinks the line dead."""
    return StreamingResponse(
        _lines(events), media_type="text/event-stream", headers={**HEADERS, **headers}
    )


def encode(event: StreamEvent) -> bytes:
    """One event on the wire."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.id,
        event.kind.encode(),
        orjson.dumps(event.data),
    )


async def _lines(events: AsyncIterator[StreamEvent]) -> AsyncGenerator[bytes]:
    yield RETRY
    iterator = aiter(events)
    coming: asyncio.Task[StreamEvent | None] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(_next(iterator))
            while not (await asyncio.wait({coming}, timeout=HEARTBEAT))[0]:
                yield b": still here\n\n"
            event = coming.result()
            if event is None:
                return
            yield encode(event)
    finally:
        if coming is not None:
            coming.cancel()


async def _next(iterator: AsyncIterator[StreamEvent]) -> StreamEvent | None:
    """The next event; None at the end, so that a task that nobody asks any more has no error."""
    return await anext(iterator, None)
