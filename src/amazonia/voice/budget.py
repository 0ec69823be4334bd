"""What may be spent on models: tokens and money, a day, by team, by class and in all.

The most that a call can cost is reserved before it and what it did cost is settled after it, so
that many calls at once cannot overdraw together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from amazonia.errors import StoreDown
from amazonia.ports import Clock, Purse, Spending
from amazonia.voice.providers import Usage

log = structlog.get_logger()

T = TypeVar("T")

EVERYBODY = "all"
CHARACTERS_PER_TOKEN = 3
"""Fewer than a token has in Portuguese, so that an estimate is rather too high."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that may be spent in a day; 0 for no limit.

    Attributes:
        cost: in the currency of the prices.
        prompt_price: per million tokens; `reply_price` likewise.
    """

    team_tokens: int = 0
    class_tokens: int = 0
    tokens: int = 0
    cost: float = 0.0
    prompt_price: float = 0.0
    reply_price: float = 0.0

    def micros(self, prompt: int, reply: int) -> int:
        """What tokens cost, in millionths of the currency."""
        return round(prompt * self.prompt_price + reply * self.reply_price)


@dataclass(slots=True)
class Bill:
    """A call that is being paid for.

    Attributes:
        prompt: tokens of the prompt, by estimate.
        tokens: reserved in all; `micros` likewise.
        said: characters that were received.
        is_free: the provider did not take the call.
        usage: what the provider says that it was, once it says so.
    """

    day: str
    scopes: tuple[str, ...]
    prompt: int
    tokens: int
    micros: int
    said: int = 0
    is_free: bool = False
    usage: Usage | None = None

    def used(self) -> Usage:
        """What was used: counted by the provider, or estimated from what was received."""
        if self.is_free:
            return Usage(0, 0)
        return self.usage or Usage(self.prompt, -(-self.said // CHARACTERS_PER_TOKEN))


@dataclass(frozen=True, slots=True)
class Budget:
    """Keeps calls within the allowance."""

    spending: Spending
    allowance: Allowance
    clock: Clock
    _writing: set[asyncio.Task[Any]] = field(default_factory=set)

    async def reserve(self, spender: str, prompt: int, most: int) -> Bill | None:
        """Reserve what a call may cost at most; None if there is not enough left.

        Args:
            spender: the scopes that pay, by spaces, such as ``team:x class:y``.
            prompt: tokens of the prompt.
            most: tokens of the longest reply.
        """
        tokens, micros = prompt + most, self.allowance.micros(prompt, most)
        scopes = (*spender.split(), EVERYBODY)
        bill = Bill(self.today(), scopes, prompt, tokens, micros)
        reserving = self._later(self._reserve(bill))
        try:
            enough = await asyncio.shield(reserving)
        except asyncio.CancelledError:  # the write goes on without us: give back what it takes
            self._later(self._give_back(bill, reserving))
            raise
        return bill if enough else None

    def settle(self, bill: Bill) -> None:
        """Give back, soon, what of a bill was not used."""
        used = bill.used()
        tokens = used.prompt + used.completion - bill.tokens
        micros = self.allowance.micros(used.prompt, used.completion) - bill.micros
        self._later(self._settle(bill, tokens, micros))

    async def spent(self) -> tuple[int, int]:
        """Tokens and millionths of the currency spent today by everybody."""
        spent = await self.spending.spent(self.today(), [EVERYBODY])
        return spent.get(EVERYBODY, (0, 0))

    async def close(self) -> None:
        """Wait until every bill is settled."""
        while self._writing:
            await asyncio.gather(*self._writing, return_exceptions=True)

    def today(self) -> str:
        """The day that is paid for, in UTC: 2026-11-22."""
        return datetime.fromtimestamp(self.clock.now(), UTC).date().isoformat()

    async def _reserve(self, bill: Bill) -> bool:
        try:
            purses = [self._purse(scope) for scope in bill.scopes]
            return await self.spending.reserve(bill.day, purses, bill.tokens, bill.micros)
        except StoreDown:
            return False

    async def _give_back(self, bill: Bill, reserving: asyncio.Task[bool]) -> None:
        if await reserving:
            await self._settle(bill, -bill.tokens, -bill.micros)

    def _later(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _settle(self, bill: Bill, tokens: int, micros: int) -> None:
        try:
            await self.spending.settle(bill.day, bill.scopes, tokens, micros)
        except StoreDown:
            log.warning("budget.unsettled", tokens=tokens)

    def _purse(self, scope: str) -> Purse:
        allowed = self.allowance
        if scope == EVERYBODY:
            return Purse(scope, allowed.tokens, round(allowed.cost * 1e6))
        return Purse(
            scope, allowed.team_tokens if scope.startswith("team:") else allowed.class_tokens, 0
        )
