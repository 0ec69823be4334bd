"""Which processes of other machines live, told by leases in the database that all share.

The same database keeps the turns: whoever cannot renew a lease there cannot save a turn either.
Every process counts its own lease up; one that stood still while it was watched is dead. No clocks
of different machines are compared, and nobody is declared dead by one who was not looking.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from amazonia.errors import StoreDown
from amazonia.fabric.owners import FileOwners
from amazonia.ports import Leases

log = structlog.get_logger()

BEAT_EVERY = 0.4
DEAD_AFTER = 1.4
"""Seconds between two beats, and without one after which a process counts as dead: together the
time until another finishes its turns."""
BLIND_AFTER = 1.0
"""Seconds without a look after which nothing is known: we stood still, or the database did."""
FORGOTTEN_AFTER = 60.0
"""Seconds after which the lease of a dead process is taken away."""


@dataclass(slots=True)
class _Watched:
    """A process as this one sees it: its last beat, and when that was new."""

    beat: int
    at: float
    is_dead: bool = False


class LeasedOwners:
    """The `Owners` port, for processes of any machine; locks tell of those of the same folder.

    Args:
        died: is called when processes of other machines are found dead or gone.
    """

    def __init__(
        self,
        here: FileOwners,
        leases: Leases,
        monotonic: Callable[[], float],
        died: Callable[[], None] = lambda: None,
    ) -> None:
        self._here = here
        self._leases = leases
        self._now = monotonic
        self._died = died
        self._watched: dict[str, _Watched] = {}
        self._asked: dict[str, float] = {}
        """When processes were first asked about that no look has found yet."""
        self._looked_at = self._now()
        self._hurry = asyncio.Event()

    @property
    def token(self) -> str:
        """This process."""
        return self._here.token

    def alive(self, token: str) -> bool:
        """Whether a process lives. One that nothing is known of yet does, until that was looked
        at."""
        if self._here.is_here(token):
            return self._here.alive(token)
        watched = self._watched.get(token)
        if watched is not None:
            return not watched.is_dead
        if token not in self._asked:
            self._asked[token] = self._now()
            self._hurry.set()
        return self._asked[token] >= self._looked_at

    async def beat(self) -> None:
        """Say that this process lives, and look who else does.

        Raises:
            StoreDown: neither could be done.
        """
        began = self._now()
        beats = await self._leases.beat(self.token)
        now, last = self._now(), self._looked_at
        if now - last > BLIND_AFTER:
            for watched in self._watched.values():
                watched.at = now
        self._looked_at = began
        before = self._living()
        self._see(beats, now)
        unknown = {t: at for t, at in self._asked.items() if t not in beats}
        self._asked = {t: at for t, at in unknown.items() if now - at < FORGOTTEN_AFTER}
        if before - self._living() or any(last <= at < began for at in unknown.values()):
            self._died()
        await self._forget(now)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[LeasedOwners]:
        """Keep this process's lease as long as the block lasts; then leave."""
        with contextlib.suppress(StoreDown):
            await self.beat()
        beating = asyncio.create_task(self._beat_on())
        try:
            yield self
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            with contextlib.suppress(StoreDown):
                await self._leases.leave([self.token])

    async def _beat_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_EVERY):
                    await self._hurry.wait()
            self._hurry.clear()
            try:
                await self.beat()
            except StoreDown:
                log.debug("lease.not_renewed")
                await asyncio.sleep(BEAT_EVERY)

    def _living(self) -> set[str]:
        return {token for token, watched in self._watched.items() if not watched.is_dead}

    def _see(self, beats: Mapping[str, int], now: float) -> None:
        """Compare what is there with what was there before."""
        self._watched = {token: w for token, w in self._watched.items() if token in beats}
        for token, beat in beats.items():
            watched = self._watched.setdefault(token, _Watched(beat, now))
            if watched.beat != beat:
                watched.beat, watched.at, watched.is_dead = beat, now, False
            elif now - watched.at >= DEAD_AFTER and not watched.is_dead:
                watched.is_dead = True
                if token != self.token:
                    log.warning("process.died", owner=token)

    async def _forget(self, now: float) -> None:
        old = [t for t, w in self._watched.items() if w.is_dead and now - w.at > FORGOTTEN_AFTER]
        if old:
            await self._leases.leave(old)
