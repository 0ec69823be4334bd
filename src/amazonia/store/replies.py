"""Model replies: one flight of a key at a time, and a cache of those that are complete.

A row is `running`, `done` or `failed`. Only its owner may change a running one, and a row is taken
over only if it is still as it was when its owner was found dead: whoever comes back from the dead
finds the row another's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import orjson

from amazonia.errors import StoreDown
from amazonia.ports import Flight
from amazonia.store import statements as sql
from amazonia.store.database import Database, Put, Row, Tx
from amazonia.store.rows import dump

MOST_BYTES = 32 * 2**20
FAILED_FOR = 2.0
"""Seconds in which a failed flight is not tried again."""
USED_FOR = 60.0
"""Seconds in which a reply that is used again and again counts as used once."""
STUCK = 180.0
"""A flight that began so many seconds ago is nobody's, though its owner lives: no turn takes so
long (`TURN_DEADLINE` is at most 120), so its end was not written."""
FORGET_EVERY = 64
"""After so many flights that ended here, the cache is brought back to its bound."""
MOST_USED = 4096
"""At most so many uses wait to be written down."""
ROW_BYTES = 300
"""What a row takes in the file beside its text, its share of two indexes included; measured 280."""


class _Kept(NamedTuple):
    status: Literal["running", "done", "failed"]
    owner: str
    sentences: str
    used_at: float
    """When it was begun (`running`), failed, or last finished or used (`done`)."""


_How: TypeAlias = Literal["lead", "follow", "done", "failed"]
_HOW: Mapping[str, _How] = {"running": "follow", "done": "done", "failed": "failed"}


class StoredReplies:
    """The `Replies` port."""

    def __init__(
        self,
        database: Database,
        alive: Callable[[str], bool],
        most_bytes: int = MOST_BYTES,
        failed_for: float = FAILED_FOR,
    ) -> None:
        """Args:
        alive: whether the owner of a flight lives.
        most_bytes: bound of the complete replies in the file; each process may exceed it by the
            replies of `FORGET_EVERY` flights for a while.
        failed_for: seconds in which a failed flight is not tried again.
        """
        self._database = database
        self._alive = alive
        self._most_bytes = most_bytes
        self._failed_for = failed_for
        self._ended = 0
        self._used: dict[str, float] = {}

    async def claim(self, key: str, owner: str, at: float) -> Flight:
        """Lead the flight of a key if nobody who lives does; else what there is of it.

        Only a claim that leads writes. One that is cancelled meanwhile leads nothing.
        """
        while True:
            kept = await self._database.read(lambda tx: _kept(tx, key))
            if kept is not None and self._counts(kept, at):
                self._note_use(key, kept, at)
                return _flight(kept)
            if await self._take(key, kept, owner, at):
                return Flight("lead", (), owner)

    async def say(self, key: str, owner: str, sentences: Sequence[str]) -> bool:
        """Let other processes see all sentences so far; False if it is no longer the owner's."""
        values = {"name": key, "process": owner, "so_far": dump(sentences)}
        said = await self._database.write(lambda tx: tx.put(sql.say_reply, values))
        return said.count > 0

    async def finish(self, key: str, owner: str, sentences: Sequence[str], at: float) -> bool:
        """Keep the complete reply; False if it is no longer the owner's."""
        text = dump(sentences)
        size = len(text.encode()) + ROW_BYTES
        values = {"name": key, "process": owner, "so_far": text, "size": size, "now": at}
        used, self._used = self._used, {}

        def job(tx: Tx) -> Put:
            tx.run_many(sql.use_reply, ({"name": k, "now": when} for k, when in used.items()))
            return tx.put(sql.finish_reply, values)

        finished = await self._database.write(job)
        await self._end(at)
        return finished.count > 0

    async def give_up(self, key: str, owner: str, at: float, *, failed: bool) -> None:
        """End a flight without a reply; `failed` tells those who ask in the next moments."""
        values: dict[str, object] = {"name": key, "process": owner}
        if not failed:
            await self._database.write(lambda tx: tx.put(sql.abandon_reply, values))
            return
        values["now"] = at
        await self._database.write(lambda tx: tx.put(sql.fail_reply, values))
        await self._end(at)

    async def look(self, keys: Sequence[str]) -> Mapping[str, Flight]:
        """The flights of keys as they are stored; a key without one is absent."""

        def job(tx: Tx) -> dict[str, Flight]:
            kept = {key: _kept(tx, key) for key in keys}
            return {key: _flight(row) for key, row in kept.items() if row}

        return await self._database.read(job)

    async def clear(self) -> int:
        """Forget everything, running flights too; how many complete replies that were."""
        self._used.clear()

        def job(tx: Tx) -> int:
            row = tx.row(sql.complete_replies, {})
            tx.run(sql.forget_all_replies, {})
            return row[0] if row else 0

        return await self._database.write(job)

    # ── whose it is ─────────────────────────────────────────────────────────────────────────────

    def _counts(self, kept: _Kept, at: float) -> bool:
        """Whether a row still means something, so that nobody else may lead."""
        match kept.status:
            case "done":
                return True
            case "failed":
                return at - kept.used_at < self._failed_for
            case "running":
                return at - kept.used_at < STUCK and self._alive(kept.owner)

    async def _take(self, key: str, seen: _Kept | None, owner: str, at: float) -> bool:
        """Make the flight the owner's, unless somebody was faster; whether it did."""
        try:
            return await self._database.write(_taking(key, seen, owner, at))
        except asyncio.CancelledError:
            # The job may run all the same: left alone, its row would have followers and no leader.
            with contextlib.suppress(StoreDown):
                await self.give_up(key, owner, at, failed=False)
            raise

    # ── how much is kept ────────────────────────────────────────────────────────────────────────

    def _note_use(self, key: str, kept: _Kept, at: float) -> None:
        """Remember a use until the next reply is written: a hit should not wait for a commit."""
        lately = at - kept.used_at <= USED_FOR
        if kept.status == "done" and not lately and len(self._used) < MOST_USED:
            self._used[key] = at

    async def _end(self, at: float) -> None:
        """Count a flight that ended; at the first and now and then, make room."""
        self._ended += 1
        if self._ended % FORGET_EVERY == 1:
            with contextlib.suppress(StoreDown):  # the flight did end; there will be another time
                await self._forget(at)

    async def _forget(self, at: float) -> None:
        """Delete what nobody waits for, and the least recently used replies beyond the bound.

        What to delete is found by a reader, so that the writer is held up for the deletes alone.
        """
        excess = await self._database.read(self._excess)
        old = {"failed_before": at - self._failed_for, "begun_before": at - STUCK}

        def job(tx: Tx) -> None:
            tx.run(sql.forget_unfinished, old)
            tx.run_many(sql.forget_reply, ({"name": key} for key in excess))

        await self._database.write(job)

    def _excess(self, tx: Tx) -> list[str]:
        """The keys of the least recently used replies that are too many."""
        row = tx.row(sql.reply_bytes, {})
        beyond = (row[0] if row else 0) - self._most_bytes
        if beyond <= 0:
            return []
        keys = []
        for key, size in tx.rows(sql.least_used_replies, {"most": beyond // ROW_BYTES + 1}):
            if beyond <= 0:
                break
            keys.append(key)
            beyond -= size
        return keys


def _taking(key: str, seen: _Kept | None, owner: str, at: float) -> Callable[[Tx], bool]:
    """A job that takes a flight over if it is still as it was seen; whether it did."""

    def job(tx: Tx) -> bool:
        if _kept_of(tx.row(sql.reply_to_change, {"name": key})) != seen:
            return False
        change = sql.add_reply if seen is None else sql.take_reply
        tx.run(change, {"name": key, "process": owner, "now": at})
        return True

    return job


def _kept(tx: Tx, key: str) -> _Kept | None:
    return _kept_of(tx.row(sql.reply, {"name": key}))


def _kept_of(row: Row | None) -> _Kept | None:
    return _Kept(*row) if row else None


def _flight(kept: _Kept) -> Flight:
    return Flight(_HOW[kept.status], tuple(orjson.loads(kept.sentences)), kept.owner)
