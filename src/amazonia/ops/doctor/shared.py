"""Redis, and the broker of the jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem
from amazonia.ops.doctor.postgres import host
from amazonia.settings import Settings

CONNECT = 3.0
SLOW, TOO_SLOW = 0.005, 0.05
"""Seconds there and back; the game waits some 50 ms for Redis and goes on without it."""
LOOKS = 5
FULL = 0.9
SCHEMES = ("redis", "rediss", "unix")
KEEPS_ALL = "noeviction"
AMQP_HELLO = b"AMQP\x00\x00\x09\x01"


async def judge_redis(settings: Settings) -> Found:
    """What instances share."""
    if not settings.redis_url:
        return [ok("Redis", "REDIS_URL is not set: processes share by the database")]
    return await _redis(
        "Redis", settings.redis_url, is_broker=_broker(settings) == settings.redis_url
    )


async def judge_broker(settings: Settings) -> Found:
    """Where jobs wait."""
    about, url = "job queue", _broker(settings)
    if not url:
        return [ok(about, "CELERY_BROKER_URL is not set: jobs run in process")]
    if url == settings.redis_url:
        return [ok(about, "is in the same Redis")]
    if urlsplit(url).scheme in SCHEMES:
        return await _redis(about, url, is_broker=True)
    return await _amqp(about, url)


def _broker(settings: Settings) -> str:
    return settings.celery_broker_url or settings.redis_url


async def _redis(about: str, url: str, *, is_broker: bool) -> Found:
    try:
        from redis.asyncio import Redis  # here: an extra
        from redis.exceptions import RedisError
    except ImportError:
        what = f"{about}: what speaks to Redis is not installed"
        return [problem(about, what, "pip install 'amazonia[redis]'")]
    try:
        redis = Redis.from_url(url, socket_connect_timeout=CONNECT, socket_timeout=CONNECT)
        try:
            took = await _round_trip(redis)
            told = await redis.info()
        finally:
            await redis.aclose()
    except (RedisError, OSError, ValueError) as error:
        what = f"{host(url)} does not let us in: {_why(error)}"
        return [problem(about, what, "Is it up, and are the address, name and password right?")]
    return [
        ok(about, f"Redis {told.get('redis_version', '?')} at {host(url)}"),
        *_distance(about, took),
        *_role(about, told),
        *_room(about, told, is_broker),
        *_keeping(about, told, is_broker),
    ]


def _why(error: BaseException) -> str:
    """What went wrong; Redis's own words may hold the address with its password."""
    name = type(error).__name__
    return {"AuthenticationError": "the password is wrong", "TimeoutError": "no answer"}.get(
        name, name
    )


async def _round_trip(redis: Any) -> float:
    took = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        await redis.ping()
        took.append(time.perf_counter() - begun)
    return sorted(took)[LOOKS // 2]


def _distance(about: str, seconds: float) -> Iterable[Finding]:
    said = f"answers in {seconds * 1000:.1f} ms"
    if seconds > TOO_SLOW:
        yield problem(about, said, "The game will do without it: put both into the same region")
    elif seconds > SLOW:
        yield note(about, said, "The same data centre would be better")
    else:
        yield ok(about, said)


def _role(about: str, told: Mapping[str, Any]) -> Iterable[Finding]:
    if told.get("role") == "slave":
        yield problem(about, "takes no writes: it is a copy", "Name the primary")


def _room(about: str, told: Mapping[str, Any], is_broker: bool) -> Iterable[Finding]:
    most, used = int(told.get("maxmemory", 0)), int(told.get("used_memory", 0))
    policy = str(told.get("maxmemory_policy", KEEPS_ALL))
    if most and used > FULL * most:
        what = f"{used / 1e6:,.0f} of {most / 1e6:,.0f} MB are used"
        yield problem(about, what, "More memory (maxmemory): a full Redis refuses writes")
    if is_broker and policy != KEEPS_ALL:
        what = f"maxmemory-policy is {policy}: jobs that wait may be thrown away"
        yield problem(about, what, "Set noeviction, or give jobs a Redis of their own")
    elif not most:
        what = "maxmemory is not set: it may take all memory of its machine"
        yield note(about, what, "CONFIG SET maxmemory 256mb")
    else:
        yield ok(about, f"may use {most / 1e6:,.0f} MB, {policy}")


def _keeping(about: str, told: Mapping[str, Any], is_broker: bool) -> Iterable[Finding]:
    if told.get("rdb_last_bgsave_status") == "err" or told.get("aof_last_write_status") == "err":
        yield problem(about, "cannot write to its disk", "See its log; it may refuse all writes")
    elif is_broker and not int(told.get("aof_enabled", 0)):
        what = "keeps no log of writes (appendonly no): its crash forgets jobs that wait"
        yield note(about, what, "CONFIG SET appendonly yes, or ask for such a report again")


async def _amqp(about: str, url: str) -> Found:
    """Whether something there speaks RabbitMQ's language."""
    parts = urlsplit(url)
    secure = parts.scheme == "amqps"
    where = (parts.hostname or "localhost", parts.port or (5671 if secure else 5672))
    if parts.scheme not in {"amqp", "amqps", "pyamqp"}:
        what = f"CELERY_BROKER_URL: '{parts.scheme}://' is not known here"
        return [problem(about, what, "redis://… or amqp://…")]
    try:
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(*where, ssl=secure or None)
            try:
                writer.write(AMQP_HELLO)
                first = await reader.readexactly(1)
            finally:
                writer.transport.abort()
    except (OSError, EOFError, TimeoutError) as error:
        what = f"{host(url)} does not answer as RabbitMQ: {type(error).__name__}"
        return [problem(about, what, "Is it up, and is CELERY_BROKER_URL right?")]
    if first != b"\x01":
        what = f"{host(url)} speaks something else than RabbitMQ's AMQP 0-9-1"
        return [problem(about, what, "See CELERY_BROKER_URL's port")]
    return [ok(about, f"RabbitMQ answers at {host(url)}")]
