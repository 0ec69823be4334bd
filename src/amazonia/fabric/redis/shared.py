"""Everything that processes share through Redis, opened together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from amazonia.fabric.redis.bell import RedisBell
from amazonia.fabric.redis.limits import RedisLimits
from amazonia.fabric.redis.link import PATIENCE, Link, namespace, open_client, open_link
from amazonia.fabric.redis.replies import RedisReplies
from amazonia.fabric.replies import SharedReplies
from amazonia.ports import Limits, Replies


@dataclass(frozen=True, slots=True)
class Shared:
    """What there is where `REDIS_URL` is set.

    Attributes:
        names: what all names in Redis begin with.
    """

    link: Link
    bell: RedisBell
    names: str

    def limits(self, here: Limits) -> Limits:
        """Limits that all processes count for together; `here` are this process's own."""
        return RedisLimits(self.link, self.names, here)

    def replies(
        self, stored: Replies, epoch: Callable[[], int], alive: Callable[[str], bool]
    ) -> SharedReplies:
        """Replies that all processes share at once; `stored` are those in the database."""
        return SharedReplies(RedisReplies(self.link, self.names, epoch, alive), stored)

    def view(self) -> tuple[str, str]:
        """How it is, for the health page: ``ok`` or ``degraded``, and why."""
        return ("ok", "") if self.link.is_well else ("degraded", self.link.why)


@asynccontextmanager
async def open_shared(
    url: str, token: str, patience: float = PATIENCE
) -> AsyncIterator[Shared | None]:
    """What is shared through the Redis of an address; None without one.

    Args:
        token: of this process.
        patience: seconds that a round trip may take.

    Raises:
        BadSetting: the driver is not installed, or the address is none.
    """
    if not url:
        yield None
        return
    names = namespace(url)
    async with open_client(url) as client, open_link(client, token, patience) as link:
        bell = RedisBell(link, client, names, token)
        listening = asyncio.create_task(bell.run())
        try:
            yield Shared(link, bell, names)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
