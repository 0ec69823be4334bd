"""One look at the database for all who wait for something in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from amazonia.errors import StoreDown

K = TypeVar("K")
V = TypeVar("V")


class Watch(Generic[K, V]):
    """Looks every so often, while anybody waits, at everything that is waited for at once."""

    def __init__(
        self, look: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], every: float
    ) -> None:
        """Args:
        look: reads the present values of keys.
        every: seconds between two looks.
        """
        self._look = look
        self._every = every
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def next(self, key: K) -> V | None:
        """The value at the next look; None if there is none."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._every)
            waiting, self._waiting = self._waiting, {}
            try:
                values = await self._look(list(waiting))
            except StoreDown:
                self._waiting = {**waiting, **self._waiting}
                continue
            for key, future in waiting.items():
                if not future.done():
                    future.set_result(values.get(key))
