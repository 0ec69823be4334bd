"""How many calls at a time, and how many of them a second time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from amazonia.errors import AmazoniaError

CUT: Final = 0.7
"""What an overload leaves of a limit."""

CREEP: Final = 0.05
"""What each success adds at least after an overload, so that a high limit is found again."""
CUT_EVERY: Final = 1.0
"""Seconds in which a limit is cut at most once: a burst of refusals is one overload."""


class Overloaded(AmazoniaError):
    """No slot became free in time. No call was made."""


class Concurrency:
    """A limit on the calls in flight to a provider that finds its own height.

    It grows while it is in use and calls succeed: by one at each success until the first overload
    (slow start), then by one in as many successes as it is high, or by `CREEP` a success if that is
    more. An overload cuts it (`CUT`).
    Source: additive increase, multiplicative decrease, as in TCP (RFC 5681, section 3.1).

    Args:
        monotonic: the clock, in seconds.
        start: the limit at first.
        least: the limit never falls below this.
        most: nor does it rise above this.
    """

    def __init__(
        self, monotonic: Callable[[], float], *, start: int, least: int, most: int
    ) -> None:
        if not 1 <= least <= start <= most:
            raise ValueError("1 ≤ least ≤ start ≤ most")
        self._now = monotonic
        self._limit = float(start)
        self._least = least
        self._most = most
        self._slow_start = True
        self._cut_at: float | None = None
        self._in_flight = 0
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    @property
    def limit(self) -> int:
        """How many may be in flight."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """How many are; more than the limit only after it was cut."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._queue)

    @asynccontextmanager
    async def slot(self, patience: float) -> AsyncIterator[None]:
        """Hold a slot; first come, first served.

        Args:
            patience: seconds to wait for one.

        Raises:
            Overloaded: there was none in that time.
        """
        if self._in_flight < self.limit and not self._queue:
            self._in_flight += 1
        else:
            await self._wait(patience)
        try:
            yield
        finally:
            self._give_back()

    def succeeded(self) -> None:
        """A call in a slot, still held, went well."""
        if self._in_flight >= self.limit:
            step = 1.0 if self._slow_start else max(1.0 / self._limit, CREEP)
            self._limit = min(float(self._most), self._limit + step)
            self._hand_out()

    def overloaded(self) -> None:
        """The provider said, or showed, that this is too much: 429, 5xx, silence."""
        self._cut(self._limit)

    def late(self) -> None:
        """This process cannot keep up. What is too much for it is what is in flight."""
        self._cut(min(self._limit, float(self._in_flight)))

    def _cut(self, too_much: float) -> None:
        now = self._now()
        self._slow_start = False
        if self._cut_at is None or now - self._cut_at >= CUT_EVERY:
            self._cut_at = now
            self._limit = max(float(self._least), too_much * CUT)

    async def _wait(self, patience: float) -> None:
        """Wait in the queue until a slot is handed over, already counted as in flight."""
        if patience <= 0:
            raise Overloaded("no slot free")
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        try:
            async with asyncio.timeout(patience):
                await turn
        except TimeoutError:
            self._leave(turn)
            raise Overloaded(f"no slot within {patience:.2f} s") from None
        except asyncio.CancelledError:
            self._leave(turn)
            raise

    def _leave(self, turn: asyncio.Future[None]) -> None:
        """Leave the queue. The slot may have been handed over in that very moment."""
        self._queue.pop(turn, None)
        if turn.done() and not turn.cancelled():
            self._give_back()

    def _give_back(self) -> None:
        self._in_flight -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        """Give free slots to those who wait."""
        while self._queue and self._in_flight < self.limit:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():  # else its task was cancelled and has not run since
                self._in_flight += 1
                turn.set_result(None)


class RetryBudget:
    """How many calls may be made again, as a share of all calls.

    Source: "retry budget", as in Finagle and gRPC (proposal A6).

    Args:
        ratio: what each call adds.
        floor: what there is at the start, so that a quiet process may retry too.
        most: what can be saved up.
    """

    def __init__(self, *, ratio: float = 0.1, floor: float = 3.0, most: float = 50.0) -> None:
        self._ratio = ratio
        self._most = most
        self._saved = min(floor, most)

    def called(self) -> None:
        """A first call was made."""
        self._saved = min(self._most, self._saved + self._ratio)

    def take(self) -> bool:
        """Spend one, if there is one."""
        if self._saved < 1.0 - 1e-9:
            return False
        self._saved -= 1.0
        return True
