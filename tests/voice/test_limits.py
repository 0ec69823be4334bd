"""Slots and the retry budget."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazonia.voice.limits import Concurrency, Overloaded, RetryBudget


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def slots(limit: int, clock: Clock | None = None) -> Concurrency:
    return Concurrency(clock or Clock(), start=limit, least=1, most=100)


async def enter(slot: AbstractAsyncContextManager[None]) -> None:
    """Take a slot, and keep it."""
    await slot.__aenter__()


async def turn_over() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_as_many_as_the_limit_are_in_flight_and_no_more():
    """The third of two slots is refused when it will not wait."""
    two = slots(2)
    async with two.slot(0), two.slot(0):
        assert two.in_flight == 2
        with pytest.raises(Overloaded):
            async with two.slot(0):
                pass
    assert two.in_flight == 0


async def test_who_waits_longest_is_next():
    """Slots are handed on in the order in which they were asked for."""
    one = slots(1)
    order: list[int] = []

    async def call(number: int) -> None:
        async with one.slot(5):
            order.append(number)

    async with one.slot(0):
        tasks = [asyncio.create_task(call(n)) for n in range(5)]
        await turn_over()
        assert one.waiting == 5
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]


async def test_nobody_overtakes_those_who_wait():
    """A free slot belongs to the queue, even before its head has run again."""
    one = slots(1)
    first = one.slot(0)
    await first.__aenter__()
    second = one.slot(5)
    waits = asyncio.create_task(enter(second))
    await turn_over()
    await first.__aexit__(None, None, None)
    with pytest.raises(Overloaded):
        await one.slot(0).__aenter__()
    await waits
    assert one.in_flight == 1


async def test_patience_ends():
    """Whoever waited in vain gets no slot, and leaves none occupied."""
    one = slots(1)
    async with one.slot(0):
        with pytest.raises(Overloaded):
            await one.slot(0.01).__aenter__()
        assert one.waiting == 0
    async with one.slot(0):
        assert one.in_flight == 1


async def test_a_slot_handed_to_someone_who_is_gone_is_handed_on():
    """Cancelled in the moment of the hand-over, a waiter passes its slot to the next."""
    one = slots(1)
    stack = AsyncExitStack()
    await stack.enter_async_context(one.slot(0))
    slot, next_slot = one.slot(5), one.slot(5)
    gone = asyncio.create_task(enter(slot))
    following = asyncio.create_task(enter(next_slot))
    await turn_over()
    await stack.aclose()
    gone.cancel()
    await asyncio.wait([gone])
    await asyncio.wait_for(following, 1)
    assert gone.cancelled()
    assert (one.in_flight, one.waiting) == (1, 0)


async def test_the_limit_doubles_until_the_first_overload_then_creeps():
    """Slow start, a cut, and then one more in as many successes as the limit is high."""
    clock = Clock()
    pool = slots(4, clock)

    async def round_of_successes() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(pool.limit):
                await stack.enter_async_context(pool.slot(0))
            for _ in range(pool.in_flight):
                while pool.in_flight < pool.limit:
                    await stack.enter_async_context(pool.slot(0))
                pool.succeeded()

    await round_of_successes()
    assert pool.limit == 8
    pool.overloaded()
    assert pool.limit == 5
    await round_of_successes()
    assert pool.limit == 6


async def test_the_limit_does_not_grow_while_it_is_not_needed():
    """Successes of a quiet hour prove nothing about a loud one."""
    pool = slots(4)
    for _ in range(100):
        async with pool.slot(0):
            pool.succeeded()
    assert pool.limit == 4


def test_a_burst_of_refusals_is_one_overload():
    """The limit is cut once a second at most, and never below the least."""
    clock = Clock()
    pool = Concurrency(clock, start=100, least=10, most=100)
    for _ in range(50):
        pool.overloaded()
    assert pool.limit == 70
    clock.now += 1
    pool.overloaded()
    assert pool.limit == 49
    for _ in range(20):
        clock.now += 1
        pool.overloaded()
    assert pool.limit == 10


async def test_growth_lets_those_who_wait_in():
    """A higher limit is used at once."""
    one = slots(1)
    async with one.slot(0):
        second = one.slot(5)
        waits = asyncio.create_task(enter(second))
        await turn_over()
        one.succeeded()
        await waits
        assert (one.limit, one.in_flight) == (2, 2)


@pytest.mark.parametrize(("start", "least", "most"), [(1, 2, 3), (4, 1, 3), (0, 0, 1)])
def test_limits_that_contradict_each_other_are_refused(start: int, least: int, most: int):
    """A mistake shows when it is made."""
    with pytest.raises(ValueError, match="least"):
        Concurrency(Clock(), start=start, least=least, most=most)


actions = st.lists(
    st.sampled_from(["call", "call", "impatient", "finish", "cancel", "run"]), max_size=60
)


@given(limit=st.integers(1, 4), script=actions)
@settings(deadline=None, max_examples=150)
def test_no_slot_is_ever_lost_or_doubled(limit: int, script: list[str]):
    """Whatever order calls come, end and are cancelled in: never too many, and all free after."""

    async def play() -> None:
        pool = slots(limit)
        running: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        inside = 0

        async def call(done: asyncio.Event, patience: float) -> None:
            nonlocal inside
            async with pool.slot(patience):
                inside += 1
                assert inside <= limit
                try:
                    await done.wait()
                finally:
                    inside -= 1

        for number, action in enumerate(script):
            match action:
                case "call" | "impatient":
                    done = asyncio.Event()
                    patience = 60.0 if action == "call" else 0.0
                    running.append((asyncio.create_task(call(done, patience)), done))
                case "finish" if running:
                    running[number % len(running)][1].set()
                case "cancel" if running:
                    running[number % len(running)][0].cancel()
                case _:
                    await asyncio.sleep(0)
            assert pool.in_flight <= limit
        for _, done in running:
            done.set()
        results = await asyncio.gather(*(task for task, _ in running), return_exceptions=True)
        assert all(r is None or isinstance(r, Overloaded | asyncio.CancelledError) for r in results)
        assert (pool.in_flight, pool.waiting, inside) == (0, 0, 0)

    asyncio.run(play())


def test_retries_are_a_share_of_calls():
    """Three at first, then one in ten."""
    budget = RetryBudget(ratio=0.1, floor=3, most=50)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    retried = 0
    for _ in range(1000):
        budget.called()
        retried += budget.take()
    assert retried == 100


def test_savings_are_bounded():
    """A quiet day does not pay for a storm."""
    budget = RetryBudget(ratio=0.1, floor=0, most=5)
    for _ in range(10_000):
        budget.called()
    assert sum(budget.take() for _ in range(100)) == 5
