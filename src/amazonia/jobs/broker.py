"""The broker: how a process tells workers that there is work. Celery, over Redis or RabbitMQ.

A message holds a job's id and nothing else that counts; the database has the rest. So a message
that is lost is sent again by whoever looks round, and one that comes twice finds the job taken.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

from amazonia.errors import AmazoniaError, BadSetting, StoreDown
from amazonia.jobs.work import LONGEST
from amazonia.ops.health import Pulse
from amazonia.ports import Clock
from amazonia.ports.jobs import Job
from amazonia.settings import Settings

log = structlog.get_logger()

TASK: Final = "amazonia.job"
PATIENCE: Final = 1.0
"""Seconds that the broker has to take a message."""
LEFT_ALONE: Final = 5.0
"""Seconds for which a broker that did not take one is not asked again."""
VISIBILITY: Final = int(LONGEST) + 300
"""Seconds after which Redis hands out again what nobody acknowledged: longer than any job."""


class BrokerDown(AmazoniaError):
    """The broker did not take the message. The job is stored, and can be done here."""


def celery_app(settings: Settings) -> Any:
    """Celery, set up for publishers and workers alike.

    Raises:
        BadSetting: a broker is named, but the extra `jobs` is not installed.
    """
    try:
        from celery import Celery
    except ImportError as exc:
        raise BadSetting(
            "CELERY_BROKER_URL: a queue is named, but nothing can speak to it: "
            "pip install 'amazonia[jobs]', or set CELERY_BROKER_URL=none"
        ) from exc
    app = Celery("amazonia", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=settings.celery_queue,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        # A message is done when its job is, and another worker's when its worker is lost.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # The log is ours: what it writes to standard error must not come back to it.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_timeout=PATIENCE,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport(settings.broker_url),
    )
    return app


def _transport(url: str) -> dict[str, Any]:
    if url.startswith(("redis://", "rediss://")):
        times = {"socket_timeout": 10 * PATIENCE, "socket_connect_timeout": PATIENCE}
        return {"visibility_timeout": VISIBILITY, **times}
    return {"confirm_publish": True, "read_timeout": 10 * PATIENCE, "write_timeout": PATIENCE}


class Broker:
    """Hands jobs to workers, from a thread of its own: nothing here can hold up the event loop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._app = celery_app(settings)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._pinger = ThreadPoolExecutor(1, thread_name_prefix="broker-ping")
        self._asked_again_at = 0.0
        self._pulse = Pulse(self._ping, clock.monotonic, every=LEFT_ALONE, patience=2 * PATIENCE)
        with contextlib.suppress(Exception):  # the first job need not wait for what this imports
            self._connect()

    async def publish(self, job: Job) -> None:
        """Tell workers of a job.

        Raises:
            BrokerDown: it was not taken within `PATIENCE`, or the one before it was not.
        """
        now = self._clock.monotonic()
        if now < self._asked_again_at:
            raise BrokerDown("left alone")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                await loop.run_in_executor(self._thread, self._send, job)
        except Exception as exc:
            self._asked_again_at = self._clock.monotonic() + LEFT_ALONE
            raise BrokerDown(type(exc).__name__) from exc

    def _send(self, job: Job) -> None:
        self._app.send_task(
            TASK,
            args=[job.id],
            task_id=f"{job.id}.{job.attempt}",
            headers={"deadline": job.deadline, "traceparent": job.trace, "key": job.key},
            retry=False,
        )

    async def is_down(self) -> bool:
        """Whether the broker does not answer, as far as is known; within some 30 ms."""
        return await self._pulse.state() == "down" or self._clock.monotonic() < self._asked_again_at

    async def _ping(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._pinger, self._connect)
        except Exception as exc:
            raise StoreDown(f"broker: {type(exc).__name__}") from exc

    def _connect(self) -> None:
        with self._app.connection_for_write(connect_timeout=PATIENCE) as connection:
            connection.connect()
            connection.default_channel.close()

    async def close(self) -> None:
        """Leave the broker."""
        await self._pulse.close()
        for thread in (self._thread, self._pinger):
            thread.shutdown(wait=False, cancel_futures=True)
