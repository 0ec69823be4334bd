"""One look at the database for all who wait for something in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

import structlog

from amazonia.errors import StoreDown
from amazonia.fabric.bell import Bell

log = structlog.get_logger()

K = TypeVar("K")
V = TypeVar("V")

MOST_SEEN = 4_000
"""Subjects that are remembered; forgetting one costs a look."""
WITH_BELL = 0.5
"""Seconds between two looks where other processes ring when there is something new."""


class Watch(Generic[K, V]):
    """Looks, while anybody waits, at what is waited for: every so often, or when a bell rings.

    Args:
        look: reads the present values of keys.
        every: seconds between two looks where no bell is heard.
        bell: rings when another process changed something.
        name: tells this watch's rings from others'.
        subject: what a ring calls a key.
        hear: reads a key's value out of what a ring brought along; None if it has to be looked at.
    """

    def __init__(
        self,
        look: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        every: float,
        bell: Bell | None = None,
        name: str = "",
        subject: Callable[[K], str] = str,
        hear: Callable[[K, str], V | None] | None = None,
    ) -> None:
        self._look = look
        self._without_bell = every
        self._bell = bell
        self._read = hear
        self._name = f"{name} "
        self._subject = subject
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._rung: set[str] = set()
        self._seen: dict[str, str] = {}
        """Subjects that nothing was rung about since they were looked at, but what the last ring
        told; the oldest first."""
        self._ringing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if bell is not None:
            bell.on_ring(self._hear)

    async def next(self, key: K) -> V | None:
        """The value at the next look, which is at once if none was made since the last ring; or
        what a ring tells before that.

        None if there is no value.
        """
        subject = self._subject(key)
        if self._bell is not None:
            self._bell.follow(self._name + subject)
        if subject not in self._seen:
            self._look_at_once(subject)
        elif (value := self._told_of(key)) is not None:
            return value
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    def changed(self, subject: str, text: str = "") -> None:
        """Tell those who wait, in other processes too, that something is new, and perhaps what."""
        self._hear(self._name + subject, text)
        if self._bell is not None:
            self._bell.ring(self._name + subject, text)

    @property
    def _every(self) -> float:
        return WITH_BELL if self._bell and self._bell.reaches_all else self._without_bell

    def _told_of(self, key: K) -> V | None:
        told = self._seen.get(self._subject(key))
        return self._read(key, told) if self._read and told else None

    def _hear(self, what: str, text: str) -> None:
        if not what.startswith(self._name):
            return
        subject = what.removeprefix(self._name)
        if text and self._read and subject in self._seen:
            self._seen[subject] = text
            self._pass_on(subject, text)
            return
        self._forget(subject)
        if self._waiting:
            self._look_at_once(subject)

    def _pass_on(self, subject: str, text: str) -> None:
        """Give those who wait what a ring told."""
        for key in [key for key in self._waiting if self._subject(key) == subject]:
            value = self._read(key, text) if self._read else None
            if value is not None:
                future = self._waiting.pop(key)
                if not future.done():
                    future.set_result(value)

    def _forget(self, subject: str) -> None:
        self._seen.pop(subject, None)

    def _look_at_once(self, subject: str) -> None:
        self._rung.add(subject)
        self._ringing.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self._every
        while self._waiting:
            try:
                async with asyncio.timeout_at(look_at):
                    await self._ringing.wait()
            except TimeoutError:
                look_at, keys = loop.time() + self._every, list(self._waiting)
            else:
                keys = [key for key in self._waiting if self._subject(key) in self._rung]
            self._ringing.clear()
            self._rung.clear()
            if keys:
                await self._tell(keys)

    async def _tell(self, keys: Sequence[K]) -> None:
        """Look at some keys and tell those who wait for them."""
        waiting = {key: self._waiting.pop(key) for key in keys}
        for subject in map(self._subject, keys):
            self._seen.setdefault(subject, "")
        while len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        try:
            values = await self._look(keys)
        except StoreDown:
            self._waiting = {**waiting, **self._waiting}
            await asyncio.sleep(self._every)
            return
        except Exception as exc:
            log.exception("watch.failed")
            for future in waiting.values():
                if not future.done():
                    future.set_exception(exc)
            return
        for key, future in waiting.items():
            if not future.done():
                future.set_result(values.get(key))
