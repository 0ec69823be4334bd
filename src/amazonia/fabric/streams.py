"""Streams of the turns that this process speaks, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from amazonia.ports import Json, StreamEvent


class MemoryStream:
    """The `Stream` port."""

    def __init__(self) -> None:
        self._events: list[StreamEvent] = []
        self._closed = False
        self._moved = asyncio.Event()

    def add(self, kind: str, data: Json) -> StreamEvent:
        """Append an event; its id is the next number."""
        event = StreamEvent(len(self._events) + 1, kind, data)
        self._events.append(event)
        self._wake()
        return event

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._wake()

    async def after(self, event_id: int) -> AsyncIterator[StreamEvent]:
        """Every event after `event_id`, those to come included, until the stream is closed."""
        at = max(0, event_id)
        while True:
            moved = self._moved
            while at < len(self._events):
                yield self._events[at]
                at += 1
            if self._closed:
                return
            if not moved.is_set():
                await moved.wait()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


class MemoryStreams:
    """The `Streams` port. A stream lives as long as somebody speaks it or listens to it."""

    def __init__(self) -> None:
        self._streams: WeakValueDictionary[str, MemoryStream] = WeakValueDictionary()

    def open(self, turn_id: str) -> MemoryStream:
        """Begin a turn's stream."""
        stream = self._streams[turn_id] = MemoryStream()
        return stream

    def get(self, turn_id: str) -> MemoryStream | None:
        """The stream of a turn, while it is open here."""
        return self._streams.get(turn_id)
