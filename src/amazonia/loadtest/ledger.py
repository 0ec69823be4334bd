"""The players' own book of what they were told, held against what the game has kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from amazonia.loadtest.figures import Turn

AT_ONCE = 16
TRIES = 20

Talk = tuple[str, str]
"""A team and the character it talked to."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What does not agree; each is a line that says what.

    Attributes:
        lost: turns that were accepted and are not there, or without a reply, or with another.
        doubled: questions that were asked once and are there more than once.
        kept: how many turns the game has.
    """

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    kept: int


async def audit(url: str, turns: Sequence[Turn]) -> Audit:
    """Read every conversation as its team would, and compare.

    Args:
        turns: of players who resume, with what they kept.

    Raises:
        aiohttp.ClientError: the game cannot be read.
    """
    talks: dict[Talk, list[Turn]] = {}
    for turn in turns:
        talks.setdefault((turn.team, turn.character), []).append(turn)
    places = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=30.0)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as http:

        async def one(talk: Talk) -> Audit:
            async with places:
                return compare(talks[talk], await _history(http, url, *talk))

        return _all(await asyncio.gather(*map(one, talks)))


def compare(told: Iterable[Turn], kept: Sequence[Mapping[str, Any]]) -> Audit:
    """Compare what players were told in a conversation with the game's history of it."""
    by_id = {str(turn["turn_id"]): turn for turn in kept}
    lost = [fault for turn in told if turn.turn and (fault := _fault(turn, by_id.get(turn.turn)))]
    times = Counter(str(turn["message"]) for turn in kept)
    doubled = [f"{count} times: {message}" for message, count in times.items() if count > 1]
    return Audit(tuple(lost), tuple(doubled), len(kept))


def _fault(told: Turn, kept: Mapping[str, Any] | None) -> str:
    """Why a turn counts as lost, or nothing."""
    if kept is None:
        return f"{told.turn} is not there"
    if kept["message"] != told.message:
        return f"{told.turn} is another question"
    if not str(kept["reply"]).strip():
        return f"{told.turn} has no reply"
    if told.whole is not None and kept["reply"] != told.reply:
        return f"{told.turn} has another reply than was told"
    return ""


def _all(audits: Iterable[Audit]) -> Audit:
    audits = list(audits)
    return Audit(
        lost=tuple(line for one in audits for line in one.lost),
        doubled=tuple(line for one in audits for line in one.doubled),
        kept=sum(one.kept for one in audits),
    )


async def _history(
    http: aiohttp.ClientSession, url: str, team: str, character: str
) -> list[dict[str, Any]]:
    where = f"{url}/api/history/{character}"
    status = 0
    for _ in range(TRIES):
        async with http.get(where, headers={"Cookie": team}) as answer:
            if answer.status == 200:
                return list(orjson.loads(await answer.read()))
            status = answer.status
            await asyncio.sleep(float(answer.headers.get("Retry-After", "0.2")))
    raise aiohttp.ClientError(f"{where} cannot be read: {status}")
