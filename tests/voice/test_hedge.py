"""Two calls at once: whoever speaks first is heard, and the other is left at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from tests.voice.test_chain import FakeReply, Step

from amazonia.ports import VoiceFailed
from amazonia.voice.chain import Finish
from amazonia.voice.failures import ProviderFailed
from amazonia.voice.hedge import Open, race
from amazonia.voice.limits import Overloaded
from amazonia.voice.providers import Reply

SOON = 0.005


class Line:
    """A call that can be opened once."""

    def __init__(self, *steps: Step, refusal: Exception | None = None) -> None:
        self.state = "unused"
        self._steps = steps
        self._refusal = refusal

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Reply]:
        self.state = "open"
        try:
            if self._refusal is not None:
                raise self._refusal
            yield FakeReply(self._steps)
        finally:
            self.state = "closed"


def yes() -> bool:
    return True


def no() -> bool:
    return False


async def heard(first: Open, second: Open, may: Callable[[], bool] = yes) -> str:
    """What is heard of a race; its end as ``[reason]``."""
    text = ""
    async with asyncio.timeout(2), aclosing(race(first, second, SOON, may)) as pieces:
        async for piece in pieces:
            text += f"[{piece.finish}]" if isinstance(piece, Reply) else piece
    return text


async def test_a_fast_first_has_no_second() -> None:
    """Nobody else is asked."""
    first, second = Line("Olá. ", "Entra."), Line("Oi.")
    assert await heard(first.open, second.open) == "Olá. Entra.[stop]"
    assert (first.state, second.state) == ("closed", "unused")


async def test_a_slow_first_is_left_for_the_second() -> None:
    """The one that is not heard is closed as soon as the other speaks."""
    first, second = Line(asyncio.Event()), Line("Oi. ", Finish("length"))
    assert await heard(first.open, second.open) == "Oi. [length]"
    assert (first.state, second.state) == ("closed", "closed")


async def test_a_first_that_is_faster_after_all_is_heard() -> None:
    """The second is closed though it was begun."""
    go = asyncio.Event()

    def may() -> bool:
        go.set()
        return True

    first, second = Line(go, "Olá."), Line(asyncio.Event())
    assert await heard(first.open, second.open, may) == "Olá.[stop]"
    assert (first.state, second.state) == ("closed", "closed")


async def test_without_leave_there_is_no_second() -> None:
    """The first is waited for."""
    go = asyncio.Event()
    first, second = Line(go, "Olá."), Line("Oi.")
    asyncio.get_running_loop().call_later(4 * SOON, go.set)
    assert await heard(first.open, second.open, no) == "Olá.[stop]"
    assert second.state == "unused"


async def test_an_early_failure_is_the_races() -> None:
    """Then the chain decides who is next; the second is not begun."""
    first, second = Line(refusal=ProviderFailed("refused")), Line("Oi.")
    with pytest.raises(ProviderFailed, match="refused"):
        await heard(first.open, second.open)
    assert second.state == "unused"


@pytest.mark.parametrize("who", ["first", "second"])
async def test_a_late_failure_leaves_the_other(who: str) -> None:
    """Whichever of two fails, the other is heard."""
    go = asyncio.Event()
    asyncio.get_running_loop().call_later(4 * SOON, go.set)
    broken = Line(asyncio.Event(), ProviderFailed("server"))
    if who == "first":
        broken = Line(go, ProviderFailed("server"))
        assert await heard(broken.open, Line(go, go, "Oi.").open) == "Oi.[stop]"
    else:
        broken = Line(ProviderFailed("server"))
        assert await heard(Line(go, "Olá.").open, broken.open) == "Olá.[stop]"
    assert broken.state == "closed"


async def test_when_both_fail_the_race_does() -> None:
    """With what the last of them did."""
    go = asyncio.Event()
    asyncio.get_running_loop().call_later(4 * SOON, go.set)
    first, second = Line(go, ProviderFailed("cut")), Line(refusal=ProviderFailed("refused"))
    with pytest.raises(ProviderFailed, match="cut"):
        await heard(first.open, second.open)


async def test_who_breaks_off_while_heard_is_not_replaced() -> None:
    """What was heard of one is not carried on by another."""
    first = Line("Olá. ", ProviderFailed("cut"))
    with pytest.raises(ProviderFailed, match="cut"):
        await heard(first.open, Line("Oi.").open)


@pytest.mark.parametrize("moment", ["before a word", "after one"])
async def test_leaving_closes_both_at_once(moment: str) -> None:
    """Whether anything was said or not, no call outlives the race."""
    never = asyncio.Event()
    steps: tuple[Step, ...] = (never,) if moment == "before a word" else ("Olá. ", never)
    first, second = Line(*steps), Line(never)
    listening = asyncio.create_task(heard(first.open, second.open))
    await asyncio.sleep(4 * SOON)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert "open" not in (first.state, second.state)


@pytest.mark.parametrize("refusal", [Overloaded("no slot"), VoiceFailed("budget")])
@pytest.mark.parametrize("may", [yes, no])
async def test_a_call_that_was_never_made_does_not_hang_the_race(
    refusal: Exception, may: Callable[[], bool]
) -> None:
    """No slot, no money: the other is heard, or the race ends at once."""
    first, never = Line(refusal=refusal), Line(asyncio.Event())
    with pytest.raises((Overloaded, VoiceFailed)):
        async with asyncio.timeout(0.2), aclosing(race(first.open, never.open, SOON, may)) as said:
            await anext(said)
