"""The bell that other machines hear: Redis's channels, one for each thing that can be new.

A process hears only the channels that somebody in it waits for, so that what one of them costs
does not grow with their number.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from amazonia.fabric.bell import Heard
from amazonia.fabric.redis.link import Link, faults
from amazonia.ports import NEWS

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

log = structlog.get_logger()

FOLLOWED_FOR = 5.0
"""Seconds for which a channel is heard after it was last wanted."""
TIDY_EVERY = 2.0
AGAIN_AFTER = 0.25
"""Seconds before another connection is tried."""


class RedisBell:
    """The `FarBell` port.

    Args:
        client: has a connection of its own for what is heard.
        names: what our channels begin with.
        token: this process, which does not hear itself.
    """

    def __init__(self, link: Link, client: Redis, names: str, token: str) -> None:
        self._link = link
        self._client = client
        self._names = names
        self._token = token
        self._heard: list[Heard] = []
        self._followed: dict[str, float] = {NEWS: float("inf")}
        self._new: set[str] = set()
        self._pubsub: PubSub | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        link.when_back(self._begin_anew)

    @property
    def is_well(self) -> bool:
        """Whether rings go out and come in at present."""
        return self._pubsub is not None and self._link.is_well

    def on_ring(self, heard: Heard) -> None:
        """Call this with what was rung."""
        self._heard.append(heard)

    def ring(self, what: str, text: str) -> None:
        """Tell every process that follows this."""
        self._link.send("PUBLISH", self._names + what, f"{self._token}\n{text}")

    def follow(self, what: str) -> None:
        """Hear of this in the next moments."""
        if what not in self._followed:
            self._new.add(what)
            if self._subscribing is None or self._subscribing.done():
                self._subscribing = asyncio.create_task(self._subscribe())
        self._followed[what] = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Listen until cancelled."""
        tidying = asyncio.create_task(self._tidy())
        try:
            while True:
                self._listening = asyncio.create_task(self._listen())
                await asyncio.wait({self._listening})
                await asyncio.sleep(AGAIN_AFTER)
        finally:
            for task in (tidying, self._listening, self._subscribing):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    def _begin_anew(self) -> None:
        """A connection that was there before Redis was lost may be dead without saying so."""
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        try:
            async with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(*map(self._channel, self._followed))
                self._new.clear()
                self._pubsub = pubsub
                async for message in pubsub.listen():
                    self._tell(message)
        except faults() as exc:
            log.debug("bell.lost", why=str(exc))  # the link finds out whether Redis is
        finally:
            self._pubsub = None

    def _tell(self, message: dict[str, Any]) -> None:
        what = message["channel"].decode().removeprefix(self._names)
        token, _, text = message["data"].decode().partition("\n")
        if token != self._token:
            for heard in self._heard:
                heard(what, text)

    async def _subscribe(self) -> None:
        """Hear what is newly followed; what comes in this round of the loop goes together."""
        await asyncio.sleep(0)
        new, self._new = self._new, set()
        if self._pubsub is not None and new:
            try:
                await self._pubsub.subscribe(*map(self._channel, new))
            except faults():
                self._begin_anew()

    async def _tidy(self) -> None:
        """Hear no more of what nobody follows any longer."""
        while True:
            await asyncio.sleep(TIDY_EVERY)
            since = asyncio.get_running_loop().time() - FOLLOWED_FOR
            old = [what for what, wanted in self._followed.items() if wanted < since]
            for what in old:
                del self._followed[what]
            if old and self._pubsub is not None:
                try:
                    await self._pubsub.unsubscribe(*map(self._channel, old))
                except faults():
                    self._begin_anew()

    def _channel(self, what: str) -> str:
        return self._names + what
