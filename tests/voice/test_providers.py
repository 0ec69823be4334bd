"""Calls to a provider over a real socket: a web server that misbehaves in every way."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.serving import serving

from amazonia.voice.failures import ProviderFailed
from amazonia.voice.providers import (
    LONGEST_TEXT,
    Endpoint,
    Message,
    Provider,
    Reply,
    Request,
    Usage,
    open_http,
)

ASK = Request((Message("user", "Olá?"),), max_tokens=40)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def event(**choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


ROLE = event(delta={"role": "assistant", "content": ""}, finish_reason=None)
BOM = event(delta={"content": "Bom "}, finish_reason=None)
DIA = event(delta={"content": "dia. 🐟"}, finish_reason=None)
STOP = event(delta={}, finish_reason="stop")
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
DONE = b"data: [DONE]\n\n"
WHOLE = ROLE + BOM + DIA + STOP + USAGE + DONE
TEXT = "Bom dia. 🐟"


class Upstream:
    """A provider whose next answers are the handlers that a test gives it.

    Attributes:
        bodies: what it was asked.
        gone: set when a client left before its answer was complete.
        sockets: a connection's own port for each request.
    """

    def __init__(self) -> None:
        self.handler: Handler = streaming(WHOLE)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.paths: list[str] = []
        self.sockets: list[Any] = []
        self.gone = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(request.headers)
        self.paths.append(request.path_qs)
        assert request.transport is not None
        self.sockets.append(request.transport.get_extra_info("peername"))
        try:
            return await self.handler(request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.gone.set()
            raise


async def begin(request: web.Request, **headers: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **headers})
    await response.prepare(request)
    return response


def streaming(*pieces: bytes | float, hold: bool = False, abort: bool = False) -> Handler:
    """Send pieces, and pause where a number of seconds stands; then end, hang or break off."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = await begin(request)
        for piece in pieces:
            if isinstance(piece, bytes):
                await response.write(piece)
            else:
                await asyncio.sleep(piece)
        if hold:
            await asyncio.Event().wait()
        if abort and request.transport is not None:
            request.transport.abort()
        return response

    return handler


def steadily(piece: bytes, every: float, times: int) -> list[bytes | float]:
    """A piece again and again, with a pause after each."""
    return [piece, every] * times


def answering(status: int, body: Any = None, **headers: str) -> Handler:
    """Answer with a status and a JSON body."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return handler


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    provider = Upstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", provider.answer)
    async with serving(app) as address:
        provider.url = f"{address}/v1"
        yield provider


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


@pytest.fixture
def provider(upstream: Upstream, http: aiohttp.ClientSession) -> Provider:
    return at(upstream.url, http)


def at(url: str, http: aiohttp.ClientSession, key: str = "") -> Provider:
    return Provider(Endpoint("one", url, "gpt", key), http, time.monotonic, time.time)


async def told(
    provider: Provider, *, first: float = 2.0, gap: float = 2.0, left: float = 5.0
) -> tuple[str, Reply]:
    """A whole reply and what is known about it."""
    async with provider.call(ASK, first=first, gap=gap, left=left) as reply:
        return "".join([text async for text in reply]), reply


async def failure(provider: Provider, **times: float) -> tuple[ProviderFailed, float]:
    """How a call failed, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(ProviderFailed) as caught:
        await told(provider, **times)
    return caught.value, time.monotonic() - began


async def until_it_fails(provider: Provider) -> tuple[str, ProviderFailed]:
    """The text that a call handed out before it failed."""
    texts: list[str] = []
    try:
        async with provider.call(ASK, first=2, gap=2, left=5) as reply:
            async for text in reply:
                texts.append(text)  # noqa: PERF401  # a comprehension would lose them
    except ProviderFailed as failed:
        return "".join(texts), failed
    pytest.fail("the call succeeded")


@asynccontextmanager
async def raw_server(answer: bytes, *, swallow: bool = True) -> AsyncIterator[str]:
    """A server that sends bytes, HTTP or not, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if swallow:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


# ── it goes well ────────────────────────────────────────────────────────────────────────────────


async def test_a_reply_is_read_as_it_comes(upstream: Upstream, provider: Provider):
    """Text, finish reason, usage and the time to the first token arrive."""
    upstream.handler = streaming(ROLE, 0.03, BOM, 0.03, DIA, STOP, USAGE, DONE)
    async with provider.call(ASK, first=2, gap=2, left=5) as reply:
        texts = [text async for text in reply]
    assert texts == ["Bom ", "dia. 🐟"]
    assert (reply.finish, reply.usage) == ("stop", Usage(7, 3))
    assert reply.first_after is not None
    assert 0.03 <= reply.first_after < 1


async def test_the_key_is_sent_and_never_shown(upstream: Upstream, http: aiohttp.ClientSession):
    """It is a bearer token, and no part of what an endpoint looks like."""
    provider = at(upstream.url + "/", http, key="s3cret")
    await told(provider)
    await told(at(upstream.url + "?api-version=2", http))
    assert upstream.headers[0]["Authorization"] == "Bearer s3cret"
    assert "Authorization" not in upstream.headers[1]
    assert upstream.paths == ["/v1/chat/completions", "/v1/chat/completions?api-version=2"]
    assert "s3cret" not in repr(provider.endpoint)


@pytest.mark.parametrize("url", ["localhost:8000", "", "ftp://host/v1", "http://", "/v1"])
async def test_what_is_no_url_is_refused_at_once(url: str, http: aiohttp.ClientSession):
    """A wrong address shows at start, not at the first turn; so does a key that is no key."""
    with pytest.raises(ValueError, match="one"):
        at(url, http)
    with pytest.raises(ValueError, match="key of provider 'one'"):
        at("http://127.0.0.1/v1", http, key="a\r\nb")


async def test_a_connection_is_used_again_after_a_complete_reply(
    upstream: Upstream, provider: Provider
):
    """One connection carries one reply after another, streamed, whole, or refused."""
    whole = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}
    handlers = [
        streaming(WHOLE),
        streaming(ROLE, BOM, DIA, STOP, USAGE, DONE),
        answering(200, whole),
        answering(500),
        streaming(WHOLE),
    ]
    for upstream.handler in handlers:
        with suppress(ProviderFailed):
            assert (await told(provider))[0] == TEXT
    assert len(upstream.sockets) == len(handlers)
    assert len(set(upstream.sockets)) == 1


async def test_a_provider_that_does_not_stream_is_read_too(upstream: Upstream, provider: Provider):
    """One JSON completion is a reply of one piece."""
    upstream.handler = answering(
        200,
        {
            "choices": [{"message": {"content": TEXT}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3},
        },
    )
    text, reply = await told(provider)
    assert (text, reply.finish, reply.usage) == (TEXT, "length", Usage(7, 3))


async def test_a_short_answer_is_asked_for_whole(upstream: Upstream, provider: Provider):
    """`ask` returns the text, or is late."""
    assert await provider.ask(ASK, left=2) == TEXT
    upstream.handler = streaming(BOM, hold=True)
    with pytest.raises(ProviderFailed) as caught:
        await provider.ask(ASK, left=0.05)
    assert caught.value.kind == "overtime"


@pytest.mark.parametrize(
    "tail",
    [
        (STOP,),
        (STOP, USAGE),
        (STOP, 5.0),
        (STOP, USAGE, DONE, 5.0),
        (STOP, 5.0, USAGE, DONE),
        (STOP, b"data: {\n\n", 5.0),
        (STOP, b": hush\n\n" * 9, 5.0),
        (DONE, 5.0),
        (STOP + b"data: {\n\n" + DONE,),
    ],
)
async def test_nothing_after_the_finish_reason_holds_the_turn(
    upstream: Upstream, provider: Provider, tail: tuple[bytes | float, ...]
):
    """A provider may forget `[DONE]`, delay it, or go on talking: the reply is complete."""
    upstream.handler = streaming(BOM, DIA, *tail)
    began = time.monotonic()
    text, reply = await told(provider)
    assert (text, reply.finish) == (TEXT, "stop")
    assert time.monotonic() - began < 0.6


async def test_a_break_after_the_finish_reason_is_no_failure(
    upstream: Upstream, provider: Provider
):
    """What is complete stays complete."""
    upstream.handler = streaming(BOM, DIA, STOP, 0.05, abort=True)
    text, reply = await told(provider)
    assert (text, reply.finish) == (TEXT, "stop")


async def test_parameters_that_are_refused_are_learned(upstream: Upstream, provider: Provider):
    """The same call goes on without them, and later calls do not send them again."""

    async def picky(request: web.Request) -> web.StreamResponse:
        for parameter in ("max_tokens", "temperature", "stream_options"):
            if parameter in upstream.bodies[-1]:
                error = {"param": parameter, "code": "unsupported_parameter", "message": "…"}
                return web.json_response({"error": error}, status=400)
        return await streaming(WHOLE)(request)

    upstream.handler = picky
    assert (await told(provider))[0] == TEXT
    assert len(upstream.bodies) == 4
    assert (await told(provider))[0] == TEXT
    assert len(upstream.bodies) == 5
    assert upstream.bodies[-1]["max_completion_tokens"] == 40


async def test_a_provider_that_refuses_for_ever_is_asked_a_few_times(
    upstream: Upstream, provider: Provider
):
    """What was learned once is not learned again."""
    error = {"param": "temperature", "code": "unsupported_value"}
    upstream.handler = answering(400, {"error": error})
    failed, _ = await failure(provider)
    assert (failed.kind, len(upstream.bodies)) == ("bad_request", 2)


# ── it does not go well ─────────────────────────────────────────────────────────────────────────


async def silence(request: web.Request) -> web.StreamResponse:
    """Accept, and never answer."""
    await asyncio.Event().wait()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """Send comments, roles and empty chunks without end."""
    response = await begin(request)
    while True:
        await response.write(b": wait\n\n" + ROLE + event(delta={"content": None}))
        await asyncio.sleep(0.01)


async def slow_bytes(request: web.Request) -> web.StreamResponse:
    """Send a valid stream, a byte at a time."""
    response = await begin(request)
    for byte in WHOLE:
        await response.write(bytes([byte]))
        await asyncio.sleep(0.02)
    return response


@pytest.mark.parametrize(
    "handler", [silence, drip, slow_bytes, streaming(ROLE, hold=True)], ids=lambda h: h.__name__
)
async def test_without_content_in_time_it_is_silent(
    upstream: Upstream, provider: Provider, handler: Handler
):
    """Comments, roles and empty chunks do not count as a first token."""
    upstream.handler = handler
    failed, seconds = await failure(provider, first=0.15, left=3)
    assert failed.kind == "silent"
    assert not failed.partial
    assert 0.14 < seconds < 0.4
    await asyncio.wait_for(upstream.gone.wait(), 0.1)


async def stalling(request: web.Request) -> web.StreamResponse:
    """Say a word, then send comments."""
    response = await begin(request)
    await response.write(BOM)
    while True:
        await response.write(b": wait\n\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [stalling, streaming(BOM, hold=True)], ids=["drip", "hang"])
async def test_a_long_gap_is_a_stall(upstream: Upstream, provider: Provider, handler: Handler):
    """After the first token another must come within the gap."""
    upstream.handler = handler
    failed, seconds = await failure(provider, gap=0.1)
    assert (failed.kind, failed.partial, failed.retryable) == ("stalled", True, False)
    assert 0.09 < seconds < 0.4
    await asyncio.wait_for(upstream.gone.wait(), 0.1)


async def test_each_token_starts_the_gap_anew(upstream: Upstream, provider: Provider):
    """A reply may take many gaps, if it keeps coming."""
    upstream.handler = streaming(*steadily(BOM, 0.05, 8), DIA, STOP, DONE)
    text, _ = await told(provider, gap=0.2)
    assert text == "Bom " * 8 + "dia. 🐟"


async def test_the_deadline_ends_a_steady_reply(upstream: Upstream, provider: Provider):
    """However well it comes: what is left is all there is."""
    upstream.handler = streaming(*steadily(BOM, 0.02, 200), STOP)
    failed, seconds = await failure(provider, left=0.2)
    assert (failed.kind, failed.blames, failed.partial) == ("overtime", False, True)
    assert 0.19 < seconds < 0.4


@pytest.mark.parametrize("left", [0.1, 0.0, -1.0])
async def test_the_deadline_covers_the_time_before_the_answer(
    upstream: Upstream, provider: Provider, left: float
):
    """Less time than a first token may take is our own haste, not the provider's fault."""
    upstream.handler = silence
    failed, seconds = await failure(provider, left=left)
    assert failed.kind == "overtime"
    assert seconds < 0.3


async def test_only_waiting_counts_against_the_provider(upstream: Upstream, provider: Provider):
    """A reader that takes its time between two tokens does not make them late."""
    upstream.handler = streaming(BOM, 0.02, DIA, STOP, DONE)
    texts = []
    async with provider.call(ASK, first=2, gap=0.1, left=3) as reply:
        async for text in reply:
            texts.append(text)
            await asyncio.sleep(0.2)
    assert "".join(texts) == TEXT


async def test_the_timers_cancel_nobody_else(upstream: Upstream, provider: Provider):
    """A generator that is suspended while the deadline passes hears of it when it goes on."""

    async def speak() -> AsyncIterator[str]:
        async with provider.call(ASK, first=2, gap=2, left=0.1) as reply:
            async for text in reply:
                yield text

    upstream.handler = streaming(BOM, hold=True)
    speech = speak()
    assert await anext(speech) == "Bom "
    await asyncio.sleep(0.2)  # stands for work of somebody else, which must not be cancelled
    assert upstream.gone.is_set()
    with pytest.raises(ProviderFailed) as caught:
        await anext(speech)
    assert caught.value.kind == "overtime"


@pytest.mark.parametrize("abort", [True, False], ids=["reset", "end"])
async def test_a_stream_cut_at_any_byte_is_cut_or_complete(
    upstream: Upstream, provider: Provider, abort: bool
):
    """Complete means that the finish reason came; anything less is never taken for a reply."""
    stream = BOM + DIA + STOP + DONE
    complete_at = len(BOM + DIA + STOP)
    for size in range(len(stream) + 1):
        # The pause lets what was sent be read before a reset throws it away.
        upstream.handler = streaming(stream[:size], *([0.002] if abort else []), abort=abort)
        if size >= complete_at:
            text, reply = await told(provider)
            assert (text, reply.finish) == (TEXT, "stop")
            continue
        text, failed = await until_it_fails(provider)
        assert failed.kind == "cut"
        assert failed.partial == bool(text)
        assert TEXT.startswith(text)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (streaming(BOM, b"data: {oops\n\n"), "garbage"),
        (streaming(b"data: \xff\xfe\n\n"), "garbage"),
        (streaming(b'data: {"error": {"code": 502}}\n\n'), "server"),
        (streaming(event(delta={}, finish_reason="content_filter")), "filtered"),
        (streaming(event(delta={"content": "x" * 5000}) * 20, STOP), "garbage"),
        (streaming(ROLE, STOP, DONE), "empty"),
        (streaming(DONE), "empty"),
        (streaming(event(delta={"content": " \n"}), STOP, DONE), "empty"),
        (streaming(), "cut"),
        (answering(200, {"choices": []}), "cut"),
        (answering(200, ["?"]), "garbage"),
        (answering(200, {"error": {"code": "rate_limit_exceeded"}}), "rate_limited"),
        (answering(204), "garbage"),
        (answering(400, {"error": {"code": "content_filter"}}), "filtered"),
        (answering(400, {"error": {"code": "context_length_exceeded"}}), "too_long"),
        (answering(401, {"error": {"code": "invalid_api_key"}}), "unauthorized"),
        (answering(404, {"error": {"code": "model_not_found"}}), "bad_request"),
        (answering(500, {"error": {}}), "server"),
        (answering(302, Location="http://127.0.0.1:1/"), "bad_request"),
    ],
)
async def test_each_misbehaviour_has_its_name(
    upstream: Upstream, provider: Provider, handler: Handler, kind: str
):
    """Whatever comes instead of an answer is one failure of a known kind, after one call."""
    upstream.handler = handler
    failed, seconds = await failure(provider)
    assert failed.kind == kind
    assert seconds < 1
    assert len(upstream.bodies) == 1


async def test_a_limit_says_how_long(upstream: Upstream, provider: Provider):
    """`Retry-After` comes with the failure."""
    upstream.handler = answering(429, None, **{"Retry-After": "2"})
    failed, _ = await failure(provider)
    assert (failed.kind, failed.status, failed.retry_after) == ("rate_limited", 429, 2.0)


async def test_an_error_whose_body_never_ends_is_still_that_error(
    upstream: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    """The status says enough."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    monkeypatch.setattr("amazonia.voice.providers.ERROR_BODY", 0.05)
    upstream.handler = handler
    failed, _ = await failure(provider)
    assert (failed.kind, failed.status) == ("server", 503)


async def test_a_flood_is_not_taken_in(upstream: Upstream, provider: Provider):
    """Neither endless text nor endless noise fills the memory."""
    noise = b": " + b"x" * 65536 + b"\n"
    upstream.handler = streaming(*[noise] * 200, hold=True)
    failed, _ = await failure(provider)
    assert failed.kind == "garbage"
    upstream.handler = streaming(*[event(delta={"content": "x" * 999})] * 200, hold=True)
    text, failed = await until_it_fails(provider)
    assert failed.kind == "garbage"
    assert 0 < len(text) <= LONGEST_TEXT


async def test_nobody_there_is_refused(http: aiohttp.ClientSession):
    """No listener, and a connection closed before any answer, are one kind."""
    async with raw_server(b"") as url:
        failed, _ = await failure(at(url, http))
        assert (failed.kind, failed.retryable) == ("refused", True)
    failed, _ = await failure(at(url, http))
    assert failed.kind == "refused"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<ok>",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
    ],
    ids=["not HTTP", "huge header", "web page", "half JSON"],
)
async def test_what_is_not_this_protocol_is_garbage(answer: bytes, http: aiohttp.ClientSession):
    """Another service, a captive portal: no provider."""
    async with raw_server(answer) as url:
        failed, _ = await failure(at(url, http))
    assert failed.kind == "garbage"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 9999\r\n\r\n" + ROLE,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nnonsense\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"?" * 20,
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n" + gzip.compress(WHOLE)[:9],
        HEAD + b"\r\n" + ROLE,
    ],
    ids=["short", "bad chunk", "bad gzip", "half gzip", "until closed"],
)
async def test_a_broken_body_is_cut(answer: bytes, http: aiohttp.ClientSession):
    """HTTP that breaks off, or goes wrong, after the status line."""
    async with raw_server(answer) as url:
        failed, _ = await failure(at(url, http))
    assert failed.kind in ("cut", "garbage")
    assert failed.retryable


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────


async def test_cancelling_closes_upstream_at_once(upstream: Upstream, provider: Provider):
    """Within 100 ms the provider knows that nobody listens, before and after the first token."""
    for handler in (silence, streaming(BOM, hold=True)):
        upstream.handler = handler
        upstream.gone.clear()
        task = asyncio.create_task(told(provider))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(upstream.gone.wait(), 0.1)


async def test_leaving_early_closes_upstream_at_once(upstream: Upstream, provider: Provider):
    """By return and by exception alike; what the block raises comes out as it is."""
    upstream.handler = streaming(BOM, hold=True)
    async with provider.call(ASK, first=2, gap=2, left=5) as reply:
        assert await anext(reply) == "Bom "
    await asyncio.wait_for(upstream.gone.wait(), 0.1)
    upstream.gone.clear()
    with pytest.raises(KeyError):
        async with provider.call(ASK, first=2, gap=2, left=5):
            raise KeyError
    await asyncio.wait_for(upstream.gone.wait(), 0.1)


async def test_the_callers_own_deadline_passes_through(upstream: Upstream, provider: Provider):
    """A timeout around the call is the caller's, not a failure of the provider."""
    upstream.handler = streaming(BOM, hold=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await told(provider)
    await asyncio.wait_for(upstream.gone.wait(), 0.1)


async def test_calls_leave_nothing_behind(upstream: Upstream, provider: Provider):
    """After many failures no reply, response or task is left in memory."""
    upstream.handler = streaming(BOM, hold=True)

    def kept() -> int:
        gc.collect()
        return sum(isinstance(o, Reply | aiohttp.ClientResponse) for o in gc.get_objects())

    before = kept()
    for _ in range(20):
        await failure(provider, gap=0.005)
    await asyncio.sleep(0.02)
    assert kept() <= before + 1
