"""Opening the desk of a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from amazonia.errors import BadSetting
from amazonia.jobs.broker import Broker
from amazonia.jobs.desk import Desk
from amazonia.jobs.nightly import purge_nightly
from amazonia.jobs.registry import WORKS
from amazonia.jobs.run import Pace
from amazonia.services import Services

log = structlog.get_logger()

HANDS = 2
"""Jobs that a process which serves players runs at once."""


@asynccontextmanager
async def open_desk(services: Services, pace: Pace | None = None) -> AsyncIterator[Desk]:
    """A desk that takes orders, runs what is handed to it and purges at night."""
    broker = await asyncio.to_thread(open_broker, services)
    desk = Desk(services, WORKS, broker, HANDS, pace or Pace())
    async with desk.open():
        nightly = asyncio.create_task(purge_nightly(desk))
        try:
            yield desk
        finally:
            nightly.cancel()


def open_broker(services: Services) -> Broker | None:
    """The broker that the settings name, if any.

    Raises:
        BadSetting: it was named as one, and nothing is installed that can speak to it.
    """
    settings = services.settings
    if not settings.broker_url:
        return None
    try:
        return Broker(settings, services.clock)
    except BadSetting as exc:
        if settings.celery_broker_url:
            raise
        log.info("queue.absent", note=f"REDIS_URL is no queue here: {exc}")
        return None
