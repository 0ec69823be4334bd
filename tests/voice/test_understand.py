"""A second opinion: a number of the list, none of them, or nothing at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.voice.test_budget import ManualClock
from tests.voice.test_chain import FakeProvider, Step, World
from tests.voice.test_flights import FakeOwners, MemoryReplies
from tests.worlds import mini_library, new_team

from amazonia.domain.case import CharacterId, TopicId
from amazonia.fabric.watch import Watch
from amazonia.ports import Flight, Unclear
from amazonia.voice.breaker import Breaker
from amazonia.voice.budget import Allowance
from amazonia.voice.deadline import Deadline
from amazonia.voice.failures import ProviderFailed
from amazonia.voice.flights import Flights
from amazonia.voice.understand import ModelUnderstanding

BOLO, FORNO = TopicId("bolo"), TopicId("forno")
TOPICS = {BOLO: "do bolo que sumiu", FORNO: "da hora do forno"}


def unclear(key: str = "e a hora?", spender: str = "team:a") -> Unclear:
    return Unclear(
        case=mini_library().case("mini"),
        lang=new_team().lang,
        character=CharacterId("cida"),
        message=key,
        key=key,
        topics=TOPICS,
        spender=spender,
    )


class Room:
    """A second opinion over a fake provider."""

    def __init__(self, *answers: list[Step], allowance: Allowance | None = None) -> None:
        self.provider = FakeProvider("a", *answers)
        self.world = World([self.provider], allowance=allowance or Allowance())
        self.replies = MemoryReplies()
        watch = Watch(self.replies.look, 0.001)
        owners = FakeOwners("p1", self.replies.dead)
        self.flights = Flights(self.replies, watch, owners, ManualClock())
        self.breaker = Breaker(self.world.clock.monotonic, least=2, window=4)
        self.mind = ModelUnderstanding(self.world.chain, self.flights, self.breaker)

    async def choose(self, question: Unclear | None = None, seconds: float = 18.0) -> object:
        """The opinion; it has to be there soon after the deadline."""
        question = question or unclear()
        deadline = Deadline.after(seconds, asyncio.get_running_loop().time)
        async with asyncio.timeout(min(seconds, 1.5) + 0.2):
            return await self.mind.choose(question, deadline)


@pytest.mark.parametrize("answer", ["2", " 2.", "«2»", "2)", "02", "(2)\n"])
async def test_a_number_is_a_topic(answer: str) -> None:
    """With or without the marks that models put around it."""
    room = Room([answer])
    assert await room.choose() == [FORNO]


@pytest.mark.parametrize("answer", ["none", "None.", "nenhum", "Nenhuma.", "nada"])
async def test_none_is_none_of_them(answer: str) -> None:
    """In either language."""
    assert await Room([answer]).choose() == []


@pytest.mark.parametrize(
    "answer", ["", "0", "3", "1 2", "1.5", "forno", "2 porque sim", "none of these", "9999", "²"]
)
async def test_nonsense_says_nothing(answer: str) -> None:
    """The director's own reading stands."""
    assert await Room([answer or " "]).choose() is None


async def test_a_question_is_put_once() -> None:
    """Other teams share the answer; another question is another."""
    room = Room(["2"], ["1"])
    opinions = await asyncio.gather(
        *(room.choose(unclear(spender=f"team:{name}")) for name in "abc")
    )
    assert opinions == [[FORNO]] * 3
    await room.flights.settle()
    assert await room.choose() == [FORNO]
    assert await room.choose(unclear("e o outro?")) == [BOLO]
    assert len(room.provider.asked) == 2


async def test_what_is_open_is_part_of_the_question() -> None:
    """A number means another topic to a team with another list."""
    room = Room(["2"], ["1"])
    assert await room.choose() == [FORNO]
    assert await room.choose(replace(unclear(), topics={FORNO: TOPICS[FORNO]})) == [FORNO]
    assert len(room.provider.asked) == 2


async def test_the_model_is_told_labels_and_no_ids() -> None:
    """By number; it answers briefly and without fancy."""
    room = Room(["2"])
    await room.choose()
    (asked,) = room.provider.asked
    text = "\n".join(message.content for message in asked.messages)
    assert "1: do bolo que sumiu\n2: da hora do forno" in text
    assert (asked.max_tokens, asked.temperature) == (16, 0.0)


async def test_it_has_a_second_and_a_half_of_the_deadline() -> None:
    """Or what is left of it; the provider a little less, so that its lateness is its own."""
    room = Room(["2"])
    await room.choose()
    assert room.provider.left == [1.4]
    room = Room(["2"])
    await room.choose(seconds=0.5)
    assert room.provider.left == [pytest.approx(0.5, abs=0.1)]


async def test_too_slow_says_nothing_and_soon_nobody_is_asked() -> None:
    """A breaker of its own stops asking; the provider may go on speaking."""
    room = Room([ProviderFailed("overtime")])
    for i in range(4):
        assert await room.choose(unclear(f"e {i}?")) is None
    assert len(room.provider.asked) == 2
    assert room.world.chain.is_ready


async def test_after_a_while_one_question_probes() -> None:
    """Its success lets the others in again."""
    room = Room([ProviderFailed("overtime")], [ProviderFailed("overtime")], ["2"])
    for i in range(3):
        assert await room.choose(unclear(f"e {i}?")) is None
    room.world.clock.at += 5
    assert await room.choose(unclear("e agora?")) == [FORNO]
    assert await room.choose(unclear("e depois?")) == [FORNO]


async def test_a_provider_that_is_down_is_not_asked() -> None:
    """Nor waited for."""
    room = Room(["2"])
    room.world.break_(0)
    assert await room.choose() is None
    assert room.provider.asked == []


async def test_leaving_tells_its_breaker_nothing() -> None:
    """And closes the call."""
    room = Room([asyncio.Event()])
    asking = asyncio.create_task(room.choose())
    await asyncio.sleep(0.01)
    assert room.provider.open == 1
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(0.01)
    assert room.provider.open == 0
    assert room.breaker.view().calls == 0


async def test_without_a_store_it_is_asked_all_the_same() -> None:
    """The answer is not shared then."""
    room = Room(["2"])
    room.replies.down = True
    assert await room.choose() == [FORNO]


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


@pytest.mark.parametrize("what", ["the store", "the purse", "a stopped leader"])
async def test_it_is_in_time_whatever_hangs(what: str) -> None:
    """The question is not accepted before this returns: no stage of it may take longer."""
    room = Room(["2"])
    if what == "the store":
        room.replies.commit.clear()
    elif what == "the purse":
        room.world.spending.commit.clear()
    else:
        claim = Flight("follow", (), "p2")
        await room.choose()
        await room.flights.settle()
        room.replies.rows = dict.fromkeys(room.replies.rows, claim)
    assert await room.choose(seconds=0.1) is None


async def test_a_team_without_money_stops_nobody_else() -> None:
    """Its questions are not the provider's failures."""
    room = Room(["2"], allowance=Allowance(team_tokens=1))
    for i in range(4):
        assert await room.choose(unclear(f"e {i}?")) is None
    assert room.breaker.state == "closed"
