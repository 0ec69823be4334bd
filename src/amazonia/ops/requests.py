"""What a request is called, where it went and how long it took: middleware outside all others.

The ids are bound once and stand in every line that is logged on behalf of the request, in the
tasks that it begins too. `send` and `receive` get no spans of their own: a streamed turn has
dozens of each, and they would cost more than the turn.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, clear_contextvars

from amazonia.ops.catalogue import Change
from amazonia.ops.metrics import tell
from amazonia.ops.tracing import Traces

ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
FILES = ("/static/", "/art/")


def _new_id() -> str:
    return secrets.token_hex(8)


class Requests:
    """Names every request; counts and times it; opens its span.

    Args:
        monotonic: seconds that never go back.
        traces: where spans go, asked anew for each request, since they are opened after this is
            made; None where there are none.
        new_id: makes the id of a request that brings none along.
    """

    def __init__(
        self,
        app: ASGIApp,
        monotonic: Callable[[], float],
        traces: Callable[[], Traces | None] = lambda: None,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self._app = app
        self._monotonic = monotonic
        self._traces = traces
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clear_contextvars()  # of the request before on the same connection
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        name = given if ID.fullmatch(given) else self._new_id()
        answer = _Answer(send, name, self._monotonic)
        traces = self._traces()
        if traces is None:
            with bound_contextvars(request=name):
                await self._pass(scope, receive, answer)
            return
        with (
            traces.request(scope["method"], headers) as span,
            bound_contextvars(request=name, trace=span.trace_id),
        ):
            try:
                await self._pass(scope, receive, answer)
            finally:
                span.answered(_route(scope), answer.status)

    async def _pass(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer)
        finally:
            route = _route(scope)
            tell(
                Change("amazonia_http_requests_total", (route, str(answer.status))),
                Change("amazonia_http_seconds", (route,), answer.seconds),
            )


class _Answer:
    """Sends an answer on; knows its status and when it began."""

    def __init__(self, send: Send, name: str, monotonic: Callable[[], float]) -> None:
        self.status = 499  # unless something is answered, the client went away
        self._send = send
        self._name = name
        self._monotonic = monotonic
        self._began = monotonic()
        self._answered: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds until the answer began, or so far."""
        now = self._monotonic() if self._answered is None else self._answered
        return max(0.0, now - self._began)

    async def __call__(self, message: Message) -> None:
        """Send a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._answered = self._monotonic()
            MutableHeaders(scope=message)["X-Request-ID"] = self._name
        await self._send(message)


def _route(scope: Scope) -> str:
    """The route's own pattern: a path may hold an id, and anybody can make up paths."""
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str):
        return path
    return "files" if scope["path"].startswith(FILES) else "other"
