"""Between WSGI and ASGI: threads that each serve one request, and one event loop that answers all.

A thread parses a request, hands it to the loop and passes on what comes back, piece by piece. Every
open stream holds a thread, so only so many may; see `Bridge.answer`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import responses
from typing import Any, Final

import uvloop

from amazonia.serve.deadlines import Deadlines
from amazonia.web.security import MAX_BODY

BODY = 20.0
"""Seconds that a client has for a request's body."""
CHUNK = 20.0
"""Seconds that it has to take a piece of the reply."""
QUIET = 0.2
"""A stream that may not stay ends when nothing comes for that many seconds."""
GLIMPSE = 1.0
"""And after that many in any case."""
COME_BACK = b"retry: 2000\n\n"
"""Sooner than the 5 s after which a turn that nobody hears is finished without the model."""
BUSY = b'{"type":"about:blank","title":"Service Unavailable","status":503}'
PULSE = 1.0
STALE = 5.0

Message = dict[str, Any]
Application = Callable[..., Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Bridge:
    """An event loop in a thread of its own, on which an application answers WSGI requests.

    Args:
        application: the ASGI application.
        streams: how many requests may wait for what is yet to come, at once.
        deadlines: who cuts off clients that do not move.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        application: Application,
        streams: int,
        deadlines: Deadlines,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._seats = threading.Semaphore(streams)
        self._deadlines = deadlines
        self._monotonic = monotonic
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._pulse = monotonic()
        self.state: dict[str, Any] = {}

    # ── its life ────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to turn; calls are answered from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Leave every call that is still open, and end."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def is_alive(self) -> bool:
        """Whether the loop has turned lately."""
        return self._monotonic() - self._pulse < STALE

    def run(self, work: Any, meanwhile: Callable[[], None]) -> Any:
        """What a coroutine returns; it runs on the loop.

        Args:
            meanwhile: called every second.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            with contextlib.suppress(TimeoutError):
                return future.result(PULSE)
            meanwhile()

    def soon(self, what: Callable[[], object]) -> None:
        """Call something on the loop."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._beat()
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _beat(self) -> None:
        self._pulse = self._monotonic()
        self._loop.call_later(PULSE, self._beat)

    # ── a request ───────────────────────────────────────────────────────────────────────────────

    def answer(self, environ: Message, start_response: StartResponse) -> Reply | list[bytes]:
        """The WSGI application.

        So that the last thread stays free for what is answered at once, a request that waits needs
        a seat, and there are fewer seats than threads. Without one, an event stream is given what
        is there and told to come back (a browser does, and is given the rest), and a question that
        wants its whole reply is refused before anything has happened: 503 with `Retry-After`.
        """
        waits = _waits(environ)
        if waits and not self._seats.acquire(blocking=False):
            start_response("503 Service Unavailable", _busy_headers())
            return [BUSY]
        reply = Reply(self, environ, holds_seat=waits)
        try:
            reply.begin(start_response)
        except BaseException:
            reply.close()
            raise
        return reply

    def take_seat(self) -> bool:
        """Take a seat for a stream, if one is free."""
        return self._seats.acquire(blocking=False)

    def leave_seat(self) -> None:
        """Give it back."""
        self._seats.release()

    def open(self, environ: Message) -> Call:
        """Hand a request to the application."""
        client: socket.socket = environ["gunicorn.socket"]
        with self._deadlines.within(client, BODY):
            body = environ["wsgi.input"].read(MAX_BODY + 1)  # the application refuses more
        call = Call(self._loop, self._application, scope_of(environ, self.state), body, client)
        self.soon(call.begin)
        return call

    @contextlib.contextmanager
    def taken_in_time(self, client: socket.socket) -> Iterator[None]:
        """While a client takes a piece of its reply."""
        with self._deadlines.within(client, CHUNK):
            yield

    def now(self) -> float:
        """Seconds, of some beginning."""
        return self._monotonic()


class Reply:
    """A reply on its way: the chunks as they come. WSGI's server iterates and closes it."""

    def __init__(self, bridge: Bridge, environ: Message, *, holds_seat: bool) -> None:
        self._bridge = bridge
        self._holds_seat = holds_seat
        self._client: socket.socket = environ["gunicorn.socket"]
        self._until: float | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._environ = environ
        self._call: Call | None = None

    def begin(self, start_response: StartResponse) -> None:
        """Wait until the application begins to answer, and say so."""
        self._call = call = self._bridge.open(self._environ)
        status, headers = call.head()
        if _is_stream(headers) and not self._holds_seat:
            self._holds_seat = self._bridge.take_seat()
            if not self._holds_seat:
                self._until = self._bridge.now() + GLIMPSE
        start_response(f"{status} {responses.get(status, 'Unknown')}", headers)
        self._pieces = self._chunks(call)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks."""
        for piece in self._pieces:
            # The server sends it while we stand here.
            with self._bridge.taken_in_time(self._client):
                yield piece

    def close(self) -> None:
        """Let go of everything, whether the reply is complete or nobody wants the rest."""
        if self._call is not None:
            self._call.leave()
        if self._holds_seat:
            self._holds_seat = False
            self._bridge.leave_seat()

    def _chunks(self, call: Call) -> Iterator[bytes]:
        while True:
            wait = QUIET if self._until is not None else None
            try:
                chunk = call.chunk(wait)
            except queue.Empty:
                yield COME_BACK
                return
            if chunk is None:
                return
            yield chunk
            if self._until is not None and self._bridge.now() > self._until:
                yield COME_BACK
                return


_END: Final = None


class Call:
    """One request that the application answers. The loop fills it, a thread empties it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        application: Application,
        scope: Message,
        body: bytes,
        client: socket.socket,
    ) -> None:
        self._loop = loop
        self._application = application
        self._scope = scope
        self._body: bytes | None = body
        self._client = client
        self._watching = False
        self._complete = False
        self._task: asyncio.Task[None] | None = None
        self._out: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    # on the thread

    def head(self) -> tuple[int, list[tuple[str, str]]]:
        """Status and headers, as soon as they are known."""
        message = self._out.get()
        if message is None:
            return 500, [("Content-Length", "0")]
        headers = message.get("headers", ())
        text = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        return int(message["status"]), text

    def chunk(self, wait: float | None) -> bytes | None:
        """The next piece of the body; None at its end.

        Raises:
            queue.Empty: nothing came within `wait` seconds.
        """
        message = self._out.get(timeout=wait)
        return None if message is None else bytes(message.get("body", b""))

    def leave(self) -> None:
        """Stop it unless it is complete; the connection is the thread's alone again."""
        let_go = threading.Event()

        def leave() -> None:
            self._stop_watching()
            if self._task is not None and not self._complete:
                self._task.cancel()
            let_go.set()

        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(leave)
            let_go.wait(STALE)

    # on the loop

    def begin(self) -> None:
        """Let the application answer, and notice when the client goes away."""
        self._task = self._loop.create_task(self._application(self._scope, self._next, self._send))
        self._task.add_done_callback(self._ended)
        self._loop.add_reader(self._client.fileno(), self._look)
        self._watching = True

    async def _next(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()  # a client that goes away cancels the task
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self._out.put(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._complete = True
            self._out.put(_END)

    def _look(self) -> None:
        """The connection is readable: the client is gone, or sends its next request early."""
        try:
            ahead = self._client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            ahead = b""
        self._stop_watching()
        if not ahead and self._task is not None:
            self._task.cancel()

    def _stop_watching(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._client.fileno())

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._stop_watching()
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._loop.call_exception_handler(
                {"message": "the application failed", "exception": fault}
            )
        self._out.put(_END)


def scope_of(environ: Message, state: Message) -> Message:
    """A WSGI request as an ASGI one."""
    named = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if name in environ}
    headers = [
        (name.replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in named.items()
    ]
    client = (environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ["SERVER_PROTOCOL"].removeprefix("HTTP/"),
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "raw_path": environ["RAW_URI"].partition("?")[0].encode("latin-1"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": environ.get("SCRIPT_NAME", ""),
        "headers": headers,
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"] or 0)),
        "client": client,
        "state": state.copy(),
    }


def _waits(environ: Message) -> bool:
    """Whether a request holds its thread until a turn is spoken, and has no way to resume."""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ["PATH_INFO"] == "/api/chat"
        and "respond-async" not in environ.get("HTTP_PREFER", "")
    )


def _is_stream(headers: list[tuple[str, str]]) -> bool:
    return any(
        name.lower() == "content-type" and value.startswith("text/event-stream")
        for name, value in headers
    )


def _busy_headers() -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(BUSY))),
        ("Retry-After", "1"),
    ]
