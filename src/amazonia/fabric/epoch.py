"""The present age of caches: what was kept in an earlier one no longer counts, wherever it is."""

from __future__ import annotations

import asyncio

import structlog

from amazonia.errors import StoreDown
from amazonia.fabric.bell import Bell
from amazonia.ports import NEWS, Notes

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds after which a process knows of a new age, should nobody have told it."""
MARK = "epoch "


class Epoch:
    """The age as far as this process knows; the database has it, and a bell tells of a new one."""

    def __init__(self, notes: Notes, bell: Bell) -> None:
        self._notes = notes
        self._bell = bell
        self._number = 1
        bell.on_ring(self._hear)

    def __call__(self) -> int:
        """Its number."""
        return self._number

    async def move(self) -> int:
        """Begin a new age, here at once and elsewhere in a moment.

        Raises:
            StoreDown: it could not be written down; the old one goes on.
        """
        self._number = await self._notes.next_epoch()
        self._bell.ring(NEWS, f"{MARK}{self._number}")
        return self._number

    async def look(self) -> None:
        """See what is written down; what is known holds while it cannot be read."""
        try:
            self._number = max(self._number, await self._notes.epoch())
        except StoreDown:
            log.debug("epoch.unread")

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    def _hear(self, what: str, text: str) -> None:
        if what == NEWS and text.startswith(MARK):
            self._number = max(self._number, int(text.removeprefix(MARK)))
