"""PostgreSQL: what breaks heals by itself, and nothing is done twice or said to be done and not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count

import asyncpg
import pytest
from tests.postgres import Cluster, cluster, new_database, pooler, sql
from tests.store.proxy import Proxy
from tests.worlds import new_team

from amazonia.domain.session import HintTaken
from amazonia.errors import BadSetting, StoreDown
from amazonia.ports import Change, Team
from amazonia.store import statements
from amazonia.store.database import Tx
from amazonia.store.migrate import migrate_postgres
from amazonia.store.postgres import PostgresDatabase
from amazonia.store.teams import StoredNotes, StoredTeams


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A server that may be stopped, with the tables."""
    with cluster() as server:
        migrate_postgres(server.url())
        yield server


@pytest.fixture
def url() -> Iterator[str]:
    """A new database."""
    with new_database() as url:
        yield url


@asynccontextmanager
async def opened(url: str, **options: float) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url, **options)  # type: ignore[arg-type]
    try:
        yield database
    finally:
        await database.close()


def hint(newest: Team) -> Change[int]:
    return Change([HintTaken("r_relogio")], newest.version)


# ── a server that goes and comes ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_under_load_loses_and_doubles_nothing(own: Cluster, how: str) -> None:
    """While it restarts, orderly or by a crash, ten teams go on; every change is there once."""
    teams = [f"{how}-{i}" for i in range(10)]
    async with opened(own.url()) as database:
        stored = StoredTeams(database)
        for number, id_ in enumerate(teams):
            await stored.add(new_team(id_, f"{how[:4]}{number:08}"), 1.0)
        goes_on, done = True, dict.fromkeys(teams, 0)

        async def play(id_: str) -> None:
            while goes_on:
                assert await stored.change(id_, hint, 2.0) == done[id_]
                done[id_] += 1

        players = [asyncio.create_task(play(id_)) for id_ in teams]
        for _ in range(2):
            await asyncio.sleep(0.4)
            await asyncio.to_thread(own.stop, how)
            await asyncio.to_thread(own.start)
        healed = time.monotonic()
        before = dict(done)
        while any(done[id_] < before[id_] + 2 for id_ in teams):
            await asyncio.sleep(0.01)
            assert time.monotonic() - healed < 5.0
        goes_on = False
        await asyncio.gather(*players)
        assert await stored.versions(teams) == done


async def test_a_frozen_server_is_said_to_be_down_in_time(own: Cluster) -> None:
    """Reads and writes are refused within their patience, and again done when it goes on."""
    async with opened(own.url(), patience=1.0) as database:
        notes = StoredNotes(database)
        await notes.set("frozen", "before")
        frozen = own.freeze()
        try:
            began = time.monotonic()
            jobs = [notes.set("frozen", "lost"), notes.get(["frozen"]), notes.epoch()]
            refused = await asyncio.gather(*jobs, return_exceptions=True)
            assert {type(error) for error in refused} == {StoreDown}
            assert time.monotonic() - began < 2.0
        finally:
            own.thaw(frozen)
        async with asyncio.timeout(5.0):
            await notes.set("frozen", "after")
            assert await notes.get(["frozen"]) == {"frozen": "after"}


async def test_a_server_that_is_not_there_is_said_to_be_down() -> None:
    """Within the patience of a job, whatever it wants; to migrate fails in a line."""
    nobody = "postgresql://postgres@127.0.0.1:1/nothing"
    async with opened(nobody, patience=0.3) as database:
        with pytest.raises(StoreDown):
            await StoredNotes(database).epoch()
        with pytest.raises(StoreDown):
            await StoredNotes(database).set("x", "y")
    with pytest.raises(StoreDown):
        migrate_postgres(nobody)
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        migrate_postgres("postgresql://postgres@127.0.0.1/x?sslmode=perhaps")


# ── a commit whose answer is lost ───────────────────────────────────────────────────────────────


ways = pytest.mark.parametrize("way", ["put", "run"])
"""A change as a statement that commits by itself, or in a transaction."""


def add_note(tx: Tx, way: str, name: str) -> None:
    values = {"name": name, "text": "1"}
    tx.put(statements.add_note, values) if way == "put" else tx.run(statements.add_note, values)


@ways
@pytest.mark.parametrize("committed", [True, False])
async def test_a_lost_commit_is_looked_up(url: str, way: str, *, committed: bool) -> None:
    """Cut off before or after the server commits, a change is made once and told to be made."""
    async with Proxy(url) as proxy, opened(proxy.url) as database:
        await database.write(lambda tx: add_note(tx, way, "warm"))
        attempts = count(1)
        for done in range(1, 6):
            proxy.cut_at_commit(forward=committed)
            await database.write(lambda tx: add_note(tx, way, f"attempt {next(attempts)}"))
            assert proxy.cuts == done
        assert sql(url, "SELECT count(*) FROM meta WHERE key LIKE 'attempt%'") == "5"
        assert next(attempts) == (6 if committed else 11)


@ways
async def test_a_commit_that_comes_late_does_not_come_at_all(url: str, way: str) -> None:
    """What was given up and done again fails when the server gets to it at last."""
    async with Proxy(url) as proxy, opened(proxy.url) as database:
        await database.write(lambda tx: add_note(tx, way, "warm"))
        attempts = count(1)

        def job(tx: Tx) -> None:  # it locks nothing that its second attempt would wait for
            add_note(tx, way, f"attempt {next(attempts)}")

        late = proxy.delay_commit()
        await database.write(job)
        await late()
        assert sql(url, "SELECT key FROM meta WHERE key LIKE 'attempt%'") == "attempt 2"


# ── many at once ────────────────────────────────────────────────────────────────────────────────


async def test_more_jobs_than_connections_wait_their_turn(url: str) -> None:
    """Three hundred changes of five teams over two processes of two connections each."""
    ids = [f"team{i}" for i in range(5)]
    async with opened(url, size=1, overflow=1) as a, opened(url, size=1, overflow=1) as b:
        both = [StoredTeams(a), StoredTeams(b)]
        for number, id_ in enumerate(ids):
            await both[0].add(new_team(id_, f"{number:012}"), 1.0)
        await asyncio.gather(*(both[i % 2].change(ids[i % 5], hint, 2.0) for i in range(300)))
        assert await both[0].versions(ids) == dict.fromkeys(ids, 60)
        ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert int(sql(url, f"{ours} AND application_name = 'amazonia'")) <= 4


async def test_when_every_connection_is_taken_jobs_are_refused_in_time(url: str) -> None:
    """A job that finds none free is told so; those that held them come to their end."""
    async with opened(url, size=1, overflow=1, patience=1.0) as database:
        teams = StoredTeams(database)
        await teams.add(new_team(), 1.0)
        holder = await asyncpg.connect(url)
        await holder.execute("BEGIN; SELECT 1 FROM teams FOR UPDATE")
        began = time.monotonic()
        jobs = (teams.change("team", hint, 2.0) for _ in range(20))
        refused = await asyncio.gather(*jobs, return_exceptions=True)
        assert {type(error) for error in refused} == {StoreDown}
        assert time.monotonic() - began < 2.0
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while await holder.fetchval(waiting):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)  # the server gives those up that it still has
        await holder.execute("ROLLBACK")
        await holder.close()
        assert await teams.change("team", hint, 2.0) == 0


async def test_a_cancelled_write_comes_to_its_end_first(url: str) -> None:
    """Whoever goes away leaves nothing half done, and no connection in the middle of something."""
    async with opened(url, size=2, overflow=0) as database:
        teams = StoredTeams(database)
        await teams.add(new_team(), 1.0)
        for _ in range(20):
            change = asyncio.ensure_future(teams.change("team", hint, 2.0))
            await asyncio.sleep(0.001)
            if change.cancel():  # else it was quicker
                with pytest.raises(asyncio.CancelledError):
                    await change
        assert await teams.versions(["team"]) == {"team": 20}


async def test_a_pooler_is_noticed(url: str) -> None:
    """Through PgBouncer no statement outlives its transaction; without it statements are kept."""
    with pooler(url) as address:
        for where, behind in ((url, False), (f"{address}/{url.rpartition('/')[2]}", True)):
            async with opened(where) as database:
                await StoredNotes(database).set("through", "it")
                assert database._pool.is_behind_a_pooler == behind


# ── migrations ──────────────────────────────────────────────────────────────────────────────────

MIGRATE = "import sys; from amazonia.store.migrate import *; migrate_postgres(sys.argv[1])"


def test_instances_that_start_together_migrate_once() -> None:
    """Three processes bring an empty database up at once; all of them go on to serve."""
    with new_database(empty=True) as url:
        command = [sys.executable, "-c", MIGRATE, url]
        together = [subprocess.Popen(command) for _ in range(3)]
        assert [process.wait(60) for process in together] == [0, 0, 0]
        assert sql(url, "SELECT count(*) FROM alembic_version") == "1"


def test_the_migrations_make_the_tables_here_too(url: str) -> None:
    """What the migrations make on PostgreSQL is what the statements are written for."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from amazonia.store.engines import postgres_engine
    from amazonia.store.tables import metadata

    async def differences() -> list[object]:
        engine = postgres_engine(url, 5.0)
        async with engine.connect() as connection:
            found: list[object] = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"compare_type": True}), metadata
                )
            )
        await engine.dispose()
        return found

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, differences()).result() == []
