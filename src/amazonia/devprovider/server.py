"""The server: OpenAI's calls, the profile's switch, the counts."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import orjson
from aiohttp import web

from amazonia.devprovider import profiles, wire
from amazonia.devprovider.asked import (
    BadRequest,
    ChatRequest,
    EmbeddingRequest,
    read_chat,
    read_embeddings,
    read_object,
)
from amazonia.devprovider.book import KEPT_CALLS, Book, Call, Kind, Outcome
from amazonia.devprovider.play import Left, break_off, play
from amazonia.devprovider.profiles import Ending, Profile, Script, UnknownProfile
from amazonia.devprovider.words import count_tokens, embed, is_classification, tokens

BACKLOG = 4096
FASTEST = 1000.0
SHOWN_CALLS = 20
_SHUTDOWN = 0.1
"""Seconds that calls under way have when the server is told to stop: most of them never end."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadSpeed(ValueError):
    """A speed that is no number between 0 and 1000."""


class Provider:
    """What one server is set to, and what it remembers."""

    def __init__(
        self,
        profile: str = "healthy",
        *,
        seed: int = 1,
        speed: float = 1.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Set it up.

        Args:
            profile: for every call whose model does not name another.
            seed: the same seed and the same calls in the same order give the same answers.
            speed: how many times faster than a real provider.
            now: epoch seconds.

        Raises:
            UnknownProfile: no profile has this name.
            BadSpeed: the speed is none.
        """
        self.profile = profiles.known(profile)
        self.speed = _speed(speed)
        self._seed = seed
        self._now = now
        self._number = 0
        self.book = Book(now)

    def switch(self, profile: object, speed: object = None) -> None:
        """Change what the next calls get; those under way go on as they began.

        Raises:
            UnknownProfile: no profile has this name; nothing is changed.
            BadSpeed: the speed is none; nothing is changed.
        """
        name = profiles.known(profile)
        self.speed = self.speed if speed is None else _speed(speed)
        self.profile = name

    def answer_chat(self, body: bytes) -> tuple[Call, Script]:
        """A new call for a chat completion, and what happens to it.

        Raises:
            BadRequest: the body cannot be understood.
        """
        asked = read_chat(body)
        kind: Kind = "classify" if is_classification(asked.messages) else "chat"
        call, profile, chance = self._begin(kind, asked.model, body)
        said = profile.speech(asked.messages, self._seed)
        return call, profile.script(_completion(asked, call, said), chance)

    def answer_embeddings(self, body: bytes) -> tuple[Call, Script]:
        """A new call for embeddings, and what happens to it.

        Raises:
            BadRequest: the body cannot be understood.
        """
        asked = read_embeddings(body)
        call, profile, chance = self._begin("embeddings", asked.model, body)
        return call, profile.script(_embeddings(asked, profile), chance)

    def models(self) -> dict[str, Any]:
        """The models: one that does as the server is set, and one for each profile."""
        names = ["amazonia", *(f"amazonia-{name}" for name in profiles.NAMES)]
        return wire.models(names, int(self._now()))

    def _begin(self, kind: Kind, model: str, body: bytes) -> tuple[Call, Profile, Random]:
        self._number += 1
        chance = Random(self._seed * 1_000_003 + self._number)
        profile = profiles.draw(profiles.named_by(model) or self.profile, chance)
        call_id = f"chatcmpl-dev{self._number:08}"
        call = Call(call_id, self._now(), kind, profile.name, model, body)
        self.book.begin(call)
        return call, profile, chance


def _completion(asked: ChatRequest, call: Call, said: str) -> wire.Answer:
    texts = tokens(said)
    finish: wire.Finish = "stop"
    if asked.max_tokens is not None and len(texts) > asked.max_tokens:
        texts, finish = texts[: asked.max_tokens], "length"
    usage = wire.Usage(sum(count_tokens(m.text) for m in asked.messages), len(texts))
    head = wire.Head(call.id, int(call.at), asked.model)
    brief = call.kind == "classify"
    if asked.stream:
        return wire.streamed(head, texts, finish, usage if asked.usage else None, brief=brief)
    return wire.completed(head, "".join(texts), finish, usage, brief=brief)


def _embeddings(asked: EmbeddingRequest, profile: Profile) -> wire.Answer:
    vectors = [] if profile.name == "empty" else [embed(text) for text in asked.texts]
    return wire.embedded(
        asked.model, vectors, sum(map(count_tokens, asked.texts)), packed=asked.packed
    )


def _speed(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= FASTEST:
        return float(value)
    raise BadSpeed(f"speed {value!r}: a number above 0, at most {FASTEST:g}")


# ── HTTP ────────────────────────────────────────────────────────────────────────────────────────


def create_app(provider: Provider) -> web.Application:
    """The application that answers for a provider.

    OpenAI's part obeys the profile; the rest (`/profile`, `/stats`, `/calls`) always works.
    """
    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/chat/completions", _calls(provider, provider.answer_chat)),
            web.post("/v1/embeddings", _calls(provider, provider.answer_embeddings)),
            web.get("/v1/models", _shows(provider.models)),
            web.get("/profile", _shows(lambda: _setting(provider))),
            web.post("/profile", _switches(provider)),
            web.get("/stats", _shows(provider.book.stats)),
            web.post("/stats/reset", _resets(provider)),
            web.get("/calls", _lists_calls(provider)),
            web.route("*", "/{rest:.*}", _knows_no_such_path),
        ]
    )
    return app


def _calls(provider: Provider, answer: Callable[[bytes], tuple[Call, Script]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        started = asyncio.get_running_loop().time()
        try:
            call, script = answer(await request.read())
        except BadRequest as exc:
            return _bad_request(str(exc), exc.param)
        return await _play(provider, call, script, request, started)

    return handle


async def _play(
    provider: Provider, call: Call, script: Script, request: web.Request, started: float
) -> web.StreamResponse:
    """Play a call's script and write its outcome down, once."""
    outcome: Outcome = "cancelled"
    try:
        response = await play(
            script, request, started=started, speed=provider.speed, call_id=call.id
        )
        if script.whole:
            outcome = "completed"
        elif script.ending is not Ending.SILENCE:
            outcome = "failed"
        else:
            await _client_to_leave()
    except Left:
        # The connection is gone: whatever is returned goes nowhere.
        return web.Response(status=499)
    finally:
        provider.book.end(call, outcome)
    if script.ending is not Ending.COMPLETE:
        if script.ending is not Ending.SILENCE:
            # One turn of the loop, so that what was written last is on its way.
            await asyncio.sleep(0)
            break_off(script.ending, request.transport)
        await _client_to_leave()
    return response


async def _client_to_leave() -> None:
    """Wait to be cancelled, which is how aiohttp says that the connection is gone."""
    await asyncio.get_running_loop().create_future()


def _switches(provider: Provider) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            fields = read_object(await request.read())
            provider.switch(fields.get("profile"), fields.get("speed"))
        except (BadRequest, BadSpeed, UnknownProfile) as exc:
            return _bad_request(str(exc))
        return _json(_setting(provider))

    return handle


def _resets(provider: Provider) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        provider.book.reset()
        return _json(provider.book.stats())

    return handle


def _lists_calls(provider: Provider) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        last = request.query.get("last", str(SHOWN_CALLS))
        if not (re.fullmatch("[0-9]{1,4}", last) and int(last) <= KEPT_CALLS):
            return _bad_request(f"last: a whole number from 0 to {KEPT_CALLS}", "last")
        return _json(provider.book.last(int(last)))

    return handle


def _shows(what: Callable[[], Any]) -> Handler:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return _json(what())

    return handle


async def _knows_no_such_path(request: web.Request) -> web.StreamResponse:
    message = f"Unknown request URL: {request.method} {request.path}"
    body = wire.error(message, code="unknown_url")
    return web.Response(status=404, body=body, content_type=wire.JSON)


def _setting(provider: Provider) -> dict[str, Any]:
    return {"profile": provider.profile, "speed": provider.speed, "profiles": profiles.NAMES}


def _bad_request(message: str, param: str | None = None) -> web.Response:
    return web.Response(status=400, body=wire.error(message, param=param), content_type=wire.JSON)


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type=wire.JSON)


# ── the process ─────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def serving(provider: Provider, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve a provider while the block runs; yields its address, `http://host:port`.

    Raises:
        OSError: the address cannot be listened on.
    """
    runner = web.AppRunner(
        create_app(provider),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await site.start()
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{site.port}"
    finally:
        await runner.cleanup()


def run(
    host: str = "127.0.0.1",
    port: int = 9999,
    profile: str = "healthy",
    seed: int = 1,
    speed: float = 1.0,
) -> None:
    """Serve until SIGINT or SIGTERM. With the profile `refuse` nobody listens: it only waits.

    Raises:
        UnknownProfile: no profile has this name.
        BadSpeed: the speed is none.
        OSError: the address cannot be listened on.
    """
    provider = Provider(profile, seed=seed, speed=speed)
    _allow_many_connections()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, suppress(KeyboardInterrupt):
        runner.run(_serve_until_told(provider, host, port))


async def _serve_until_told(provider: Provider, host: str, port: int) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl-C ends the loop.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    if provider.profile == "refuse":
        _say(f"Provider 'refuse' is ready: nobody listens on {host}:{port}")
        await told.wait()
        return
    async with serving(provider, host, port) as address:
        _say(f"Provider '{provider.profile}' is ready: {address}/v1")
        await told.wait()


def _allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may: every stream is one."""
    try:
        import resource
    except ImportError:  # Windows knows no such limit.
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems name a higher limit than they grant.
    with suppress(ValueError, OSError):
        if now != most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
