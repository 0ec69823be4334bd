"""PostgreSQL: reachable, writable, of this version, near, with enough connections."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from amazonia.ops.doctor.clock import judge_clock
from amazonia.ops.doctor.embedded import judge_migration
from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem
from amazonia.settings import Settings

ABOUT = "database"
OLDEST = 130000
"""PostgreSQL 13, as `server_version_num` says it."""
CONNECT = 4.0
FAR, TOO_FAR = 0.005, 0.05
"""Seconds there and back: a turn asks some eight times."""
LOOKS = 5
LOCAL = ("", "localhost", "127.0.0.1", "::1")

QUESTIONS = """
SELECT current_setting('server_version_num')::int AS number,
       current_setting('server_version') AS version,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS most,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create,
       current_setting('synchronous_commit') AS commit,
       extract(epoch FROM clock_timestamp())::float8 AS now
"""


async def judge_postgres(settings: Settings, newest: str, instances: int) -> Found:
    """Ask the server about itself.

    Args:
        newest: the migration that this version of the game ends with.
        instances: how many machines of the game share it.
    """
    try:
        import asyncpg  # here: an extra
    except ImportError:
        what = "DATABASE_URL names PostgreSQL, and what speaks to it is not installed"
        return [problem(ABOUT, what, "pip install 'amazonia[postgres]'")]
    try:
        base = await asyncpg.connect(plain_address(settings.database_url), timeout=CONNECT)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        what = f"{host(settings.database_url)} does not let us in: {_why(error)}"
        return [
            problem(ABOUT, what, "Is it up, and are DATABASE_URL's host, name and password right?")
        ]
    try:
        return await _examined(base, settings, newest, instances)
    finally:
        await base.close(timeout=1.0)


def plain_address(url: str) -> str:
    """The address as asyncpg reads it: without the name of a driver."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def host(url: str) -> str:
    """Where a service is, without a user's name or password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'this machine'}{f':{parts.port}' if parts.port else ''}"


def _why(error: BaseException) -> str:
    """What went wrong, in a few words that hold no password."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT:g} s"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error).partition("\n")[0] or type(error).__name__


async def _examined(base: Any, settings: Settings, newest: str, instances: int) -> Found:
    told = await base.fetchrow(QUESTIONS)
    skew = judge_clock(time.time(), told["now"], host(settings.database_url))
    shape = judge_migration(await _migration(base), newest)
    return [
        *_version(told),
        shape,
        *_rights(told),
        *_room(told, settings, instances),
        *_distance(await _round_trip(base), settings),
        *skew,
    ]


async def _migration(base: Any) -> str | None:
    if await base.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    now: str | None = await base.fetchval("SELECT version_num FROM alembic_version")
    return now


def _version(told: Any) -> Iterable[Finding]:
    said = f"PostgreSQL {told['version']}"
    if told["number"] < OLDEST:
        yield problem(ABOUT, f"{said} is too old", "13 or newer")
    else:
        yield ok(ABOUT, said)


def _rights(told: Any) -> Iterable[Finding]:
    if told["read_only"]:
        yield problem(ABOUT, "takes no writes: it is a copy, or read-only", "Name the primary")
    elif not told["may_create"]:
        what = "this user may not make tables"
        yield problem(ABOUT, what, "GRANT CREATE ON SCHEMA public TO the user of DATABASE_URL")
    else:
        yield ok(ABOUT, "can be written to")
    if told["commit"] == "off":
        what = "synchronous_commit is off: a crash forgets what was answered in the last moment"
        yield note(ABOUT, what, "Switch it on for this database")


def _room(told: Any, settings: Settings, instances: int) -> Iterable[Finding]:
    each = settings.db_pool_size + max(1, settings.db_max_overflow)
    need = instances * settings.workers * each
    free = told["most"] - told["used"]
    said = (
        f"{instances} × {settings.workers} workers × {each} connections = {need}; "
        f"{free} of {told['most']} are free"
    )
    if need > told["most"]:
        do = "Fewer (DB_POOL_SIZE, DB_MAX_OVERFLOW), more (max_connections), or a pooler between"
        yield problem(ABOUT, said, do)
    elif need > free:
        yield note(ABOUT, said, "If the game runs already, some of those in use are its own")
    else:
        yield ok(ABOUT, said)


async def _round_trip(base: Any) -> float:
    """Seconds for the smallest question: the middle one of some."""
    took = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        await base.fetchval("SELECT 1")
        took.append(time.perf_counter() - begun)
    return sorted(took)[LOOKS // 2]


def _distance(seconds: float, settings: Settings) -> Iterable[Finding]:
    said = f"answers in {seconds * 1000:.1f} ms"
    if seconds > TOO_FAR:
        yield problem(ABOUT, said, "Put the game and its database into the same region")
    elif seconds > FAR and urlsplit(settings.database_url).hostname not in LOCAL:
        yield note(
            ABOUT, said, "The same data centre would be better: a turn asks some eight times"
        )
    else:
        yield ok(ABOUT, said)
