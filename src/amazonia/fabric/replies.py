"""Model replies in two places: where processes share them at once, else in the database."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from amazonia.errors import StoreDown
from amazonia.fabric.redis.link import Lost
from amazonia.fabric.redis.replies import RedisReplies
from amazonia.ports import Flight, Replies

MOST_STORED = 10_000
"""Flights in the database that are remembered; one that is forgotten is begun anew."""


class SharedReplies:
    """The `Replies` port.

    A flight stays where it was claimed. While Redis is lost, flights begin in the database; those
    that were under way in Redis are not found there, and whoever followed one begins it anew.

    Args:
        shared: Redis.
        stored: the database.
    """

    def __init__(self, shared: RedisReplies, stored: Replies) -> None:
        self._shared = shared
        self._stored = stored
        self._in_store: set[str] = set()

    async def claim(self, key: str, owner: str, at: float) -> Flight:
        """Lead the flight of a key if nobody who lives does; else what there is of it."""
        try:
            flight = await self._shared.claim(key, owner, at)
        except Lost:
            if len(self._in_store) >= MOST_STORED:
                self._in_store.clear()
            self._in_store.add(key)
            return await self._stored.claim(key, owner, at)
        self._in_store.discard(key)
        return flight

    async def say(self, key: str, owner: str, sentences: Sequence[str]) -> bool:
        """Let other processes see all sentences so far; False if it is no longer the owner's."""
        if key in self._in_store:
            return await self._stored.say(key, owner, sentences)
        try:
            return await self._shared.say(key, owner, sentences)
        except Lost as exc:
            raise StoreDown("what was said was not told") from exc

    async def finish(self, key: str, owner: str, sentences: Sequence[str], at: float) -> bool:
        """Keep the complete reply; False if it is no longer the owner's."""
        if key in self._in_store:
            return await self._stored.finish(key, owner, sentences, at)
        try:
            return await self._shared.finish(key, owner, sentences, at)
        except Lost as exc:
            raise StoreDown("the reply was not kept") from exc

    async def give_up(self, key: str, owner: str, at: float, *, failed: bool) -> None:
        """End a flight without a reply."""
        if key in self._in_store:
            await self._stored.give_up(key, owner, at, failed=failed)
            return
        with contextlib.suppress(Lost):  # its lease ends by itself
            await self._shared.give_up(key, owner, at, failed=failed)

    async def look(self, keys: Sequence[str]) -> Mapping[str, Flight]:
        """The flights of keys as they are stored; a key without one is absent."""
        stored = [key for key in keys if key in self._in_store]
        shared = [key for key in keys if key not in self._in_store]
        found: Mapping[str, Flight] = {}
        try:
            found = await self._shared.look(shared) if shared else {}
        except Lost:
            stored = list(keys)
        return {**found, **(await self._stored.look(stored) if stored else {})}

    async def close(self) -> None:
        """Lead nothing any more."""
        await self._shared.close()

    async def clear(self) -> int:
        """Forget everything, running flights too; how many complete replies that were.

        What a lost Redis keeps is of another age when it is back (see `amazonia.fabric.epoch`).
        """
        count = await self._stored.clear()
        with contextlib.suppress(Lost):
            count += await self._shared.clear()
        return count
