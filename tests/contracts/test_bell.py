"""What every bell promises: the one of a machine, and the one that other machines hear."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from tests.redis import RedisServer

from amazonia.fabric.bell import Bell
from amazonia.fabric.owners import FileOwners
from amazonia.fabric.redis.shared import open_shared
from amazonia.fabric.watch import Watch

Place = tuple[str, int]


@asynccontextmanager
async def process(folder: Path, url: str) -> AsyncIterator[Bell]:
    """The bell of a process, which shares a Redis with the others if there is one."""
    owners = FileOwners(folder)
    async with open_shared(url, owners.token) as shared:
        bell = Bell(folder, owners.token, shared.bell if shared else None, alone=not url)
        await when(lambda: bell.reaches_all)
        yield bell
        bell.close()
        owners.close()


async def when(holds: Callable[[], bool], patience: float = 5.0) -> None:
    async with asyncio.timeout(patience):
        while not holds():  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.01)


@pytest.fixture(params=["one machine", "two machines"])
async def bells(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Bell]]:
    """Two processes that follow what is called "turn a"."""
    far = request.param == "two machines"
    url = request.getfixturevalue("server").url if far else ""
    async with AsyncExitStack() as stack:
        folders = [tmp_path / ("b" if far else "a"), tmp_path / "a"]
        bells = [await stack.enter_async_context(process(folder, url)) for folder in folders]
        for bell in bells:
            bell.follow("turn a")
        await asyncio.sleep(0.1)
        yield bells


class Board:
    """Something that can be looked at, and how often it was."""

    def __init__(self) -> None:
        self.says = "old"
        self.looks = 0

    async def look(self, places: Sequence[Place]) -> Mapping[Place, str]:
        self.looks += 1
        return dict.fromkeys(places, self.says)


def read(place: Place, text: str) -> str | None:
    """What a ring tells of a place: nothing that was seen there already."""
    return text if len(text) > place[1] else None


async def test_others_hear_a_ring(bells: list[Bell]) -> None:
    """And what it brings along; who rings does not hear it."""
    heard: list[tuple[str, str, str]] = []
    for name, bell in zip("ab", bells, strict=True):
        bell.on_ring(lambda what, text, name=name: heard.append((name, what, text)))  # type: ignore[misc]
    bells[0].ring("turn a", "Olá,\nseu João!")
    await when(lambda: bool(heard))
    await asyncio.sleep(0.05)
    assert heard == [("b", "turn a", "Olá,\nseu João!")]


async def test_who_waits_is_woken(bells: list[Bell]) -> None:
    """A ring without more makes them look at once, long before they would have."""
    board, waiting = Board(), "turn"
    watch = Watch(board.look, 60, bells[1], waiting, lambda place: place[0])
    assert await watch.next(("a", 0)) == "old"
    following = asyncio.ensure_future(watch.next(("a", 0)))
    await asyncio.sleep(0.02)
    board.says = "new"
    Watch(board.look, 60, bells[0], waiting, lambda place: place[0]).changed("a")
    async with asyncio.timeout(0.3):
        assert await following == "new"


async def test_what_a_ring_tells_is_not_looked_up(bells: list[Bell]) -> None:
    """Neither by who waits nor by who comes a moment later; but what was seen is not told again."""
    board = Board()
    watch = Watch(board.look, 60, bells[1], "turn", lambda place: place[0], read)
    speaker = Watch(board.look, 60, bells[0], "turn", lambda place: place[0], read)
    await watch.next(("a", 0))
    first = asyncio.ensure_future(watch.next(("a", 3)))
    await asyncio.sleep(0.02)
    speaker.changed("a", "four")
    async with asyncio.timeout(0.3):
        assert await first == "four"
        assert await watch.next(("a", 0)) == "four"
    assert board.looks == 1
    later = asyncio.ensure_future(watch.next(("a", 4)))
    await asyncio.sleep(0.02)
    assert not later.done()
    board.says = "done"
    speaker.changed("a")
    async with asyncio.timeout(0.3):
        assert await later == "done"
    assert board.looks == 2


async def test_without_redis_who_waits_looks_often(server: RedisServer, tmp_path: Path) -> None:
    """Nothing is missed while it is away, and rings are heard again when it is back."""
    async with (
        process(tmp_path / "a", server.url) as here,
        process(tmp_path / "b", server.url) as there,
    ):
        board = Board()
        watch = Watch(board.look, 0.05, here, "turn", lambda place: place[0])
        await watch.next(("a", 0))
        server.kill()
        there.ring("turn a")
        await when(lambda: not here.reaches_all)
        before = board.looks
        for _ in range(5):
            await watch.next(("a", 0))
        assert board.looks >= before + 5
        server.start()
        await when(lambda: here.reaches_all and there.reaches_all)
        await watch.next(("a", 0))
        began = time.monotonic()
        waiting = asyncio.ensure_future(watch.next(("a", 0)))
        await asyncio.sleep(0.02)
        there.ring("turn a")
        await waiting
        assert time.monotonic() - began < 0.3


async def test_what_nobody_waits_for_is_not_heard(server: RedisServer, tmp_path: Path) -> None:
    """Only rings about what is followed here come here."""
    async with process(tmp_path / "a", server.url) as here:
        for number in range(500):
            here.follow(f"turn {number}")
        heard: list[str] = []
        here.on_ring(lambda what, _: heard.append(what))
        async with process(tmp_path / "b", server.url) as there:
            await asyncio.sleep(0.1)
            there.ring("turn 499")
            there.ring("turn 500")
            await when(lambda: bool(heard))
            assert heard == ["turn 499"]
