"""Players on a bad line: as the page does, they send and listen again when a connection breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

import aiohttp
import orjson

from amazonia.loadtest.questions import Question
from amazonia.loadtest.seats import Heard, Seat

RETRY = 0.2
"""Seconds before a broken connection is tried again; well within the window for duplicates."""
CONNECT = 1.0
"""Seconds for a connection to be made."""
SILENCE = 12.0
"""Seconds without a byte after which a stream counts as dead: it has a heartbeat every ten."""
BROKEN = (aiohttp.ClientError, ConnectionError, TimeoutError)
LATER = (429, 502, 503, 504)
"""Statuses that say "again in a moment"."""
TIMES = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)


class Event(NamedTuple):
    """An event of a turn's stream."""

    id: int
    kind: bytes
    data: bytes


async def ask_resuming(seat: Seat, asked: Question, heard: Heard) -> None:
    """Ask until the question is accepted, then listen until its reply is whole."""
    while not heard.turn and not heard.fault:
        with suppress(*BROKEN):
            await _send(seat, asked, heard)
        if not heard.turn:
            await asyncio.sleep(RETRY)
    seen = 0
    while not heard.done and not heard.fault:
        with suppress(*BROKEN):
            async for event in _listen(seat, heard, seen):
                if event.id != seen + 1:
                    heard.fault = f"event {event.id} came after {seen}"
                    return
                seen = event.id
                _take(event, heard)
        if not heard.done:
            _broke(heard)
            await asyncio.sleep(RETRY)


async def _send(seat: Seat, asked: Question, heard: Heard) -> None:
    request = seat.http.post(
        f"{seat.plan.url}/api/chat",
        json={"entity_id": asked.character, "message": asked.message},
        headers={"Cookie": seat.cookie, "Prefer": "respond-async"},
        timeout=TIMES,
    )
    async with request as answer:
        if answer.status == 202:
            heard.turn = str((await answer.json())["turn_id"])
        elif answer.status in LATER:
            heard.refused += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", "0")))
        else:
            heard.fault = f"status {answer.status}"


async def _listen(seat: Seat, heard: Heard, seen: int) -> AsyncIterator[Event]:
    """The events after one that was seen, until the connection ends."""
    headers = {"Cookie": seat.cookie, **({"Last-Event-ID": str(seen)} if seen else {})}
    url = f"{seat.plan.url}/api/turns/{heard.turn}/events"
    async with seat.http.get(url, headers=headers, timeout=TIMES) as answer:
        if answer.status in LATER:
            return
        if answer.status != 200:
            heard.fault = f"status {answer.status} of a turn that was accepted"
            return
        heard.listening = True
        fields: dict[bytes, bytes] = {}
        async for line in answer.content:
            name, _, value = line.rstrip(b"\n").partition(b": ")
            if name:
                fields[name] = value
                continue
            if b"data" in fields and b"id" in fields:
                _again(heard)
                yield Event(int(fields[b"id"]), fields[b"event"], fields[b"data"])
            fields = {}


def _take(event: Event, heard: Heard) -> None:
    if event.kind in {b"sentence", b"replace"}:
        heard.begin()
    elif event.kind == b"done":
        data: dict[str, Any] = orjson.loads(event.data)
        heard.finish(data)


def _broke(heard: Heard) -> None:
    """The line broke; the first time of an interruption counts."""
    if heard.broke_at is None:
        heard.broke_at = time.perf_counter()
        heard.resumed += 1


def _again(heard: Heard) -> None:
    """The line carries events again."""
    if heard.broke_at is not None:
        heard.longest_gap = max(heard.longest_gap, time.perf_counter() - heard.broke_at)
        heard.broke_at = None
