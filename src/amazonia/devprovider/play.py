"""Playing a script on a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

from aiohttp import web

from amazonia.devprovider.profiles import Ending, Script, Step

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: closing discards what is unsent and sends RST."""


class Left(Exception):
    """The client closed the connection before the end."""


async def play(
    script: Script, request: web.Request, *, started: float, speed: float, call_id: str
) -> web.StreamResponse:
    """Send a script's steps at their times, each in a chunk of its own, up to its ending.

    Args:
        started: the loop's time at which the script's second 0 lies.
        speed: how many seconds of the script pass in one.

    Returns:
        the response, whose end is not yet written: only if the ending is COMPLETE or SILENCE.

    Raises:
        Left: the connection is gone.
    """
    loop = asyncio.get_running_loop()
    steps = iter(script.steps)
    response = web.StreamResponse(status=script.status, headers=_headers(script, call_id))
    response.enable_chunked_encoding()
    first = next(steps, None)
    if first is None:
        return response
    at, data = first
    if (left := started + at / speed - loop.time()) > 0:
        await asyncio.sleep(left)
    try:
        await response.prepare(request)
        await response.write(data)
    except ConnectionResetError as exc:
        raise Left from exc
    if request.transport is None:
        raise Left
    pump = _Pump(loop, request.transport, steps, started, speed)
    try:
        await pump.finished
    finally:
        pump.stop()
    return response


def break_off(ending: Ending, transport: asyncio.Transport | None) -> None:
    """Close the connection the hard way that the ending asks for."""
    if transport is None:
        return
    if ending is Ending.RESET:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


class _Pump:
    """Writes each step when its time comes: one timer a stream, no task woken for a token.

    It writes HTTP's chunks itself, past aiohttp: at thousands of tokens a second this is what
    keeps the provider's share of the machine small. Steps that are due together share a write, each
    in a chunk of its own. Nobody waits for the socket: an answer is a few kilobytes.
    """

    __slots__ = (
        "_loop",
        "_next",
        "_speed",
        "_started",
        "_steps",
        "_timer",
        "_transport",
        "finished",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        steps: Iterator[Step],
        started: float,
        speed: float,
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._steps = steps
        self._started = started
        self._speed = speed
        self._timer: asyncio.TimerHandle | None = None
        self._next = b""
        self.finished: asyncio.Future[None] = loop.create_future()
        self._go_on()

    def stop(self) -> None:
        """Write nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        """Write what is due, then sleep until the next step."""
        self._timer = None
        if self.finished.done():  # cancelled a moment ago
            return
        if self._transport.is_closing():
            self.finished.set_exception(Left())
            return
        now = self._loop.time()
        due = [self._next] if self._next else []
        for at, data in self._steps:
            framed = b"%x\r\n%b\r\n" % (len(data), data)
            when = self._started + at / self._speed
            if when > now:
                self._next = framed
                self._timer = self._loop.call_at(when, self._go_on)
                break
            due.append(framed)
        else:
            self.finished.set_result(None)
        if due:
            self._transport.write(b"".join(due))


def _headers(script: Script, call_id: str) -> dict[str, str]:
    return {
        "Content-Type": script.content_type,
        "Cache-Control": "no-cache",
        "X-Request-ID": call_id,
        **script.headers,
    }
