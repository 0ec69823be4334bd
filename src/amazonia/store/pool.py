"""Connections to PostgreSQL, kept open and shared by the jobs of one process.

They hold no state that a transaction does not end with, so that a pooler such as PgBouncer may give
each transaction another server process. Whether one stands between is found out at the first
connection: a pooler makes up the process id that it tells its clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

NOT_OURS: Final = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "options",
        "tcp_user_timeout",
    }
)
"""What addresses may say to libpq that the driver would take for settings of the server."""
QUIET: Final = 15.0
"""Seconds without use after which a connection is tried before it is trusted."""
PING: Final = 1.0
"""Seconds that this may take."""
SPARE: Final = 30.0
"""Seconds without use after which a connection is one too many, if there are enough without it."""
OLDEST: Final = 3600.0
"""Seconds after which a connection is replaced: the server behind a name may be another by then."""


def address(url: str) -> str:
    """An address as the driver takes it: without what only libpq understands."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in NOT_OURS]
    return urlunsplit(parts._replace(query=urlencode(kept)))


async def connect(url: str, patience: float, **options: Any) -> Any:
    """Open a connection.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError: it cannot be had.
    """
    options.setdefault("server_settings", {"application_name": "amazonia"})
    return await asyncpg.connect(address(url), timeout=patience, **options)


@dataclass(slots=True, eq=False)
class Link:
    """A connection and what this process knows of it.

    Attributes:
        line: the name of its line in the table `meta`, see `amazonia.store.receipts`.
        commits: how many were written there.
        is_at_rest: whether no transaction is open, so that it may be used again.
    """

    connection: Any
    line: str
    commits: int = 0
    is_at_rest: bool = False
    born: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)

    async def answers(self) -> bool:
        """Whether it is open, and, if it was not used lately, whether the server answers."""
        if self.connection.is_closed():
            return False
        if time.monotonic() - self.used < QUIET:
            return True
        try:
            await asyncio.wait_for(self.connection.execute("SELECT 1"), PING)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True


class Pool:
    """At most `size` + `overflow` connections, of which `size` stay open.

    Attributes:
        is_behind_a_pooler: known after the first connection.
    """

    def __init__(self, url: str, size: int, overflow: int, patience: float) -> None:
        """Args:
        patience: seconds that the server may take for anything.
        """
        self._url = url
        self._size = size
        self._patience = patience
        self._places = asyncio.Semaphore(size + overflow)
        self._idle: list[Link] = []
        self._milliseconds = str(round(patience * 1000))
        self._plain: bool | None = None

    @property
    def is_behind_a_pooler(self) -> bool:
        """Whether each transaction may get another server process."""
        return self._plain is False

    @property
    def timeouts(self) -> dict[str, str]:
        """The server's own limits, which hold where this process no longer can say so."""
        most = self._milliseconds
        return {
            "statement_timeout": most,
            "lock_timeout": most,
            "idle_in_transaction_session_timeout": most,
        }

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """A connection for one transaction, see `take`."""
        link = await self.take()
        try:
            yield link
        finally:
            self.put_back(link)

    async def take(self) -> Link:
        """A connection for one transaction; whoever takes it puts it back.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError: there is none to be had.
        """
        await self._places.acquire()
        try:
            link = await self._idle_link() or await self._open()
        except BaseException:
            self._places.release()
            raise
        link.is_at_rest = False
        return link

    def put_back(self, link: Link) -> None:
        """Let others have a connection; one that is not at rest is thrown away."""
        link.used = now = time.monotonic()
        if link.is_at_rest and now - link.born < OLDEST:
            self._idle.append(link)
        else:
            link.connection.terminate()
        while len(self._idle) > self._size and now - self._idle[0].used > SPARE:
            self._idle.pop(0).connection.terminate()
        self._places.release()

    def lines(self) -> list[str]:
        """The names of the lines of the connections that nobody uses."""
        return [link.line for link in self._idle]

    async def close(self) -> None:
        """Close every connection."""
        links, self._idle = self._idle, []
        for link in links:
            try:
                await link.connection.close(timeout=PING)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                link.connection.terminate()

    async def _idle_link(self) -> Link | None:
        while self._idle:
            link = self._idle.pop()  # the one used last
            if await link.answers():
                return link
            link.connection.terminate()
        return None

    async def _open(self) -> Link:
        if self._plain is None:
            self._plain = await self._is_plain()
        if self._plain:
            settings = {"application_name": "amazonia", **self.timeouts}
            connection = await connect(self._url, self._patience, server_settings=settings)
        else:  # what is prepared in one transaction is not there in the next
            connection = await connect(self._url, self._patience, statement_cache_size=0)
        return Link(connection, f"commit.{int(time.time()):x}.{secrets.token_hex(6)}")

    async def _is_plain(self) -> bool:
        """Whether the server's process is the one that it says it is."""
        connection = await connect(self._url, self._patience, statement_cache_size=0)
        try:
            async with connection.transaction():
                process = await connection.fetchval("SELECT pg_backend_pid()")
            return bool(process == connection.get_server_pid())
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()
