"""Who listens to a turn: a model need not go on speaking when nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from amazonia.errors import StoreDown
from amazonia.ports import Clock, Owners, Turns

GRACE = 5.0
"""Seconds for which a turn goes on without a listener: time to reload a page or change networks."""


class Audience:
    """The listeners of a turn that this process speaks, wherever they are.

    Those of this process come and go here. Other processes note in the database that they have
    listeners, and when the last one left; that is looked up once a grace period, no more often.
    """

    def __init__(
        self, turn_id: str, turns: Turns, owners: Owners, clock: Clock, grace: float = GRACE
    ) -> None:
        self.gone = False
        self._closed = False
        self._turn_id = turn_id
        self._turns = turns
        self._owners = owners
        self._clock = clock
        self._grace = grace
        self._here = 0
        self._on_gone: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._wait(grace)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Somebody in this process listens as long as the block lasts."""
        self._here += 1
        self._stop_waiting()
        try:
            yield
        finally:
            self._here -= 1
            if not self._here:
                self._wait(self._grace)

    @contextmanager
    def call_when_gone(self, call: Callable[[], None]) -> Iterator[None]:
        """Call this, at most once and at once if need be, when nobody is there any more."""
        self._on_gone = call
        if self.gone:
            call()
        try:
            yield
        finally:
            self._on_gone = None

    def close(self) -> None:
        """The turn is over: nobody need be looked for."""
        self._closed = True
        self._stop_waiting()

    def _wait(self, seconds: float) -> None:
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._begin_to_look)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _begin_to_look(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Nobody was here for the grace period: is anybody elsewhere?"""
        try:
            found = await self._turns.listeners([self._turn_id])
        except StoreDown:
            self._wait(self._grace)
            return
        left = self._grace
        now = self._clock.now()
        elsewhere = [o for o in found.get(self._turn_id, ()) if self._owners.alive(o.owner)]
        if all(o.left_at is not None for o in elsewhere):
            last = max((o.left_at for o in elsewhere if o.left_at is not None), default=0.0)
            left = last + self._grace - now
        if left > 0:
            self._wait(left)
        else:
            self.gone = True
            if self._on_gone is not None:
                self._on_gone()
