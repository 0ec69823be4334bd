"""Budgets: reserved before a call, settled after it, never overdrawn."""

import asyncio

import pytest

from amazonia.ports import Purse
from amazonia.store.database import OpenDatabase
from amazonia.store.spending import StoredSpending

DAY = "2031-05-02"


@pytest.fixture
def stores(here: OpenDatabase, there: OpenDatabase) -> list[StoredSpending]:
    """Two processes."""
    return [StoredSpending(here), StoredSpending(there)]


async def test_what_is_reserved_is_spent(stores: list[StoredSpending]) -> None:
    """In every purse, and each day has its own."""
    here, there = stores
    purses = [Purse("team:a", 100, 0), Purse("all", 0, 0)]
    assert await here.reserve(DAY, purses, 60, 5)
    assert await there.spent(DAY, ["team:a", "all", "class:x"]) == {
        "team:a": (60, 5),
        "all": (60, 5),
        "class:x": (0, 0),
    }
    assert await there.spent("2031-05-03", ["all"]) == {"all": (0, 0)}


async def test_one_empty_purse_stops_all(stores: list[StoredSpending]) -> None:
    """If one of them cannot pay, in tokens or in money, none does."""
    here, there = stores
    assert not await here.reserve(DAY, [Purse("all", 0, 0), Purse("team:a", 10, 0)], 11, 0)
    assert not await there.reserve(DAY, [Purse("all", 0, 0), Purse("team:a", 0, 10)], 0, 11)
    assert await here.spent(DAY, ["all", "team:a"]) == {"all": (0, 0), "team:a": (0, 0)}
    assert await here.reserve(DAY, [Purse("all", 0, 0), Purse("team:a", 10, 10)], 10, 10)


async def test_nobody_overdraws_at_the_same_instant(stores: list[StoredSpending]) -> None:
    """Fifty reservations over two processes: as many succeed as there is money for."""
    purses = [Purse("team:a", 0, 0), Purse("all", 1000, 0)]
    granted = await asyncio.gather(*(stores[i % 2].reserve(DAY, purses, 70, 1) for i in range(50)))
    assert sum(granted) == 14
    assert await stores[0].spent(DAY, ["team:a", "all"]) == {
        "team:a": (980, 14),
        "all": (980, 14),
    }


async def test_settling_gives_back_or_takes_more(stores: list[StoredSpending]) -> None:
    """What a call did not need can be spent by the next; more than reserved is counted too."""
    here, there = stores
    purse = Purse("team:a", 100, 0)
    assert await here.reserve(DAY, [purse], 100, 500)
    assert not await there.reserve(DAY, [purse], 1, 0)
    await there.settle(DAY, ["team:a"], -40, -500)
    assert await here.reserve(DAY, [purse], 40, 0)
    await here.settle(DAY, ["team:a", "class:x"], 25, 2**40)
    assert await here.spent(DAY, ["team:a", "class:x"]) == {
        "team:a": (125, 2**40),
        "class:x": (25, 2**40),
    }
