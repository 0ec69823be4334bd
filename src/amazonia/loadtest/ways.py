"""The ways of asking: the game as its page does, as one stream or as JSON; the references."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import orjson

from amazonia.loadtest.plans import Way
from amazonia.loadtest.questions import Question
from amazonia.loadtest.resuming import ask_resuming
from amazonia.loadtest.seats import Heard, Seat

SENTENCE = re.compile(r"""\w[.!?…]["”»)]*(?=\s|$)""")

Ask = Callable[[Seat, Question, Heard], Awaitable[None]]


def _chat(seat: Seat, asked: Question, headers: Mapping[str, str]) -> Any:
    return seat.http.post(
        f"{seat.plan.url}/api/chat",
        json={"entity_id": asked.character, "message": asked.message},
        headers={"Cookie": seat.cookie, **headers},
    )


async def ask_as_page(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question, then listen to its turn."""
    async with _chat(seat, asked, {"Prefer": "respond-async"}) as answer:
        if answer.status != 202:
            heard.fault = f"status {answer.status}"
            return
        turn_id = (await answer.json())["turn_id"]
    listening = seat.http.get(
        f"{seat.plan.url}/api/turns/{turn_id}/events", headers={"Cookie": seat.cookie}
    )
    async with listening as answer:
        await _hear_events(answer, heard)


async def ask_for_stream(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question and listen on the same request."""
    async with _chat(seat, asked, {"Accept": "text/event-stream"}) as answer:
        await _hear_events(answer, heard)


async def ask_for_json(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the question and wait for the whole reply."""
    async with _chat(seat, asked, {}) as answer:
        if answer.status != 200:
            heard.fault = f"status {answer.status}"
            return
        data = await answer.json()
        heard.begin()
        heard.finish(data)


async def _hear_events(answer: aiohttp.ClientResponse, heard: Heard) -> None:
    """Read a turn's events until `done`."""
    if answer.status != 200:
        heard.fault = f"status {answer.status}"
        return
    heard.listening = True
    kind = b""
    async for line in answer.content:
        if line.startswith(b"event: "):
            kind = line[7:].strip()
            if kind in {b"sentence", b"replace"}:
                heard.begin()
        elif line.startswith(b"data: ") and kind == b"done":
            heard.finish(orjson.loads(line[6:]))


# ── the references ──────────────────────────────────────────────────────────────────────────────


async def ask_relay(seat: Seat, asked: Question, heard: Heard) -> None:
    """Send the relay a question, or a recorded request, and read the provider's stream."""
    body = _recorded(seat) or {"message": asked.message}
    async with seat.http.post(f"{seat.plan.url}/api/chat", json=body) as answer:
        await _hear_completion(answer, heard)


async def ask_provider(seat: Seat, asked: Question, heard: Heard) -> None:
    """Ask the provider itself: how long a turn lasts with nobody between."""
    messages = [{"role": "user", "content": asked.message}]
    body = _recorded(seat) or {"model": "direct", "stream": True, "messages": messages}
    url = f"{seat.plan.url}/v1/chat/completions"
    async with seat.http.post(url, json=body) as answer:
        await _hear_completion(answer, heard)


def _recorded(seat: Seat) -> dict[str, Any] | None:
    bodies = seat.plan.bodies
    return bodies[(seat.turn * seat.plan.players + seat.number) % len(bodies)] if bodies else None


async def _hear_completion(answer: aiohttp.ClientResponse, heard: Heard) -> None:
    """Read an OpenAI stream until `[DONE]`; its tokens only as far as the first sentence."""
    if answer.status != 200:
        heard.fault = f"status {answer.status}"
        return
    heard.call = answer.headers.get("X-Request-ID", "")
    async for line in answer.content:
        if heard.first_at is None and line.startswith(b"data: {"):
            choices = orjson.loads(line[6:]).get("choices") or [{}]
            heard.reply += choices[0].get("delta", {}).get("content") or ""
            if SENTENCE.search(heard.reply):
                heard.begin()
        elif line.startswith(b"data: [DONE]"):
            heard.done, heard.source = True, "model"


async def ask_old_cure(seat: Seat, asked: Question, heard: Heard) -> None:
    """Ask the old cure, which answers with JSON."""
    body = {"player_id": f"player-{seat.number}", "message": asked.message}
    async with seat.http.post(f"{seat.plan.url}/chat", json=body) as answer:
        if answer.status != 200:
            heard.fault = f"status {answer.status}"
            return
        data = await answer.json()
        heard.begin()
        heard.finish(data)


WAYS: dict[Way, Ask] = {
    "page": ask_as_page,
    "stream": ask_for_stream,
    "json": ask_for_json,
    "relay": ask_relay,
    "provider": ask_provider,
    "old": ask_old_cure,
    "resume": ask_resuming,
}
