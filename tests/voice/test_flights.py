"""Single flight: spoken once, heard by any number, in this process and in others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import pytest
from tests.voice.test_budget import ManualClock

from amazonia.errors import StoreDown
from amazonia.fabric.watch import Watch
from amazonia.ports import Clock, Flight, VoiceFailed, Watcher
from amazonia.voice.flights import Flights, Lead

KEY = "k" * 64
BOLO = ("Deixei o bolo ali.", "Sumiu.")


class MemoryReplies:
    """The `Replies` port; a test may shut it down or make its writers wait."""

    def __init__(self) -> None:
        self.rows: dict[str, Flight] = {}
        self.dead: set[str] = set()
        self.down = False
        self.claims = 0
        self.commit = asyncio.Event()
        self.commit.set()

    async def claim(self, key: str, owner: str, at: float) -> Flight:
        await self._answer()
        self.claims += 1
        row = self.rows.get(key)
        if row is not None and (row.how != "follow" or row.owner not in self.dead):
            return row
        self.rows[key] = Flight("follow", (), owner)
        return Flight("lead", (), owner)

    async def say(self, key: str, owner: str, sentences: Sequence[str]) -> bool:
        await self._answer()
        return self._write(key, owner, Flight("follow", tuple(sentences), owner))

    async def finish(self, key: str, owner: str, sentences: Sequence[str], at: float) -> bool:
        await self._answer()
        return self._write(key, owner, Flight("done", tuple(sentences), owner))

    async def give_up(self, key: str, owner: str, at: float, *, failed: bool) -> None:
        await self._answer()
        if self._write(key, owner, Flight("failed", (), owner)) and not failed:
            del self.rows[key]

    async def look(self, keys: Sequence[str]) -> Mapping[str, Flight]:
        await self._answer()
        return {key: self.rows[key] for key in keys if key in self.rows}

    async def clear(self) -> int:
        done = sum(row.how == "done" for row in self.rows.values())
        self.rows.clear()
        return done

    def forget_failures(self) -> None:
        """Some seconds pass."""
        self.rows = {key: row for key, row in self.rows.items() if row.how != "failed"}

    async def _answer(self) -> None:
        await self.commit.wait()
        await asyncio.sleep(0)
        if self.down:
            raise StoreDown("no disk")

    def _write(self, key: str, owner: str, flight: Flight) -> bool:
        row = self.rows.get(key)
        mine = row is not None and row.how == "follow" and row.owner == owner
        if mine:
            self.rows[key] = flight
        return mine


class FakeOwners:
    """The `Owners` port: who is not known to be dead lives."""

    def __init__(self, token: str, dead: set[str]) -> None:
        self.token = token
        self._dead = dead

    def alive(self, token: str) -> bool:
        return token not in self._dead


class Told:
    """The `Watcher` port that tells one thing after the other, and then the last for good."""

    def __init__(self, *values: Flight | None) -> None:
        self._values = list(values)

    async def next(self, key: str) -> Flight | None:
        await asyncio.sleep(0)
        return self._values.pop(0) if len(self._values) > 1 else self._values[0]

    def changed(self, subject: str, text: str = "") -> None:
        """Nobody else is there."""


class QuickClock(ManualClock):
    """A clock by which every sentence is told to other processes."""

    def monotonic(self) -> float:
        self.at += 1.0
        return self.at


class LoopClock(ManualClock):
    """The event loop's clock."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Singer:
    """Somebody who speaks sentences, when let; and may break off."""

    def __init__(self, *sentences: str, failure: Exception | None = None) -> None:
        self.begun = self.ended = 0
        self.go = asyncio.Event()
        self.go.set()
        self._sentences = sentences
        self._failure = failure

    async def lead(self) -> AsyncGenerator[str]:
        self.begun += 1
        try:
            for sentence in self._sentences:
                yield sentence
                await self.go.wait()
            if self._failure is not None:
                raise self._failure
        finally:
            self.ended += 1


def process(
    replies: MemoryReplies,
    token: str = "p1",
    watch: Watcher[str, Flight] | None = None,
    clock: Clock | None = None,
) -> Flights:
    """The flights of one process over a shared store."""
    owners = FakeOwners(token, replies.dead)
    return Flights(replies, watch or Watch(replies.look, 0.001), owners, clock or QuickClock())


async def hear(flights: Flights, lead: Lead, key: str | None = KEY) -> list[tuple[str, str]]:
    """What is heard, and from whom; a failure ends it with ``!reason``."""
    heard: list[tuple[str, str]] = []
    try:
        async with asyncio.timeout(2), aclosing(flights.hear(key, lead)) as said:
            async for piece in said:
                heard.append((piece.text, piece.source))  # noqa: PERF401 - a failure keeps them
    except VoiceFailed as exc:
        heard.append((f"!{exc.reason}", ""))
    return heard


def by(source: str, *sentences: str) -> list[tuple[str, str]]:
    return [(sentence, source) for sentence in sentences]


async def leave(task: asyncio.Task[list[tuple[str, str]]]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def a_moment() -> None:
    """Until whatever can happen has happened."""
    await asyncio.sleep(0.01)


async def test_a_flight_is_spoken_and_kept() -> None:
    """The first hears the model, who comes later the cache, in other processes too."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    assert await hear(here, singer.lead) == by("model", *BOLO)
    await here.settle()
    assert replies.rows[KEY] == Flight("done", BOLO, "p1")
    assert await hear(here, singer.lead) == by("cache", *BOLO)
    assert await hear(process(replies, "p2"), singer.lead) == by("cache", *BOLO)
    assert await process(replies, "p3").cached(KEY) == BOLO
    assert singer.begun == 1


async def test_a_thousand_copies_over_two_processes_are_one_call() -> None:
    """All hear the same sentences."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    both = [process(replies, "p1"), process(replies, "p2")]
    heard = await asyncio.gather(*(hear(both[i % 2], singer.lead) for i in range(1000)))
    assert {tuple(text for text, _ in each) for each in heard} == {BOLO}
    assert singer.begun == 1
    assert [source for each in heard for _, source in each].count("model") == 2


async def test_a_follower_hears_sentences_as_they_are_spoken() -> None:
    """In the leader's process and in another, before the flight is over."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here, there = process(replies), process(replies, "p2")
    singer.go.clear()
    streams = [here.hear(KEY, singer.lead)]
    assert (await anext(streams[0])).text == BOLO[0]
    streams += [here.hear(KEY, singer.lead), there.hear(KEY, singer.lead)]
    async with asyncio.timeout(2):
        assert [(await anext(s)).text for s in streams[1:]] == [BOLO[0]] * 2
        singer.go.set()
        assert [(await anext(s)).text for s in streams] == [BOLO[1]] * 3
        assert [await anext(s, None) for s in streams] == [None] * 3
    await here.settle()
    assert singer.begun == 1


async def test_without_a_key_nothing_is_shared() -> None:
    """Neither under way nor afterwards."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    heard = await asyncio.gather(*(hear(here, singer.lead, None) for _ in range(3)))
    assert heard == [by("model", *BOLO)] * 3
    assert (singer.begun, replies.rows) == (3, {})


async def test_a_failure_is_told_to_all_and_never_kept() -> None:
    """Those who ask within a moment are told at once; later it is tried again."""
    replies = MemoryReplies()
    here, there = process(replies), process(replies, "p2")
    broken = Singer(BOLO[0], failure=VoiceFailed("guard"))
    assert await hear(here, broken.lead) == [*by("model", BOLO[0]), ("!guard", "")]
    await here.settle()
    assert await hear(there, broken.lead) == [("!shared", "")]
    assert await there.cached(KEY) is None
    assert broken.begun == 1
    replies.forget_failures()
    assert await hear(there, Singer(*BOLO).lead) == by("model", *BOLO)
    await there.settle()


async def test_a_fault_of_ours_breaks_a_flight_off_too() -> None:
    """Whatever was raised, who listens is told, and the next may lead at once."""
    replies = MemoryReplies()
    here = process(replies)
    heard = await hear(here, Singer(BOLO[0], failure=KeyError("x")).lead)
    assert heard == [*by("model", BOLO[0]), ("!abandoned", "")]
    await here.settle()
    assert replies.rows == {}


@pytest.mark.parametrize("spoken", [(), BOLO[:1]])
async def test_a_leader_that_is_killed(spoken: tuple[str, ...]) -> None:
    """Before a sentence a follower leads instead; after one it breaks off."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    replies.rows[KEY] = Flight("follow", spoken, "p1")
    there = process(replies, "p2")
    hearing = asyncio.create_task(hear(there, singer.lead))
    await a_moment()
    assert not hearing.done()
    replies.dead.add("p1")
    if spoken:
        assert await hearing == [*by("cache", *spoken), ("!leader_lost", "")]
    else:
        assert await hearing == by("model", *BOLO)
    await there.settle()


async def test_a_leader_that_fails_fails_its_followers() -> None:
    """In the other process too."""
    replies = MemoryReplies()
    replies.rows[KEY] = Flight("follow", (), "p1")
    hearing = asyncio.create_task(hear(process(replies, "p2"), Singer(*BOLO).lead))
    await a_moment()
    replies.rows[KEY] = Flight("failed", (), "p1")
    assert await hearing == [("!shared", "")]


async def test_a_leader_that_gave_up_before_a_word_is_replaced() -> None:
    """Its listeners went away; a follower's did not."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    replies.rows[KEY] = Flight("follow", (), "p1")
    there = process(replies, "p2")
    hearing = asyncio.create_task(hear(there, singer.lead))
    await a_moment()
    await replies.give_up(KEY, "p1", 0.0, failed=False)
    assert await hearing == by("model", *BOLO)
    await there.settle()


async def test_who_leaves_takes_nothing_along() -> None:
    """The one who began may go; the others hear it to the end."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    singer.go.clear()
    first, second = (asyncio.create_task(hear(here, singer.lead)) for _ in range(2))
    await a_moment()
    await leave(first)
    await a_moment()
    assert singer.ended == 0
    singer.go.set()
    assert await second == by("cache", *BOLO)
    await here.settle()
    assert replies.rows[KEY].how == "done"


async def test_when_nobody_is_left_it_is_closed_at_once() -> None:
    """The next who asks begins anew, also while the old flight is still being signed off."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    singer.go.clear()
    both = [asyncio.create_task(hear(here, singer.lead)) for _ in range(2)]
    await a_moment()
    for task in both:
        await leave(task)
    assert singer.ended == 1
    singer.go.set()
    assert await hear(here, singer.lead) == by("model", *BOLO)
    await here.settle()
    assert singer.begun == 2
    assert replies.rows[KEY] == Flight("done", BOLO, "p1")


async def test_without_a_store_it_is_spoken_still() -> None:
    """Then only this process shares, and nothing is kept."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    replies.down = True
    heard = await asyncio.gather(*(hear(here, singer.lead) for _ in range(3)))
    assert [[text for text, _ in each] for each in heard] == [list(BOLO)] * 3
    assert singer.begun == 1
    assert await here.cached(KEY) is None


async def test_a_store_that_goes_down_on_the_way_is_no_harm() -> None:
    """The reply is heard whole, though it is not kept."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    singer.go.clear()
    hearing = asyncio.create_task(hear(here, singer.lead))
    await a_moment()
    replies.down = True
    singer.go.set()
    assert await hearing == by("model", *BOLO)
    await here.settle()
    assert replies.rows[KEY].how == "follow"


async def test_what_was_cleared_on_the_way_is_not_kept() -> None:
    """The cache was emptied for a reason; who listens hears it to the end."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    singer.go.clear()
    hearing = asyncio.create_task(hear(here, singer.lead))
    await a_moment()
    await replies.clear()
    singer.go.set()
    assert await hearing == by("model", *BOLO)
    await here.settle()
    assert replies.rows == {}


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


async def test_two_leaders_replies_are_never_mixed() -> None:
    """Another process took the flight over after the leader's death, between two looks."""
    replies = MemoryReplies()
    replies.rows[KEY] = Flight("follow", (), "p1")
    told = Told(
        Flight("follow", ("A um.",), "p1"),
        Flight("follow", (), "p3"),
        Flight("done", ("B um.", "B dois."), "p3"),
    )
    heard = await hear(process(replies, "p2", told), Singer(*BOLO).lead)
    assert heard == [*by("cache", "A um."), ("!leader_lost", "")]


@pytest.mark.parametrize("reason", ["budget", "overtime"])
async def test_one_teams_trouble_is_not_everybodys(reason: str) -> None:
    """Who has money and time of their own leads, when the leader had not."""
    replies = MemoryReplies()
    here, there = process(replies), process(replies, "p2")
    poor = Singer(failure=VoiceFailed(reason))
    assert await hear(here, poor.lead) == [(f"!{reason}", "")]
    await here.settle()
    assert await hear(there, Singer(*BOLO).lead) == by("model", *BOLO)
    await there.settle()


async def test_settling_waits_for_what_was_left_a_moment_ago() -> None:
    """A flight that is being broken off signs itself off before the database is closed."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here = process(replies)
    singer.go.clear()
    stream = here.hear(KEY, singer.lead)
    await anext(stream)
    await a_moment()
    await stream.aclose()
    await here.settle()
    assert (singer.ended, replies.rows) == (1, {})


async def test_a_sentence_before_a_silence_is_told_all_the_same() -> None:
    """Followers in other processes hear it soon, however long the leader then thinks."""
    replies, singer = MemoryReplies(), Singer(*BOLO)
    here, there = process(replies, clock=LoopClock()), process(replies, "p2")
    singer.go.clear()
    leading = asyncio.create_task(hear(here, singer.lead))
    await a_moment()
    try:
        async with asyncio.timeout(0.5), aclosing(there.hear(KEY, singer.lead)) as heard:
            assert (await anext(heard)).text == BOLO[0]
    finally:
        singer.go.set()
        await leading
        await here.settle()
