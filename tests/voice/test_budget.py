"""Tokens and money: reserved before a call, settled after it, whatever became of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from amazonia.errors import StoreDown
from amazonia.ports import Purse
from amazonia.voice.budget import Allowance, Budget
from amazonia.voice.providers import Usage

NOON = 1_763_812_800.0  # 2025-11-22 12:00 UTC
DAY = "2025-11-22"


class ManualClock:
    """The `Clock` port; a test turns the hands."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class MemorySpending:
    """The `Spending` port. As with a writer thread, a job is done though nobody waits any more."""

    def __init__(self) -> None:
        self.book: dict[tuple[str, str], tuple[int, int]] = {}
        self.down = False
        self.commit = asyncio.Event()
        self.commit.set()

    async def reserve(self, day: str, purses: Sequence[Purse], tokens: int, micros: int) -> bool:
        self._answer()
        enough = all(self._affords(day, purse, tokens, micros) for purse in purses)
        for purse in purses if enough else ():
            self._add(day, purse.scope, tokens, micros)
        await self.commit.wait()
        return enough

    async def settle(self, day: str, scopes: Sequence[str], tokens: int, micros: int) -> None:
        self._answer()
        for scope in scopes:
            self._add(day, scope, tokens, micros)
        await self.commit.wait()

    async def spent(self, day: str, scopes: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        self._answer()
        return {scope: self.book.get((day, scope), (0, 0)) for scope in scopes}

    def _answer(self) -> None:
        if self.down:
            raise StoreDown("no disk")

    def _add(self, day: str, scope: str, tokens: int, micros: int) -> None:
        had_tokens, had_micros = self.book.get((day, scope), (0, 0))
        self.book[day, scope] = (had_tokens + tokens, had_micros + micros)

    def _affords(self, day: str, purse: Purse, tokens: int, micros: int) -> bool:
        had_tokens, had_micros = self.book.get((day, purse.scope), (0, 0))
        return (not purse.tokens or had_tokens + tokens <= purse.tokens) and (
            not purse.micros or had_micros + micros <= purse.micros
        )


def a_budget(allowance: Allowance | None = None) -> tuple[Budget, MemorySpending, ManualClock]:
    spending, clock = MemorySpending(), ManualClock()
    return Budget(spending, allowance or Allowance(), clock), spending, clock


async def test_what_was_not_used_is_given_back() -> None:
    """After the provider's own count, every scope holds what the call did cost."""
    budget, spending, _ = a_budget(Allowance(prompt_price=2.0, reply_price=8.0))
    bill = await budget.reserve("team:a class:b", 300, 400)
    assert bill is not None
    assert spending.book[DAY, "class:b"] == (700, 300 * 2 + 400 * 8)
    bill.usage = Usage(250, 100)
    budget.settle(bill)
    await budget.close()
    cost = (350, 250 * 2 + 100 * 8)
    assert spending.book == {(DAY, scope): cost for scope in ("team:a", "class:b", "all")}


@pytest.mark.parametrize(("said", "tokens"), [(0, 300), (1, 301), (3, 301), (10, 304)])
async def test_without_a_count_it_is_estimated(said: int, tokens: int) -> None:
    """The prompt in full, and a token for every three characters begun."""
    budget, spending, _ = a_budget()
    bill = await budget.reserve("team:a", 300, 400)
    assert bill is not None
    bill.said = said
    budget.settle(bill)
    await budget.close()
    assert spending.book[DAY, "team:a"] == (tokens, 0)


@pytest.mark.parametrize(
    ("allowance", "first"),
    [
        (Allowance(team_tokens=1000), "team:a class:x"),
        (Allowance(class_tokens=1000), "team:b class:c"),
        (Allowance(tokens=1000), "team:b class:x"),
        (Allowance(cost=0.004, reply_price=10.0), "team:b class:x"),
    ],
)
async def test_every_purse_has_its_own_limit(allowance: Allowance, first: str) -> None:
    """A call that would overdraw one purse is refused and takes from none."""
    budget, spending, _ = a_budget(allowance)
    assert await budget.reserve(first, 300, 300) is not None
    before = dict(spending.book)
    assert await budget.reserve("team:a class:c", 300, 300) is None
    assert spending.book == before


async def test_many_at_once_cannot_overdraw_together() -> None:
    """Of ten calls in the same instant only as many are let through as there is money for."""
    budget, _, _ = a_budget(Allowance(team_tokens=1000))
    bills = await asyncio.gather(*(budget.reserve("team:a", 100, 200) for _ in range(10)))
    assert sum(bill is not None for bill in bills) == 3


async def test_a_call_over_midnight_is_settled_on_the_day_that_paid() -> None:
    """The new day begins with nothing spent."""
    budget, spending, clock = a_budget()
    bill = await budget.reserve("team:a", 300, 400)
    assert bill is not None
    clock.at += 24 * 3600
    budget.settle(bill)
    assert await budget.spent() == (0, 0)
    await budget.close()
    assert spending.book[DAY, "all"] == (300, 0)


async def test_without_a_database_nothing_is_spent() -> None:
    """Who cannot count does not call; a bill that cannot be settled breaks nothing."""
    budget, spending, _ = a_budget()
    bill = await budget.reserve("team:a", 300, 400)
    spending.down = True
    assert await budget.reserve("team:a", 300, 400) is None
    assert bill is not None
    budget.settle(bill)
    await budget.close()
    assert spending.book[DAY, "team:a"] == (700, 0)


async def test_a_reservation_that_nobody_waits_for_is_given_back() -> None:
    """The writer carries the job out though the turn was broken off: it must not stay spent."""
    budget, spending, _ = a_budget()
    spending.commit.clear()
    reserving = asyncio.create_task(budget.reserve("team:a", 300, 400))
    await asyncio.sleep(0)
    reserving.cancel()
    await asyncio.gather(reserving, return_exceptions=True)
    spending.commit.set()
    for _ in range(5):
        await asyncio.sleep(0)
    await budget.close()
    assert spending.book[DAY, "team:a"] == (0, 0)
