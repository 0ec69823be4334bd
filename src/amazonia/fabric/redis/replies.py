"""Model replies in Redis: one flight of a key at a time, and a cache of those that are complete.

A flight is led by the process that its hash names, as long as that lives and renews its lease; only
its owner may change a running one. What happens to a flight happens in one script, so that nobody
comes in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import orjson

from amazonia.fabric.redis.link import Link, Lost
from amazonia.ports import Flight

MOST_BYTES = 64 * 2**20
"""Bound of the complete replies; beyond it, those go that were not used for the longest time."""
KEPT_FOR = 24 * 3600
"""Seconds after its last use for which a complete reply is kept."""
LEASE = 3.0
RENEW_EVERY = 1.0
"""Seconds for which a flight is its leader's, and after which they say that they still lead."""
FAILED_FOR = 2.0
"""Seconds in which a failed flight is not tried again."""
USED_FOR = 60.0
"""Seconds in which a reply that is used again and again counts as used once."""
ENTRY_BYTES = 400
"""What an entry takes in memory beside its text, about."""
SCANNED = 1000

CLAIM = """
local status, owner, said, at, size = unpack(redis.call(
  'HMGET', KEYS[1], 'status', 'owner', 'said', 'at', 'size'))
local me, now, failed_for, lease, used_for, kept_for, dead, name = unpack(ARGV)
if status == 'done' then
  if now - at > tonumber(used_for) then
    redis.call('HSET', KEYS[1], 'at', now)
    redis.call('PEXPIRE', KEYS[1], kept_for)
    redis.call('ZADD', KEYS[2], 'XX', now, name .. ' ' .. size)
  end
  return {status, owner, said}
end
if status == 'failed' and now - at < tonumber(failed_for)
  or status == 'running' and owner ~= dead and owner ~= me then
  return {status, owner, said}
end
redis.call('HSET', KEYS[1], 'status', 'running', 'owner', me, 'said', '[]', 'at', now)
redis.call('PEXPIRE', KEYS[1], lease)
return {'lead', me, '[]'}
"""
"""Lead a flight, unless somebody does who is neither dead nor the one who asks, or it is over.

Nothing is deleted first: after that a full Redis would refuse the script nothing more."""

IS_MINE = """
local status, owner = unpack(redis.call('HMGET', KEYS[1], 'status', 'owner'))
if status ~= 'running' or owner ~= ARGV[1] then
  return 0
end
"""
"""The fence: who lost a flight writes nothing."""

SAY = (
    IS_MINE
    + """
redis.call('HSET', KEYS[1], 'said', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
)

RENEW = IS_MINE + "return redis.call('PEXPIRE', KEYS[1], ARGV[2])"

FINISH = (
    IS_MINE
    + """
local me, said, now, size, most, kept_for, name, names = unpack(ARGV)
redis.call('HSET', KEYS[1], 'status', 'done', 'said', said, 'at', now, 'size', size)
redis.call('ZADD', KEYS[2], now, name .. ' ' .. size)
local bytes = redis.call('INCRBY', KEYS[3], size)
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, kept_for)
end
while bytes > tonumber(most) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then
    break
  end
  local old, freed = string.match(oldest, '^(.*) (%d+)$')
  redis.call('DEL', names .. old)
  bytes = redis.call('DECRBY', KEYS[3], freed)
end
return 1
"""
)

GIVE_UP = (
    IS_MINE
    + """
if ARGV[2] == '' then
  return redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'status', 'failed', 'said', '[]', 'at', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
)

_HOW: Mapping[str, Literal["lead", "follow", "done", "failed"]] = {
    "lead": "lead",
    "running": "follow",
    "done": "done",
    "failed": "failed",
}


class RedisReplies:
    """The `Replies` port; every method raises `Lost` when Redis does not answer well.

    Args:
        names: what our names in Redis begin with.
        epoch: the present age of caches. What was kept in another is not found.
        alive: whether the owner of a flight lives.
    """

    def __init__(
        self,
        link: Link,
        names: str,
        epoch: Callable[[], int],
        alive: Callable[[str], bool],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._link = link
        self._names = names
        self._epoch = epoch
        self._alive = alive
        self._most_bytes = most_bytes
        self._leading: dict[str, str] = {}
        """The flights that this process leads, with its name."""
        self._said: set[str] = set()
        """Those of them that said something since leases were renewed last: it renews theirs."""
        self._renewing: asyncio.Task[None] | None = None

    async def claim(self, key: str, owner: str, at: float) -> Flight:
        """Lead the flight of a key if nobody who lives does; else what there is of it."""
        dead = ""
        while True:
            flight = await self._claim(key, owner, at, dead)
            if flight.how != "follow" or flight.owner == dead or self._alive(flight.owner):
                return flight
            dead = flight.owner

    async def say(self, key: str, owner: str, sentences: Sequence[str]) -> bool:
        """Let other processes see all sentences so far; False if it is no longer the owner's."""
        said = await self._run(SAY, key, owner, orjson.dumps(sentences), _ms(LEASE))
        self._said.add(key)
        return bool(said)

    async def finish(self, key: str, owner: str, sentences: Sequence[str], at: float) -> bool:
        """Keep the complete reply; False if it is no longer the owner's."""
        self._leading.pop(key, None)
        said, kept_for = orjson.dumps(sentences), _ms(KEPT_FOR)
        size, base = len(said) + ENTRY_BYTES, self._base()
        values = (owner, said, at, size, self._most_bytes, kept_for, key, f"{base}reply:")
        return bool(await self._run(FINISH, key, *values, also=("used", "bytes")))

    async def give_up(self, key: str, owner: str, at: float, *, failed: bool) -> None:
        """End a flight without a reply; `failed` tells those who ask in the next moments."""
        self._leading.pop(key, None)
        await self._run(GIVE_UP, key, owner, at if failed else "", _ms(2 * FAILED_FOR))

    async def look(self, keys: Sequence[str]) -> Mapping[str, Flight]:
        """The flights of keys as they are stored, in one round trip."""
        fields = ("status", "owner", "said")
        asked = (("HMGET", f"{self._base()}reply:{key}", *fields) for key in keys)
        answers = await self._link.insist(*asked)
        found = zip(keys, answers, strict=True)
        return {key: _flight(answer) for key, answer in found if answer[0] is not None}

    async def clear(self) -> int:
        """Forget everything, running flights too; how many complete replies that were."""
        base = self._base()
        count = int(await self._link.ask("ZCARD", f"{base}used"))
        cursor = 0
        while True:
            command = ("SCAN", cursor, "MATCH", f"{base}*", "COUNT", SCANNED)
            cursor, keys = await self._link.ask(*command)
            if keys:
                await self._link.ask("UNLINK", *keys)
            if not cursor:
                return count

    # ── leading ─────────────────────────────────────────────────────────────────────────────────

    async def _claim(self, key: str, owner: str, at: float, dead: str) -> Flight:
        seconds = (FAILED_FOR, _ms(LEASE), USED_FOR, _ms(KEPT_FOR))
        try:
            answer = await self._run(CLAIM, key, owner, at, *seconds, dead, key, also=("used",))
        except (Lost, asyncio.CancelledError):
            # It may lead all the same: left alone, it would have followers and no leader.
            self._send(GIVE_UP, key, owner, "", 0)
            raise
        flight = _flight(answer)
        if flight.how == "lead":
            self._leading[key] = owner
            if self._renewing is None or self._renewing.done():
                self._renewing = asyncio.create_task(self._renew())
        return flight

    async def _renew(self) -> None:
        """Say again and again which flights are led here, as long as there are any."""
        while self._leading:
            await asyncio.sleep(RENEW_EVERY)
            said, self._said = self._said, set()
            due = [(key, owner) for key, owner in self._leading.items() if key not in said]
            renewals = (self._run(RENEW, key, owner, _ms(LEASE)) for key, owner in due)
            await asyncio.gather(*renewals, return_exceptions=True)

    async def close(self) -> None:
        """Lead nothing any more."""
        self._leading.clear()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _run(
        self, script: str, key: str, *values: str | bytes | float, also: tuple[str, ...] = ()
    ) -> Any:
        names = self._keys(key, *also)
        (answer,) = await self._link.insist(("EVAL", script, len(names), *names, *values))
        return answer

    def _send(self, script: str, key: str, *values: str | float) -> None:
        """Run a script whose outcome nobody waits for."""
        names = self._keys(key)
        self._link.send("EVAL", script, len(names), *names, *values)

    def _keys(self, key: str, *also: str) -> tuple[str, ...]:
        base = self._base()
        return (f"{base}reply:{key}", *(base + name for name in also))

    def _base(self) -> str:
        return f"{self._names}{self._epoch()}:"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _flight(answer: Sequence[bytes]) -> Flight:
    status, owner, said = answer
    how = _HOW[status.decode()]
    sentences = () if how in {"lead", "failed"} else tuple(orjson.loads(said))
    return Flight(how, sentences, owner.decode())
