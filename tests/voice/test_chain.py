"""The chain: who is asked, how often, and what is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from tests.voice.test_budget import DAY, MemorySpending

from amazonia.ports import VoiceFailed
from amazonia.voice.breaker import Breaker
from amazonia.voice.budget import Allowance, Budget
from amazonia.voice.chain import Ask, Chain, Channel, Finish, Piece, Timers
from amazonia.voice.deadline import Deadline
from amazonia.voice.failures import Kind, ProviderFailed
from amazonia.voice.limits import Concurrency, RetryBudget
from amazonia.voice.providers import Endpoint, Message, Provider, Reply, Request, Usage

Step = str | ProviderFailed | asyncio.Event | Usage | Finish
"""What a reply does next: says something, fails, waits, tells its usage, names its end."""
QUESTION = Request((Message("user", "e o bolo?"),), 100)


class FakeReply(Reply):
    """A reply that does what it is told."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.finish = ""
        self.usage = None
        self.first_after = None
        self._length = 0
        self._steps = iter(steps)

    async def __anext__(self) -> str:
        for step in self._steps:
            match step:
                case str():
                    self._length += len(step)
                    return step
                case asyncio.Event():
                    await step.wait()
                case Usage():
                    self.usage = step
                case Finish(reason):
                    self.finish = reason
                case ProviderFailed():
                    step.partial = self._length > 0
                    raise step
        self.finish = self.finish or "stop"
        raise StopAsyncIteration


class FakeProvider(Provider):
    """A provider whose calls do, one after the other, what they are told; the last one for good.

    A call that begins with a failure fails before there is a reply.
    """

    def __init__(self, name: str, *calls: Sequence[Step]) -> None:
        self.endpoint = Endpoint(name, f"http://{name}.test/v1", "m")
        self.asked: list[Request] = []
        self.left: list[float] = []
        self.open = self.peak = 0
        self._calls = list(calls)

    @asynccontextmanager
    async def call(
        self, request: Request, *, first: float, gap: float, left: float
    ) -> AsyncIterator[Reply]:
        self.asked.append(request)
        self.left.append(left)
        steps = self._calls.pop(0) if len(self._calls) > 1 else self._calls[0]
        if steps and isinstance(steps[0], ProviderFailed):
            raise ProviderFailed(
                steps[0].kind, status=steps[0].status, retry_after=steps[0].retry_after
            )
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            yield FakeReply(steps)
        finally:
            self.open -= 1


class NoChance:
    """The `Chance` port without any."""

    def number(self, below: int) -> int:
        return 0

    def token(self, alphabet: str, length: int) -> str:
        return alphabet[0] * length


class Clock:
    """Time that a test moves; with a loop, time that passes by itself."""

    def __init__(self, *, ticks: bool = False) -> None:
        self.at = 1000.0
        self._ticks = ticks

    def now(self) -> float:
        return 1_763_812_800.0

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() if self._ticks else self.at


@dataclass
class World:
    """A chain over fake providers."""

    providers: Sequence[FakeProvider]
    retries: int = 1
    hedge: float = 0.0
    slots: int = 10
    clock: Clock = field(default_factory=Clock)
    allowance: Allowance = field(default_factory=Allowance)
    spare: RetryBudget = field(default_factory=RetryBudget)
    spending: MemorySpending = field(default_factory=MemorySpending)

    def __post_init__(self) -> None:
        now = self.clock.monotonic
        self.chain = Chain(
            channels=[
                Channel(
                    provider,
                    Breaker(now, window=4, least=2, cool=4.0),
                    Concurrency(now, start=self.slots, least=1, most=50),
                )
                for provider in self.providers
            ],
            timers=Timers(hedge=self.hedge),
            retries=self.retries,
            spare=self.spare,
            extra=RetryBudget(floor=3),
            budget=Budget(self.spending, self.allowance, self.clock),
            chance=NoChance(),
            monotonic=now,
        )

    def stream(
        self, shown: Callable[[], bool] = lambda: False, seconds: float = 18.0
    ) -> AsyncIterator[Piece]:
        deadline = Deadline.after(seconds, self.clock.monotonic)
        return self.chain.stream(ASK, deadline, shown)

    async def hear(
        self, shown: Callable[[], bool] = lambda: False, seconds: float = 18.0
    ) -> list[Piece]:
        deadline = Deadline.after(seconds, self.clock.monotonic)
        async with (
            asyncio.timeout(5),
            aclosing(self.chain.stream(ASK, deadline, shown)) as pieces,
        ):
            return [piece async for piece in pieces]

    async def spent(self) -> int:
        """Tokens that stay spent once all is settled."""
        await self.chain.close()
        return self.spending.book.get((DAY, "team:a"), (0, 0))[0]

    def break_(self, index: int) -> None:
        """Open a provider's breaker."""
        for _ in range(2):
            self.chain.channels[index].breaker.failed("server")


ASK = Ask(QUESTION, 50, "team:a", "turn")
REFUSED = [ProviderFailed("refused")]
GOOD: list[Step] = ["Olá. ", "Entra.", Usage(40, 7)]
SAID: list[Piece] = ["Olá. ", "Entra.", Finish("stop")]


async def test_the_first_provider_is_asked_first() -> None:
    """The others are not asked at all, and what it cost is settled."""
    world = World([FakeProvider("a", GOOD), FakeProvider("b", GOOD)])
    assert await world.hear() == SAID
    assert [len(p.asked) for p in world.providers] == [1, 0]
    assert await world.spent() == 47


@pytest.mark.parametrize("kind", ["refused", "silent", "server", "garbage", "unauthorized"])
async def test_a_failure_before_a_word_goes_to_the_next(kind: Kind) -> None:
    """In order; None tells that what came before is void."""
    world = World([FakeProvider("a", [ProviderFailed(kind)]), FakeProvider("b", GOOD)])
    assert await world.hear() == [None, *SAID]
    assert [len(p.asked) for p in world.providers] == [1, 1]


async def test_words_that_nobody_was_shown_are_void() -> None:
    """A provider that breaks off before a sentence was whole is replaced."""
    world = World([FakeProvider("a", ["Eu v", ProviderFailed("cut")]), FakeProvider("b", GOOD)])
    assert await world.hear() == ["Eu v", None, *SAID]


async def test_nothing_is_tried_again_after_a_sentence_was_shown() -> None:
    """Neither another provider nor the same."""
    broken = FakeProvider("a", ["Olá. Eu v", ProviderFailed("cut")])
    world = World([broken, FakeProvider("b", GOOD)])
    with pytest.raises(VoiceFailed) as failed:
        await world.hear(shown=lambda: True)
    assert failed.value.reason == "cut"
    assert [len(p.asked) for p in world.providers] == [1, 0]


async def test_a_single_provider_is_asked_again_once() -> None:
    """After a short pause, and no more often than a turn may."""
    world = World([FakeProvider("a", REFUSED, GOOD)])
    assert await world.hear() == [None, *SAID]
    world = World([FakeProvider("a", REFUSED)], retries=0)
    with pytest.raises(VoiceFailed, match="refused"):
        await world.hear()
    assert len(world.providers[0].asked) == 1


async def test_retries_have_a_budget_of_the_process() -> None:
    """When it is spent, a failure is final."""
    world = World([FakeProvider("a", REFUSED)], spare=RetryBudget(ratio=0, floor=0))
    with pytest.raises(VoiceFailed, match="refused"):
        await world.hear()
    assert len(world.providers[0].asked) == 1


@pytest.mark.parametrize("kind", ["silent", "stalled", "too_long", "filtered", "bad_request"])
async def test_some_failures_are_not_worth_another_call(kind: Kind) -> None:
    """The same call would fare the same, or there is no time."""
    world = World([FakeProvider("a", [ProviderFailed(kind)], GOOD)])
    with pytest.raises(VoiceFailed, match=kind):
        await world.hear()
    assert len(world.providers[0].asked) == 1


async def test_retry_after_that_fits_is_waited_for() -> None:
    """The provider is asked again when it said, by the one call that its breaker lets in."""
    limited = [ProviderFailed("rate_limited", status=429, retry_after=0.02)]
    world = World([FakeProvider("a", limited, GOOD)], clock=Clock(ticks=True))
    assert await world.hear() == [None, *SAID]
    assert world.chain.is_ready


async def test_retry_after_that_does_not_fit_parks_the_provider() -> None:
    """The turn gives up at once; the provider is left alone as long as it asked."""
    limited = [ProviderFailed("rate_limited", status=429, retry_after=30.0)]
    world = World([FakeProvider("a", limited, GOOD)])
    with pytest.raises(VoiceFailed, match="rate_limited"):
        await world.hear()
    assert not world.chain.is_ready
    assert world.chain.view()[0]["state"] == "parked"
    assert world.chain.view()[0]["retry_in_s"] == 30.0


async def test_a_refused_key_parks_the_provider() -> None:
    """It is not asked again for minutes, and the health page tells why."""
    world = World([FakeProvider("a", [ProviderFailed("unauthorized", status=401)])])
    with pytest.raises(VoiceFailed, match="unauthorized"):
        await world.hear()
    view = world.chain.view()[0]
    assert (view["state"], view["why"], view["retry_in_s"]) == ("parked", "unauthorized", 300.0)


async def test_an_open_breaker_is_passed_over() -> None:
    """At once, and without a call, for the next provider."""
    world = World([FakeProvider("a", GOOD), FakeProvider("b", GOOD)])
    world.break_(0)
    assert await world.hear() == SAID
    assert [len(p.asked) for p in world.providers] == [0, 1]
    world.break_(1)
    with pytest.raises(VoiceFailed, match="no_provider"):
        await world.hear()


async def test_one_probe_at_a_time_in_the_background() -> None:
    """A player does not wait for it; its success brings the provider back."""
    go = asyncio.Event()
    world = World([FakeProvider("a", [go, *GOOD]), FakeProvider("b", GOOD)])
    world.break_(0)
    world.clock.at += 5
    for _ in range(3):
        assert await world.hear() == SAID
    await asyncio.sleep(0.01)
    first = world.providers[0]
    assert (len(first.asked), first.asked[0].max_tokens) == (1, 16)
    go.set()
    await asyncio.gather(*world.chain.channels[0].probing)
    assert world.chain.channels[0].is_ready
    await world.chain.close()


async def test_a_probe_that_fails_leaves_the_provider_alone_for_longer() -> None:
    """The next one comes after twice the time."""
    world = World([FakeProvider("a", REFUSED)])
    world.break_(0)
    for wait, asked in ((5, 1), (5, 1), (5, 2)):
        world.clock.at += wait
        world.chain.probe(ASK)
        await asyncio.gather(*world.chain.channels[0].probing)
        assert len(world.providers[0].asked) == asked


async def test_a_probe_that_is_broken_off_lets_another_in() -> None:
    """Closing the chain, say, tells nothing about the provider."""
    world = World([FakeProvider("a", [asyncio.Event()])])
    world.break_(0)
    world.clock.at += 5
    world.chain.probe(ASK)
    await asyncio.sleep(0.01)
    assert world.providers[0].open == 1
    assert await world.spent() == 50
    assert world.providers[0].open == 0
    assert world.chain.channels[0].breaker.admit() == "probe"


async def test_without_money_nobody_is_asked() -> None:
    """Not the next provider either: it is the same purse."""
    world = World([FakeProvider("a", GOOD), FakeProvider("b", GOOD)], allowance=Allowance(149))
    with pytest.raises(VoiceFailed) as failed:
        await world.hear()
    assert failed.value.reason == "budget"
    assert [len(p.asked) for p in world.providers] == [0, 0]
    assert world.chain.channels[0].slots.in_flight == 0


@pytest.mark.parametrize("hedge", [0.0, 0.005])
async def test_breaking_off_leaves_nothing_behind(hedge: float) -> None:
    """No call, no slot, no reservation, and no word about the provider."""
    never = asyncio.Event()
    world = World([FakeProvider("a", ["Olá", never]), FakeProvider("b", GOOD)], hedge=hedge)
    listening = asyncio.create_task(world.hear())
    await asyncio.sleep(0.03)
    assert world.providers[0].open == 1
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    channel = world.chain.channels[0]
    assert (world.providers[0].open, channel.slots.in_flight) == (0, 0)
    assert channel.breaker.view().calls == 0
    assert await world.spent() == 50 + 1


async def test_a_busy_provider_is_passed_over() -> None:
    """After a moment in its queue."""
    never = asyncio.Event()
    world = World([FakeProvider("a", [never]), FakeProvider("b", GOOD)], slots=1)
    waiting = asyncio.create_task(world.hear())
    await asyncio.sleep(0.01)
    assert await world.hear() == [None, *SAID]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await world.spent() == 47 + 50


async def test_a_slow_first_is_hedged() -> None:
    """Both were paid for; the one that was left is closed."""
    world = World([FakeProvider("a", [asyncio.Event()]), FakeProvider("b", GOOD)], hedge=0.005)
    assert await world.hear() == SAID
    assert [p.open for p in world.providers] == [0, 0]
    assert await world.spent() == 47 + 50


async def test_hedges_stop_in_a_brown_out() -> None:
    """A second provider that fails often is no help: the first is waited for."""
    go = asyncio.Event()
    world = World([FakeProvider("a", [go, *GOOD]), FakeProvider("b", GOOD)], hedge=0.005)
    world.chain.channels[1].breaker.failed("server")
    asyncio.get_running_loop().call_later(0.03, go.set)
    assert await world.hear() == SAID
    assert [len(p.asked) for p in world.providers] == [1, 0]


async def test_success_and_failure_are_told_to_the_breaker() -> None:
    """Once a call."""
    world = World([FakeProvider("a", REFUSED, GOOD)])
    await world.hear()
    view = world.chain.channels[0].breaker.view()
    assert (view.calls, view.failures) == (2, 1)


async def test_an_answer_is_one_call() -> None:
    """Of the first that is ready; its failure is the answer's."""
    world = World([FakeProvider("a", ["2", Usage(40, 1)]), FakeProvider("b", GOOD)])
    assert await world.chain.answer(ASK, 1.5) == "2"
    assert world.providers[0].left == [1.5]
    world.break_(0)
    world.break_(1)
    with pytest.raises(VoiceFailed, match="no_provider"):
        await world.chain.answer(ASK, 1.5)


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


async def test_a_busy_first_does_not_hang_a_hedged_turn() -> None:
    """It is passed over for the next, as without hedging."""
    world = World(
        [FakeProvider("a", [asyncio.Event()]), FakeProvider("b", GOOD)], slots=1, hedge=0.005
    )
    async with world.chain.channels[0].slots.slot(0), asyncio.timeout(1.5):
        assert await world.hear() == [None, *SAID]


async def test_an_empty_purse_does_not_hang_a_hedged_turn() -> None:
    """The turn fails at once."""
    purse = Allowance(149)
    world = World([FakeProvider("a", GOOD), FakeProvider("b", GOOD)], allowance=purse, hedge=0.005)
    with pytest.raises(VoiceFailed, match="budget"):
        async with asyncio.timeout(0.5):
            await world.hear()


async def test_a_hedged_probe_is_reported() -> None:
    """Else its breaker lets no call in for the rest of the process's life."""
    limited = [ProviderFailed("rate_limited", retry_after=0.05)]
    world = World(
        [FakeProvider("a", limited, GOOD), FakeProvider("b", GOOD)],
        hedge=1.0,
        clock=Clock(ticks=True),
    )
    other = world.chain.channels[1].breaker
    other.park(0.02, "rate_limited")

    async def comes_back() -> None:
        await asyncio.sleep(0.03)
        assert other.admit() == "probe"
        other.succeeded(probe=True)

    back = asyncio.create_task(comes_back())
    assert await world.hear() == [None, *SAID]
    await back
    assert world.chain.channels[0].is_ready


async def test_a_provider_is_given_the_time_that_is_left() -> None:
    """What the queue for a slot and the reservation took is gone."""
    world = World([FakeProvider("a", GOOD)])
    world.spending.commit.clear()
    hearing = asyncio.create_task(world.hear(seconds=10))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.clock.at += 4
    world.spending.commit.set()
    await hearing
    assert world.providers[0].left == [6.0]


async def test_a_parked_provider_is_not_waited_for() -> None:
    """A 429 that names no time parks it for longer than the pause: the turn gives up at once."""
    world = World([FakeProvider("a", [ProviderFailed("rate_limited", status=429)])])
    began = asyncio.get_running_loop().time()
    with pytest.raises(VoiceFailed, match="rate_limited"):
        await world.hear()
    assert asyncio.get_running_loop().time() - began < 0.1


async def test_an_answer_is_in_time_though_the_database_hangs() -> None:
    """The seconds cover the reservation too."""
    world = World([FakeProvider("a", ["2"])])
    world.spending.commit.clear()
    with pytest.raises(VoiceFailed):
        async with asyncio.timeout(0.5):
            await world.chain.answer(ASK, 0.05)
