"""How this process is, told from memory: nobody who asks waits for what may be broken."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from amazonia import __version__
from amazonia.errors import StoreDown
from amazonia.ports import Json

State = Literal["ok", "down", "unknown"]

SOURCES: Final = ("model", "cache", "scripted")
WELL: Final = frozenset({"closed", "off"})
"""States of a provider that are nobody's trouble: it may be asked, or somebody switched it off."""


class Pulse:
    """Whether something answers, as far as is known at this moment.

    While anybody asks, it is probed in the background; an answer comes from memory. A probe that
    takes too long counts as failed from that moment on, and no other is begun until it ends.

    Args:
        probe: asks for a sign of life; raises `StoreDown` if there is none.
        monotonic: the clock, in seconds.
        every: seconds between two probes.
        patience: seconds that a probe may take.
        asked_for: seconds for which it goes on after it was last asked.
    """

    def __init__(
        self,
        probe: Callable[[], Awaitable[object]],
        monotonic: Callable[[], float],
        *,
        every: float = 1.0,
        patience: float = 2.0,
        asked_for: float = 60.0,
    ) -> None:
        self._probe = probe
        self._now = monotonic
        self._every = every
        self._patience = patience
        self._asked_for = asked_for
        self._asked = 0.0
        self._began: float | None = None
        self._known: State = "unknown"
        self._fresh = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def state(self, within: float = 0.03) -> State:
        """What is known; only where that is nothing, the first probe is waited for.

        Args:
            within: seconds that this waits at most.
        """
        self._asked = self._now()
        if self._watching is None or self._watching.done():
            self._known = "unknown"  # what was known is old
            self._fresh.clear()
            self._watching = asyncio.create_task(self._watch())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._fresh.wait()
        return "down" if self._is_stuck() else self._known

    async def close(self) -> None:
        """Probe no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _is_stuck(self) -> bool:
        return self._began is not None and self._now() - self._began >= self._patience

    async def _watch(self) -> None:
        while self._now() - self._asked < self._asked_for:
            self._began = self._now()
            try:
                await self._probe()
                self._known = "ok"
            except StoreDown:
                self._known = "down"
            finally:
                self._began = None
            self._fresh.set()
            await asyncio.sleep(self._every)


class Tally:
    """How many turns each source answered lately, counted in slots of ten seconds.

    Args:
        monotonic: the clock, in seconds.
        minutes: how far back it counts.
    """

    SLOT: Final = 10.0

    def __init__(self, monotonic: Callable[[], float], minutes: int = 5) -> None:
        self.minutes = minutes
        self._now = monotonic
        self._slots: deque[tuple[int, Counter[str]]] = deque(maxlen=round(minutes * 60 / self.SLOT))

    def note(self, source: str) -> None:
        """Count a turn that was answered now."""
        slot = self._slot()
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append((slot, Counter()))
        self._slots[-1][1][source] += 1

    def counts(self) -> dict[str, int]:
        """The turns of the last minutes by source; a source that answered none has 0."""
        since = self._slot() - round(self.minutes * 60 / self.SLOT)
        total = sum((count for slot, count in self._slots if slot > since), Counter[str]())
        return {source: total[source] for source in SOURCES}

    def _slot(self) -> int:
        return int(self._now() / self.SLOT)


def no_endpoint() -> tuple[str, str]:
    """How moderation is where only the game's own filter reads what players type."""
    return "off", ""


def no_redis() -> tuple[str, str]:
    """How what processes share passes where there is no Redis."""
    return "off", ""


@dataclass(frozen=True, slots=True)
class Health:
    """How this process is; every process answers for itself.

    Attributes:
        database: whether turns can be saved.
        turns: who answered lately.
        providers: how each is.
        cache: whether what processes share passes through Redis, and why not: `off` without one,
            `degraded` while it does not answer well and the database does its work.
        moderation: whether a provider reads what players type, and why not: `off` without one,
            `degraded` while it does not answer and the game's own filter decides alone.
    """

    database: Pulse
    turns: Tally
    providers: Callable[[], list[Json]]
    monotonic: Callable[[], float]
    started: float
    cache: Callable[[], tuple[str, str]] = no_redis
    moderation: Callable[[], tuple[str, str]] = no_endpoint
    process: int = field(default_factory=os.getpid)

    async def can_save(self) -> bool:
        """Whether turns can be saved, as far as is known; within some 30 ms."""
        return await self.database.state() != "down"

    async def report(self) -> Json:
        """Everything, within some 30 ms: the body of ``/health``.

        Its `status` is ``ok``, or ``degraded`` if any part is known not to be well.
        """
        database, providers = await self.database.state(), self.providers()
        cache, cache_why = self.cache()
        well = database != "down" and all(voice["state"] in WELL for voice in providers)
        moderation, moderation_why = self.moderation()
        well = well and "degraded" not in (cache, moderation)
        return {
            "status": "ok" if well else "degraded",
            "version": __version__,
            "process": self.process,
            "uptime_s": round(self.monotonic() - self.started),
            "checks": {
                "database": database,
                "cache": cache,
                "cache_why": cache_why,
                "moderation": moderation,
                "moderation_why": moderation_why,
                "providers": providers,
            },
            "turns": {"minutes": self.turns.minutes, **self.turns.counts()},
        }
