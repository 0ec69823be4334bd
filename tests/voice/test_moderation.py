"""A provider's opinion on a message: read as it is meant, quick or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest
from aiohttp import web
from tests.serving import serving

from amazonia.ports import Concern
from amazonia.voice.deadline import Deadline
from amazonia.voice.moderation import (
    LONGEST_ANSWER,
    PATIENCE,
    EndpointModeration,
    Unusable,
    read_judgement,
)
from amazonia.voice.providers import Endpoint, open_http


def judged(*names: str, flagged: bool = True) -> bytes:
    """An answer that finds these categories."""
    categories = {"violence": False, "sexual": False} | dict.fromkeys(names, True)
    return json.dumps({"results": [{"flagged": flagged, "categories": categories}]}).encode()


@pytest.mark.parametrize(
    ("answer", "concern"),
    [
        (judged(flagged=False), None),
        (judged("sexual", flagged=False), None),
        (judged("sexual"), "sexual"),
        (judged("harassment", "sexual/minors"), "sexual"),
        (judged("harassment/threatening"), "insult"),
        (judged("hate", "harassment"), "hate"),
        (judged("illicit/violent"), "harmful"),
        (judged("harassment", "self-harm/intent"), "distress"),
        (judged("violence", "violence/graphic", "illicit"), None),
        (judged("something/new"), None),
        (b'{"results": [{"flagged": true}]}', "insult"),
    ],
)
def test_what_it_finds(answer: bytes, concern: Concern | None) -> None:
    """The gravest counts; crimes that a story is about do not."""
    assert read_judgement(answer) == concern


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no",
        b"[]",
        b"{}",
        b'{"results": []}',
        b'{"results": [1]}',
        b'{"results": [{"categories": {}}]}',
        b'{"results": [{"flagged": true, "categories": [1]}]}',
        b" " * (LONGEST_ANSWER + 1),
    ],
)
def test_nonsense_is_no_opinion(answer: bytes) -> None:
    """Whatever else comes."""
    with pytest.raises(Unusable):
        read_judgement(answer)


class Judge:
    """An endpoint that does as it is told.

    Attributes:
        how: a status, a number of seconds to wait, or the answer.
        asked: what it was sent, with the key.
    """

    def __init__(self) -> None:
        self.how: int | float | bytes = judged(flagged=False)
        self.asked: list[tuple[str, Any]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers.get("Authorization", ""), await request.json()))
        if isinstance(self.how, bytes):
            return web.Response(body=self.how)
        if isinstance(self.how, float):
            await asyncio.sleep(self.how)
            return web.Response(body=judged("sexual"))
        return web.Response(status=self.how)


@asynccontextmanager
async def a_judge() -> AsyncIterator[Judge]:
    """Serve one until the block ends."""
    judge = Judge()
    app = web.Application()
    app.router.add_post("/v1/moderations", judge.answer)
    async with serving(app) as address:
        judge.url = f"{address}/v1"
        yield judge


def soon() -> Deadline:
    """A turn's deadline."""
    return Deadline.after(18, monotonic)


async def test_it_is_asked_as_openai_is() -> None:
    """Model and message, and no more; the key in its header."""
    async with a_judge() as judge, open_http() as http:
        endpoint = Endpoint("moderation", judge.url, "omni", "k3y")
        moderation = EndpointModeration(endpoint, http, monotonic)
        judge.how = judged("hate")
        assert await moderation.judge("oi", soon()) == "hate"
        assert judge.asked == [("Bearer k3y", {"model": "omni", "input": "oi"})]
        assert moderation.view() == ("ok", "")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (500, "status 500"),
        (401, "status 401"),
        (307, "status 307"),
        (b"<html>", "nonsense"),
        (b"x" * 5_000_000, "too long"),
        (5.0, "silent"),
    ],
)
async def test_a_broken_endpoint_is_left_alone(how: int | float | bytes, why: str) -> None:
    """It gives no opinion, soon, and says why; after three times it is not even asked."""
    async with a_judge() as judge, open_http() as http:
        moderation = EndpointModeration(Endpoint("m", judge.url, "omni"), http, monotonic)
        judge.how = how
        began = monotonic()
        found = await asyncio.gather(*(moderation.judge("oi", soon()) for _ in range(3)))
        assert found == [None, None, None]
        assert monotonic() - began < PATIENCE + 0.5
        assert moderation.view() == ("degraded", why)
        asked = len(judge.asked)
        assert await moderation.judge("oi", soon()) is None
        assert len(judge.asked) == asked


async def test_it_comes_back() -> None:
    """An answer after failures makes it well again."""
    async with a_judge() as judge, open_http() as http:
        moderation = EndpointModeration(Endpoint("m", judge.url, "omni"), http, monotonic)
        judge.how = 503
        await moderation.judge("oi", soon())
        judge.how = judged("sexual")
        assert await moderation.judge("oi", soon()) == "sexual"
        assert moderation.view() == ("ok", "")


async def test_nobody_there_is_no_opinion() -> None:
    """An address that nobody listens at."""
    async with open_http() as http:
        endpoint = Endpoint("m", "http://127.0.0.1:9/v1", "omni")
        moderation = EndpointModeration(endpoint, http, monotonic)
        assert await moderation.judge("oi", soon()) is None
        assert moderation.view() == ("degraded", "unreachable")
