"""The nightly purge, with or without a queue.

Every process orders it; the day in its key makes all those orders one job, so one process does it.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

import structlog

from amazonia.errors import StoreDown
from amazonia.jobs.desk import Desk
from amazonia.jobs.purge import LAST_PURGE, today
from amazonia.ports.jobs import Job

log = structlog.get_logger()

EVERY = 600.0
"""Seconds between two looks at the clock."""
QUIET_HOURS = 3
"""Hours after PURGE_HOUR in which it is still night."""
OVERDUE = 2
"""Days after which it runs by day: some machines sleep at night."""


async def purge_nightly(desk: Desk) -> None:
    """Order the purge every night, for ever."""
    while True:
        await asyncio.sleep(EVERY * random.uniform(0.5, 1.0))
        try:
            await purge_if_due(desk)
        except StoreDown:
            log.warning("purge.not_ordered")


async def purge_if_due(desk: Desk) -> Job | None:
    """Order today's purge if it is night and nobody has done it, or if it is long overdue."""
    services = desk.services
    now = services.clock.now()
    last = (await services.notes.get([LAST_PURGE])).get(LAST_PURGE, "")
    if not is_due(datetime.fromtimestamp(now).astimezone(), last, services.settings.purge_hour):
        return None
    return await desk.order("purge", {}, key=f"purge:{today(now)}")


def is_due(now: datetime, last: str, hour: int) -> bool:
    """Whether the purge should run.

    Args:
        now: by this machine's clock.
        last: the day of the last purge, 2026-11-22; empty if there was none.
        hour: when night begins.
    """
    if last == now.date().isoformat():
        return False
    is_night = (now.hour - hour) % 24 < QUIET_HOURS
    days = (now.date() - datetime.fromisoformat(last).date()).days if last else 0
    return is_night or days > OVERDUE
