"""Switches that every process reads: what an administrator turns off is off everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from amazonia.errors import StoreDown
from amazonia.ports import Notes

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at what other processes switched."""


class Switches:
    """Which providers are switched on. They stay as they are when a process starts again.

    Args:
        notes: where it is written down.
        names: of the providers.
        every: seconds after which another process knows of a change.
    """

    def __init__(self, notes: Notes, names: Sequence[str], every: float = LOOK_EVERY) -> None:
        self.names = tuple(names)
        self._notes = notes
        self._every = every
        self._off: frozenset[str] = frozenset()

    def is_on(self, name: str) -> bool:
        """Whether a provider may be asked, as far as this process knows."""
        return name not in self._off

    async def switch(self, name: str, *, on: bool) -> None:
        """Turn a provider on or off, here at once and elsewhere soon.

        Raises:
            StoreDown: it could not be written down; nothing was changed.
        """
        await self._notes.set(_note(name), "" if on else "off")
        self._now_off(self._off - {name} if on else self._off | {name})

    async def look(self) -> None:
        """See what is written down.

        Raises:
            StoreDown: it cannot be read.
        """
        notes = await self._notes.get([_note(name) for name in self.names])
        self._now_off(frozenset(name for name in self.names if notes.get(_note(name))))

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while self.names:
            try:
                await self.look()
            except StoreDown:
                log.debug("switches.unread")  # what was known holds until the database is back
            await asyncio.sleep(self._every)

    def _now_off(self, off: frozenset[str]) -> None:
        for name in off ^ self._off:
            log.warning("provider.switched", provider=name, on=name not in off)
        self._off = off


def _note(name: str) -> str:
    return f"off.{name}"
