"""Calls to OpenAI-compatible providers, each within its times, whatever the provider does.

A call has two parts. Until the status line `asyncio.timeout` limits it. After that a `_Watch` does:
`call` is a context manager whose body may itself be inside a generator, and a cancel scope that is
open across a `yield` cancels whoever runs at that moment (PEP 789). The watch cancels nobody: it
closes the connection, and whoever reads, or reads next, is told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson
from yarl import URL

from amazonia.voice.failures import Kind, ProviderFailed
from amazonia.voice.wire import (
    DONE,
    Message,
    Quirks,
    Request,
    SseParser,
    Usage,
    failure_of,
    learn,
    read_chunk,
    read_whole,
    request_body,
)

__all__ = ["Endpoint", "Message", "Provider", "Reply", "Request", "Usage", "open_http"]

LONGEST_TEXT: Final = 64 * 1024
"""Characters of a reply; more is no reply of a character."""

LONGEST_BODY: Final = 8 * 1024 * 1024
"""Bytes of an answer, all that is not text included."""

LONGEST_ERROR: Final = 64 * 1024
"""Bytes of an error's body that are looked at."""

SETTLING: Final = 0.25
"""Seconds after the finish reason in which usage and `[DONE]` may still come."""

CLOSING: Final = 0.05
"""Seconds after `[DONE]` in which the body may end, so that the connection can be used again."""

ERROR_BODY: Final = 1.0
"""Seconds that the body of an error may take."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is.

    Attributes:
        base_url: what precedes `/chat/completions`; a query in it is kept.
        api_key: sent as bearer token, unless it is empty.
    """

    name: str
    base_url: str
    model: str
    api_key: str = field(repr=False, default="")


@asynccontextmanager
async def open_http() -> AsyncIterator[aiohttp.ClientSession]:
    """The connections of a process, to all providers. Opened in its event loop, after any fork.

    It limits neither time nor number: `Provider.call` and `limits.Concurrency` do.
    """
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=20.0, ttl_dns_cache=300)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=64 * 1024,
        max_line_size=8 * 1024,
        max_field_size=8 * 1024,
        trust_env=False,
    ) as session:
        yield session


class Provider:
    """One provider, for any number of calls at a time.

    Args:
        monotonic: the clock that measures, in seconds. (The event loop's own clock limits.)
        now: seconds since 1970, for a `Retry-After` that is a date.

    Raises:
        ValueError: `base_url` is no http or https URL, or no header can hold the key.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        session: aiohttp.ClientSession,
        monotonic: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        base = URL(endpoint.base_url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(f"the base URL of provider '{endpoint.name}' is no http(s) URL")
        if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
            raise ValueError(f"the key of provider '{endpoint.name}' does not fit in a header")
        self.endpoint = endpoint
        self._url = (base / "chat" / "completions").with_query(base.query)
        self._session = session
        self._monotonic = monotonic
        self._now = now
        self._quirks = Quirks()
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",  # a proxy that compresses also holds tokens back
        }
        if endpoint.api_key:
            self._headers["Authorization"] = f"Bearer {endpoint.api_key}"

    @asynccontextmanager
    async def call(
        self, request: Request, *, first: float, gap: float, left: float
    ) -> AsyncIterator[Reply]:
        """Ask, and read the reply as it comes.

        Leaving the block, however that happens, closes the connection at once, unless the reply
        is complete and the connection can be used again.

        Args:
            first: seconds from now until the first token of content; comments, roles and empty
                chunks are none.
            gap: seconds that the reply's reader may then wait for another.
            left: seconds for everything, connecting included.

        Raises:
            ProviderFailed: for every failure, when entering the block or when reading the reply.
        """
        if left <= 0:
            raise ProviderFailed("overtime", "not called")
        loop = asyncio.get_running_loop()
        started = loop.time()
        began = self._monotonic()
        response = await self._open(request, first, left)
        watch = _Watch(loop, response, started + left)
        try:
            yield Reply(
                response,
                watch,
                first_by=started + first,
                gap=gap,
                lapse=lambda: self._monotonic() - began,
            )
        finally:
            watch.stop()
            response.close()  # one that was read to its end has given its connection back already

    async def ask(self, request: Request, *, left: float) -> str:
        """The whole of a short answer.

        Args:
            left: seconds for everything.

        Raises:
            ProviderFailed: for every failure.
        """
        async with self.call(request, first=left, gap=left, left=left) as reply:
            return "".join([text async for text in reply])

    async def _open(self, request: Request, first: float, left: float) -> aiohttp.ClientResponse:
        """Send the request; the response, once its status is known to be 200."""
        try:
            async with asyncio.timeout(min(first, left)):
                while True:
                    sent = self._quirks
                    response = await self._post(request, sent)
                    if response.status == 200:
                        return response
                    body = await _error_body(response)
                    failure = failure_of(response.status, response.headers, body, self._now())
                    self._learn(sent, failure, body)
        except TimeoutError:
            raise ProviderFailed("silent" if first < left else "overtime") from None

    async def _post(self, request: Request, quirks: Quirks) -> aiohttp.ClientResponse:
        body = orjson.dumps(request_body(self.endpoint.model, request, quirks))
        try:
            return await self._session.post(
                self._url, data=body, headers=self._headers, allow_redirects=False
            )
        except aiohttp.ClientResponseError as exc:
            raise ProviderFailed("garbage", "no HTTP") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ProviderFailed("refused", type(exc).__name__) from exc

    def _learn(self, sent: Quirks, failure: ProviderFailed, body: bytes) -> None:
        """Return if another request, without a parameter that was refused, may fare better.

        Raises:
            ProviderFailed: the failure itself, if not. Each round knows one parameter more, so
                that there are few.
        """
        learned = learn(sent, body) if failure.kind == "bad_request" else None
        if learned is None:
            raise failure
        self._quirks |= learned


class Reply:
    """What a provider says: an asynchronous iterator over the pieces of its text, none empty.

    Attributes:
        finish: why it is complete ("stop", "length", …); empty until it is.
        usage: the tokens it cost, if the provider told.
        first_after: seconds from the call to the first content; None before that.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        watch: _Watch,
        *,
        first_by: float,
        gap: float,
        lapse: Callable[[], float],
    ) -> None:
        self.finish = ""
        self.usage: Usage | None = None
        self.first_after: float | None = None
        self._content = response.content
        self._type = response.content_type
        self._watch = watch
        self._first_by = first_by
        self._gap = gap
        self._lapse = lapse
        self._events = SseParser()
        self._bytes = 0
        self._length = 0
        self._visible = False
        self._done = False
        self._settled = False

    @property
    def characters(self) -> int:
        """How many characters were handed out."""
        return self._length

    def __aiter__(self) -> Reply:
        return self

    async def __anext__(self) -> str:
        """The next piece.

        Raises:
            ProviderFailed: it will not come.
        """
        try:
            text = await self._next()
        except ProviderFailed as failure:
            failure.partial = self._length > 0
            raise
        if text:
            return text
        raise StopAsyncIteration

    async def _next(self) -> str:
        """The next piece; empty if the reply is complete."""
        if not self.finish:
            self._expect_content()
            text = await self._content_text()
            self._watch.rest()
            if text:
                self._note(text)
                return text
        if not self._settled:
            await self._settle()
        if not self._visible:
            raise ProviderFailed("empty", self.finish)
        return ""

    def _expect_content(self) -> None:
        if self.first_after is None:
            self._watch.expect(self._first_by, "silent")
        else:
            self._watch.expect_in(self._gap, "stalled")

    async def _content_text(self) -> str:
        """Text, or nothing if the finish reason came."""
        if self._type == "application/json":
            return await self._whole()
        if self._type == "text/html":
            raise ProviderFailed("garbage", "a web page")
        while not self.finish:
            data = await self._read()
            if not data:
                raise ProviderFailed("cut")
            if text := self._take(data):
                return text
        return ""

    async def _whole(self) -> str:
        """The text of a provider that does not stream."""
        pieces = []
        while piece := await self._read():
            pieces.append(piece)
        chunk = read_whole(b"".join(pieces))
        self.finish, self.usage, self._settled = chunk.finish or "stop", chunk.usage, True
        return chunk.text

    async def _read(self) -> bytes:
        """The bytes that are there, or else the next ones; none at the end of the body."""
        try:
            data = await self._content.readany()
        except (aiohttp.ClientError, OSError) as exc:
            raise ProviderFailed("cut", type(exc).__name__) from exc
        self._bytes += len(data)
        if self._bytes > LONGEST_BODY:
            raise ProviderFailed("garbage", "body too long")
        return data

    def _take(self, data: bytes) -> str:
        """The text in what was read. Nothing after the finish reason is text, or a failure."""
        texts = []
        for event in self._events.feed(data):
            if event == DONE:
                self.finish, self._done = self.finish or "stop", True
                break
            if not event.strip():
                continue
            try:
                chunk = read_chunk(event)
            except ProviderFailed:
                if self.finish:
                    break
                raise
            self.usage = chunk.usage or self.usage
            if not self.finish:
                texts.append(chunk.text)
                self.finish = chunk.finish or ""
        return "".join(texts)

    def _note(self, text: str) -> None:
        """Keep count of what is handed out."""
        if self.first_after is None:
            self.first_after = self._lapse()
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise ProviderFailed("garbage", "text too long")
        self._visible = self._visible or not text.isspace()

    async def _settle(self) -> None:
        """Read what follows the finish reason, briefly. Whatever it is, the reply is complete."""
        try:
            self._watch.expect_in(SETTLING, "stalled")
            while not self._done and (data := await self._read()):
                self._take(data)
            self._watch.expect_in(CLOSING, "stalled")
            while await self._read():
                pass
        except ProviderFailed:
            pass
        finally:
            self._settled = True
            self._watch.stop()


class _Watch:
    """Closes a response when its time is up, and leaves the reason with whoever reads it.

    One timer a call. To push the time back, as each token does, is an assignment: the timer rings
    at the time that it was set for, sees that there is more, and is set again.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, response: aiohttp.ClientResponse, deadline: float
    ) -> None:
        self._loop = loop
        self._response = response
        self._deadline = deadline
        self._by = deadline
        self._kind: Kind = "overtime"
        self._rings_at = deadline
        self._timer = loop.call_at(deadline, self._ring)

    def expect(self, by: float, kind: Kind) -> None:
        """Close it at that moment of the loop's clock, for that reason; at the deadline anyway."""
        if by < self._deadline:
            self._by, self._kind = by, kind
        else:
            self._by, self._kind = self._deadline, "overtime"
        if self._by < self._rings_at:
            self._timer.cancel()
            self._set()

    def expect_in(self, seconds: float, kind: Kind) -> None:
        """The same, so many seconds from now."""
        self.expect(self._loop.time() + seconds, kind)

    def rest(self) -> None:
        """Nothing is waited for; the deadline alone counts."""
        self._by, self._kind = self._deadline, "overtime"

    def stop(self) -> None:
        """Never close it."""
        self._timer.cancel()

    def _set(self) -> None:
        self._rings_at = self._by
        self._timer = self._loop.call_at(self._by, self._ring)

    def _ring(self) -> None:
        if self._loop.time() < self._by:
            self._set()
            return
        self._response.content.set_exception(ProviderFailed(self._kind))
        self._response.close()


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an error's body, as far as it comes. Closes the response."""
    body = b""
    try:
        async with asyncio.timeout(ERROR_BODY):
            while len(body) < LONGEST_ERROR and (data := await response.content.readany()):
                body += data
    except (aiohttp.ClientError, OSError):
        pass  # TimeoutError is one: the status says enough
    finally:
        response.close()
    return body
