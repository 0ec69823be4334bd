"""What is spent on providers by scope and day, in any database.

Purses are opened in one order, so that nobody waits for somebody who waits for them. `all` comes
last: everybody needs it, and so holds it for the shortest time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from amazonia.ports import Purse
from amazonia.store import statements as sql
from amazonia.store.database import Database, Row, Tx, hopefully


@dataclass(frozen=True, slots=True)
class StoredSpending:
    """The `Spending` port."""

    database: Database

    async def reserve(self, day: str, purses: Sequence[Purse], tokens: int, micros: int) -> bool:
        """Spend from every purse before a call, or from none if one would be overdrawn."""

        ordered = sorted(purses, key=lambda purse: purse.scope, reverse=True)

        def job(tx: Tx, lock: bool) -> bool:
            if lock:
                return _reserve(tx, day, ordered, tokens, micros)
            for purse in ordered:
                most = {"most_tokens": purse.tokens, "most_micros": purse.micros}
                tx.put(sql.pay, {**_more(day, purse.scope, tokens, micros), **most}, must=True)
            return True

        return await hopefully(self.database, job)

    async def settle(self, day: str, scopes: Sequence[str], tokens: int, micros: int) -> None:
        """Add to what was reserved; less than zero gives back what a call did not need."""

        def job(tx: Tx, lock: bool) -> None:
            for scope in sorted(scopes, reverse=True):
                if lock:
                    _spend(tx, day, scope, tokens, micros)
                else:
                    tx.put(sql.spend, _more(day, scope, tokens, micros), must=True)

        await hopefully(self.database, job)

    async def spent(self, day: str, scopes: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """Tokens and micros of every scope asked for."""
        return await self.database.read(
            lambda tx: {scope: _sums(tx.row(sql.spent, _of(day, scope))) for scope in scopes}
        )


def _reserve(tx: Tx, day: str, purses: Sequence[Purse], tokens: int, micros: int) -> bool:
    """The same with locks: it begins purses, and knows whether there is enough."""
    rows = [tx.row(sql.spent_to_change, _of(day, purse.scope)) for purse in purses]
    if not all(map(partial(_affords, tokens, micros), purses, rows)):
        return False
    for purse, row in zip(purses, rows, strict=True):
        # A purse that was empty is begun and not added to: if somebody else began it
        # meanwhile, what was found affordable may not be.
        change = sql.spend if row else sql.begin_spending
        tx.run(change, _more(day, purse.scope, tokens, micros))
    return True


def _affords(tokens: int, micros: int, purse: Purse, row: Row | None) -> bool:
    spent_tokens, spent_micros = _sums(row)
    return _within(spent_tokens + tokens, purse.tokens) and _within(
        spent_micros + micros, purse.micros
    )


def _within(amount: int, most: int) -> bool:
    return most == 0 or amount <= most


def _sums(row: Row | None) -> tuple[int, int]:
    return (row[0], row[1]) if row else (0, 0)


def _spend(tx: Tx, day: str, scope: str, tokens: int, micros: int) -> None:
    values = _more(day, scope, tokens, micros)
    if not tx.run(sql.spend, values):
        tx.run(sql.begin_spending, values)


def _of(day: str, scope: str) -> dict[str, object]:
    return {"date": day, "purse": scope}


def _more(day: str, scope: str, tokens: int, micros: int) -> dict[str, object]:
    return {**_of(day, scope), "more_tokens": tokens, "more_micros": micros}
