"""Who lives, as processes of one machine and of several tell it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.postgres import new_database

from amazonia.fabric.leases import BEAT_EVERY, DEAD_AFTER, LeasedOwners
from amazonia.fabric.owners import FileOwners
from amazonia.store.leases import StoredLeases
from amazonia.store.postgres import PostgresDatabase

SOON = 0.5
ELSEWHERE = DEAD_AFTER + BEAT_EVERY + 0.2
"""Seconds in which a death is noticed on the same machine, and on another."""

LIVING = """
import asyncio, sys, time
from pathlib import Path
from amazonia.fabric.leases import LeasedOwners
from amazonia.fabric.owners import FileOwners
from amazonia.store.leases import StoredLeases
from amazonia.store.postgres import PostgresDatabase

async def main():
    here, database = FileOwners(Path(sys.argv[1])), PostgresDatabase(sys.argv[2], 1, 1, 5.0)
    async with LeasedOwners(here, StoredLeases(database), time.monotonic).kept() as owners:
        print(owners.token, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    here.close()
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
def url() -> Iterator[str]:
    with new_database() as url:
        yield url


class Process:
    """A process that keeps its lease until its input ends."""

    def __init__(self, folder: Path, url: str) -> None:
        command = [sys.executable, "-c", LIVING, str(folder), url]
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self.popen.stdout is not None
        self.token = self.popen.stdout.readline().strip()
        self.popen.stdout.close()

    def send(self, number: int) -> None:
        os.kill(self.popen.pid, number)

    def end(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        self.popen.wait(10)


@pytest.fixture(params=["same folder", "another machine"])
def other(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Process]:
    far = request.param == "another machine"
    process = Process(tmp_path / ("there" if far else "here"), url)
    yield process
    if process.popen.poll() is None:
        process.send(signal.SIGKILL)
        process.popen.wait()
    if process.popen.stdin:
        process.popen.stdin.close()


@asynccontextmanager
async def owners_of(
    folder: Path, url: str, died: Callable[[], None] = lambda: None
) -> AsyncIterator[LeasedOwners]:
    here, database = FileOwners(folder), PostgresDatabase(url, 1, 1, 5.0)
    async with LeasedOwners(here, StoredLeases(database), time.monotonic, died).kept() as owners:
        yield owners
    here.close()
    await database.close()


async def seconds_until(holds: Callable[[], bool], patience: float = 5.0) -> float:
    began = time.monotonic()
    async with asyncio.timeout(patience):
        while not holds():  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_death_is_noticed(tmp_path: Path, url: str, other: Process) -> None:
    """At once on one machine, within two seconds on another; and not before it happens."""
    async with owners_of(tmp_path / "here", url) as owners:
        until = time.monotonic() + 2 * DEAD_AFTER
        while time.monotonic() < until:
            assert owners.alive(other.token)
            assert owners.alive(owners.token)
            await asyncio.sleep(0.05)
        other.send(signal.SIGKILL)
        other.popen.wait()
        took = await seconds_until(lambda: not owners.alive(other.token))
        assert took < (SOON if owners._here.is_here(other.token) else ELSEWHERE)


async def test_who_leaves_is_gone(tmp_path: Path, url: str, other: Process) -> None:
    """An orderly end need not be waited for."""
    async with owners_of(tmp_path / "here", url) as owners:
        assert owners.alive(other.token)
        other.end()
        assert await seconds_until(lambda: not owners.alive(other.token)) < 2 * BEAT_EVERY + 0.2


async def test_a_frozen_machine_is_dead_until_it_thaws(tmp_path: Path, url: str) -> None:
    """Others are told that somebody died; whoever comes back lives again."""
    deaths: list[float] = []
    process = Process(tmp_path / "there", url)
    async with owners_of(tmp_path / "here", url, lambda: deaths.append(1)) as owners:
        await seconds_until(lambda: process.token in owners._watched)
        deaths.clear()
        process.send(signal.SIGSTOP)
        assert await seconds_until(lambda: not owners.alive(process.token)) < ELSEWHERE
        assert deaths
        process.send(signal.SIGCONT)
        assert await seconds_until(lambda: owners.alive(process.token)) < SOON + BEAT_EVERY
    await asyncio.to_thread(process.end)


async def test_who_was_not_looking_declares_nobody_dead(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stood still for seconds itself finds those alive who lived meanwhile."""
    process = Process(tmp_path / "there", url)
    async with owners_of(tmp_path / "here", url) as owners:
        await seconds_until(lambda: process.token in owners._watched)
        process.send(signal.SIGSTOP)
        time.sleep(DEAD_AFTER + 1.0)  # noqa: ASYNC251 - that is what it does to the loop
        process.send(signal.SIGCONT)
        until = time.monotonic() + DEAD_AFTER
        while time.monotonic() < until:
            assert owners.alive(process.token)
            await asyncio.sleep(0.02)
    await asyncio.to_thread(process.end)


async def test_a_stranger_lives_until_looked_for(tmp_path: Path, url: str) -> None:
    """Nobody is given up before the database was asked; a moment later a dead one is."""
    stranger = "elsewhere.00000000.77.0123abcd"
    async with owners_of(tmp_path / "here", url) as owners:
        assert owners.alive(stranger)
        assert await seconds_until(lambda: not owners.alive(stranger)) < SOON


def test_without_a_database_strangers_are_dead(tmp_path: Path) -> None:
    """Everybody has the same folder then."""
    here, copy = FileOwners(tmp_path / "a"), FileOwners(tmp_path / "b")
    assert here.is_here(here.token)
    assert not here.is_here(copy.token)
    assert not here.alive(copy.token)
    here.close()
    copy.close()
