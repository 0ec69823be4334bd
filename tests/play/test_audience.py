"""Who listens to a turn, here and elsewhere; when nobody does, the turn is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.worlds import mini_services

from amazonia.errors import StoreDown
from amazonia.play.audience import Audience
from amazonia.play.turns import Interviews, Limit
from amazonia.ports import Deadline, Listening, Performance, Said, StreamEvent, Team, Turn, Turns
from amazonia.services import Services
from amazonia.store.turns import StoredTurns

GRACE = 0.04


class LoopClock:
    """The `Clock` port, by the clock of the event loop."""

    def now(self) -> float:
        return 1000.0 + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Elsewhere:
    """As much of the `Turns` port as an audience needs: who listens in other processes."""

    def __init__(self, *listening: Listening) -> None:
        self.listening = listening
        self.looks = 0
        self.looked = asyncio.Event()
        self.down = False

    async def listeners(self, turn_ids: Sequence[str]) -> Mapping[str, tuple[Listening, ...]]:
        self.looks += 1
        self.looked.set()
        await asyncio.sleep(0)
        if self.down:
            raise StoreDown("no disk")
        return {turn_ids[0]: self.listening} if self.listening else {}


class FakeOwners:
    """The `Owners` port: all live but the dead."""

    token = "here"

    def alive(self, token: str) -> bool:
        return token != "dead"


class Hall:
    """An audience, and when it was told that everybody is gone."""

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self.elsewhere = elsewhere or Elsewhere()
        self.began = asyncio.get_running_loop().time()
        turns = cast(Turns, self.elsewhere)
        self.audience = Audience("turn", turns, FakeOwners(), LoopClock(), GRACE)
        self._gone = asyncio.Event()
        self.calls = 0

    def note(self) -> None:
        self.calls += 1
        self._gone.set()

    async def gone_after(self) -> float:
        """In how many grace periods from the beginning everybody was gone."""
        with self.audience.call_when_gone(self.note):
            async with asyncio.timeout(2):
                await self._gone.wait()
        return (asyncio.get_running_loop().time() - self.began) / GRACE


async def graces(number: float) -> None:
    await asyncio.sleep(number * GRACE)


async def test_nobody_comes() -> None:
    """Then everybody is gone after the grace period, and not before."""
    assert 1 <= await Hall().gone_after() < 1.9


async def test_while_somebody_is_here_nobody_is_looked_for() -> None:
    """However long; after the last one left, the grace period begins."""
    hall = Hall()
    with hall.audience.seat():
        with hall.audience.seat():
            await graces(1.5)
        await graces(1.5)
    assert (hall.elsewhere.looks, hall.audience.gone) == (0, False)
    assert 4 <= await hall.gone_after() < 4.9


async def test_who_comes_back_in_time_is_no_loss() -> None:
    """A page that is loaded again, say."""
    hall = Hall()
    for _ in range(3):
        with hall.audience.seat():
            await graces(0.6)
        await graces(0.6)
    assert not hall.audience.gone
    hall.audience.close()


async def test_a_listener_elsewhere_counts() -> None:
    """As long as they stay; then there is a grace period from the moment they left."""
    hall = Hall(Elsewhere(Listening("there", None)))
    await graces(2.5)
    assert not hall.audience.gone
    hall.elsewhere.listening = (Listening("there", LoopClock().now()),)
    assert 3.5 <= await hall.gone_after() < 4.4
    assert hall.elsewhere.looks <= 4


async def test_the_last_of_them_counts() -> None:
    """One who left long ago does not end it for one who left just now, or stays."""
    now = LoopClock().now()
    hall = Hall(Elsewhere(Listening("a", now - 99), Listening("b", now + GRACE)))
    assert 2 <= await hall.gone_after() < 2.9
    hall = Hall(Elsewhere(Listening("a", now - 99), Listening("b", None)))
    await graces(2.5)
    assert not hall.audience.gone
    hall.audience.close()


async def test_the_dead_do_not_listen() -> None:
    """A process that died cannot say that its listeners are gone."""
    assert await Hall(Elsewhere(Listening("dead", None))).gone_after() < 1.9


async def test_without_a_database_it_goes_on() -> None:
    """Somebody may listen elsewhere; it is looked up again after a grace period."""
    hall = Hall()
    hall.elsewhere.down = True
    await graces(2.5)
    assert not hall.audience.gone
    hall.elsewhere.down = False
    assert 3 <= await hall.gone_after() < 3.9


async def test_who_sits_down_during_the_look_is_seen() -> None:
    """The look is broken off."""
    hall = Hall()
    async with asyncio.timeout(2):
        await hall.elsewhere.looked.wait()
    with hall.audience.seat():
        await graces(1.5)
        assert not hall.audience.gone
    hall.audience.close()


async def test_who_asks_late_is_told_at_once() -> None:
    """Each who asks, once; nobody after they stopped asking."""
    hall = Hall()
    await hall.gone_after()
    with hall.audience.call_when_gone(hall.note):
        assert hall.calls == 2
    await graces(1.5)
    assert hall.calls == 2


async def test_after_the_turn_nobody_is_looked_for() -> None:
    """Neither after the grace period nor ever."""
    hall = Hall()
    hall.audience.close()
    await graces(1.5)
    assert (hall.elsewhere.looks, hall.audience.gone) == (0, False)


# ── over two processes ───────────────────────────────────────────────────────────────────────────


class PatientVoice:
    """Says one sentence, and no more until it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def speak(self, performance: Performance, deadline: Deadline) -> AsyncIterator[Said]:
        yield Said("Olhe só.", "model")
        await self.go.wait()

    def view(self) -> list[dict[str, object]]:
        return []


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Services, Services]]:
    """Two processes over one database; these two live in one."""
    data = tmp_path / "data"
    async with mini_services(data) as here, mini_services(data) as there:
        yield here, there


async def spoken(services: Services, voice: PatientVoice) -> tuple[Interviews, Team, Turn]:
    team = (await services.sessions.start(None, None, "Botos", None)).team
    speaker = replace(services.interviews, voice=voice)  # type: ignore[arg-type]
    accepted = await speaker.ask(team, "cida", "o que aconteceu com o bolo?", None)
    return speaker, team, accepted.turn


async def listen(interviews: Interviews, team: Team, turn: Turn) -> None:
    async with aclosing(interviews.events(team, turn)) as events:  # type: ignore[type-var]
        async for _ in events:
            pass


async def listening(services: Services, turn: Turn) -> list[bool]:
    """For every other process that was listened in: whether anybody still is there."""
    found = await services.interviews.turns.listeners([turn.id])
    return [there.left_at is None for there in found.get(turn.id, ())]


async def test_a_listener_of_another_process_is_noted_and_signed_off(
    two: tuple[Services, Services],
) -> None:
    """With the moment when they left."""
    here, there = two
    voice = PatientVoice()
    speaker, team, turn = await spoken(here, voice)
    task = asyncio.create_task(listen(there.interviews, team, turn))
    await asyncio.sleep(0.15)
    assert await listening(here, turn) == [True]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await there.interviews.drain()
    assert await listening(here, turn) == [False]
    voice.go.set()
    await speaker.drain()


async def test_one_of_two_listeners_of_a_process_leaves(two: tuple[Services, Services]) -> None:
    """The other still listens: two tabs, or a page that is loaded again."""
    here, there = two
    voice = PatientVoice()
    speaker, team, turn = await spoken(here, voice)
    tasks = [asyncio.create_task(listen(there.interviews, team, turn)) for _ in range(2)]
    await asyncio.sleep(0.15)
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    await asyncio.sleep(0.1)
    still = await listening(here, turn)
    voice.go.set()
    await asyncio.gather(tasks[1])
    await speaker.drain()
    assert still == [True]


async def test_a_listener_who_outstays_the_turn_costs_nothing() -> None:
    """Each does: `done` is sent while they sit. No timer, and no look at the database."""
    hall = Hall()
    with hall.audience.seat():
        hall.audience.close()
    await graces(1.5)
    assert hall.elsewhere.looks == 0


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


class SlowTurns(StoredTurns):
    """Stored turns whose disk takes its time over what only others want to see."""

    async def say(self, turn_id: str, said: Sequence[StreamEvent]) -> None:
        await asyncio.sleep(3.0)


class SteadyVoice(PatientVoice):
    """Says a sentence now and then, without end."""

    async def speak(self, performance: Performance, deadline: Deadline) -> AsyncIterator[Said]:
        while True:
            await asyncio.sleep(0.15)
            yield Said("Olhe só.", "model")


async def test_sharing_what_was_said_does_not_hold_the_turn_up(
    two: tuple[Services, Services],
) -> None:
    """A slow database may delay other processes, but neither the next sentence nor the end."""
    here, _ = two
    team = (await here.sessions.start(None, None, "Botos", None)).team
    speaker = replace(
        here.interviews,
        turns=SlowTurns(here.database),
        voice=SteadyVoice(),  # type: ignore[arg-type]
        limit=Limit(deadline=1.5),
    )
    began = asyncio.get_running_loop().time()
    accepted = await speaker.ask(team, "cida", "o que aconteceu com o bolo?", None)
    await speaker.reply(team, accepted.turn)
    took = asyncio.get_running_loop().time() - began
    await speaker.drain()
    assert took < 1.7
