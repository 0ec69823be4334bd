"""Token buckets in Redis: all processes count together, by Redis's clock."""

from __future__ import annotations

from contextlib import suppress

from amazonia.fabric.redis.link import Link, Lost
from amazonia.ports import Limits

TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local every, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + every
local over = full_at - now - burst * every
if over > 0.000001 then
  return string.format('%.6f', over)
end
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000))
return '0'
"""


GIVE_BACK = """
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0') - tonumber(ARGV[1])
local now = redis.call('TIME')
local left = full_at - now[1] - now[2] / 1000000
if left > 0 then
  redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil(left * 1000))
else
  redis.call('DEL', KEYS[1])
end
"""


class RedisLimits:
    """The `Limits` port.

    Args:
        here: the buckets of this process alone. What they refuse Redis need not be asked about,
            and they count on while it is lost.
    """

    def __init__(self, link: Link, names: str, here: Limits) -> None:
        self._link = link
        self._names = f"{names}limit:"
        self._here = here

    async def wait(self, key: str, every: float, burst: int) -> float:
        """Take one from the key's bucket; 0.0, or the seconds until there is one to take."""
        over = await self._here.wait(key, every, burst)
        if over:
            return over
        try:
            return float(await self._link.ask("EVAL", TAKE, 1, self._names + key, every, burst))
        except Lost:
            return 0.0

    async def give_back(self, key: str, every: float) -> None:
        """Put back the one that was taken: it turned out not to count."""
        await self._here.give_back(key, every)
        with suppress(Lost):
            await self._link.ask("EVAL", GIVE_BACK, 1, self._names + key, every)
