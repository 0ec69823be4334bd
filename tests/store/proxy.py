"""A way to PostgreSQL that can be cut at the moment that matters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

COMMIT = b"; COMMIT\0"
LINE = b"commit."
"""Among the values of a change that is a transaction by itself: the name of its receipt's line."""


class Proxy:
    """Passes bytes on, both ways.

    Attributes:
        cuts: how many connections it has cut.
        messages: how many times anything came from a client.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._next = ""
        self._late: list[tuple[asyncio.StreamWriter, bytes]] = []
        self.cuts = self.messages = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"postgresql://postgres@127.0.0.1:{self._port}{self._target.path}?sslmode=disable"

    def cut_at_commit(self, *, forward: bool) -> None:
        """Cut the next connection that commits, after or before the server hears of it."""
        self._next = "forward" if forward else "drop"

    def delay_commit(self) -> Callable[[], Awaitable[None]]:
        """Cut the next connection that commits; what it returns lets the server hear of it."""
        self._next = "delay"

        async def go_on() -> None:
            ((server, data),) = self._late
            server.write(data)
            await server.drain()
            await asyncio.sleep(0.2)

        return go_on

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        port = self._target.port or 5432
        back, server = await asyncio.open_connection(self._target.hostname, port)
        self._writers += [writer, server]
        answering = asyncio.create_task(_pump(back, writer))
        await self._ask(reader, server, writer)
        await answering
        self._serving.discard(task)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.messages += 1
                if self._next and (data.endswith(COMMIT) or LINE in data):
                    await self._cut(server, client, data)
                    return
                server.write(data)
                await server.drain()
        server.close()

    async def _cut(
        self, server: asyncio.StreamWriter, client: asyncio.StreamWriter, data: bytes
    ) -> None:
        how, self._next = self._next, ""
        self.cuts += 1
        client.transport.abort()
        if how == "delay":
            self._late.append((server, data))
            return
        if how == "forward":
            server.write(data)
            await server.drain()
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
