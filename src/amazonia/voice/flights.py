"""Single flight: what several turns want at once is spoken once, and every turn hears it.

Inside a process by a task of its own; across processes by a row in the shared store, whose owner
leads while the others read what it says. A complete reply stays there for whoever asks later.
Nobody who leaves takes the flight along, but when nobody is left it is broken off at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from amazonia.errors import StoreDown
from amazonia.ports import Clock, Flight, Owners, Replies, Said, Source, VoiceFailed, Watcher

log = structlog.get_logger()

TELL_EVERY = 0.1
"""Seconds after which a slow flight is made visible to other processes."""

OWN_TROUBLE = frozenset({"budget", "overtime"})
"""Reasons for which a leader breaks off that do not concern those who follow."""

Lead = Callable[[], AsyncGenerator[str]]
"""Begins to speak; raises `VoiceFailed` when it breaks off."""


class _Flight:
    """Sentences that one task speaks and any number of turns hear."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.source: Source = "model"
        self.hearers = 0
        self.over = False
        self.failure: VoiceFailed | None = None
        self.task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    def add(self, sentence: str) -> None:
        self.sentences.append(sentence)
        self._wake()

    def end(self, failure: VoiceFailed | None = None) -> None:
        if not self.over:
            self.over, self.failure = True, failure
            self._wake()

    async def hear(self) -> AsyncIterator[str]:
        """Every sentence, those to come included."""
        at = 0
        while True:
            moved = self._moved
            while at < len(self.sentences):
                yield self.sentences[at]
                at += 1
            if self.failure is not None:
                raise VoiceFailed(self.failure.reason)
            if self.over:
                return
            if not moved.is_set():
                await moved.wait()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


@dataclass(frozen=True, slots=True)
class Flights:
    """The flights of this process.

    Attributes:
        watch: tells how far flights are that other processes lead.
    """

    replies: Replies
    watch: Watcher[str, Flight]
    owners: Owners
    clock: Clock
    _open: dict[str, _Flight] = field(default_factory=dict)
    _working: set[asyncio.Task[None]] = field(default_factory=set)

    async def hear(self, key: str | None, lead: Lead) -> AsyncGenerator[Said]:
        """Join the flight of a key, or begin it; without a key, one that nobody else joins.

        Raises:
            VoiceFailed: it broke off.
        """
        while True:
            flight = self._open.get(key) if key else None
            mine = flight is None
            if flight is None:
                flight = self._begin(key, lead)
            heard = 0
            flight.hearers += 1
            try:
                async for sentence in flight.hear():
                    heard += 1
                    yield Said(sentence, flight.source if mine else "cache")
                return
            except VoiceFailed as exc:
                if mine or heard or exc.reason not in OWN_TROUBLE:
                    raise
            finally:
                flight.hearers -= 1
                if not flight.hearers and not flight.over and flight.task is not None:
                    self._close(key, flight)
                    flight.task.cancel()

    async def cached(self, key: str) -> tuple[str, ...] | None:
        """The complete reply of a key, if there is one. Changes nothing."""
        try:
            found = (await self.replies.look([key])).get(key)
        except StoreDown:
            return None
        return found.sentences if found is not None and found.how == "done" else None

    async def settle(self) -> None:
        """Wait until everything that was begun in the background is finished."""
        while self._working:
            await asyncio.gather(*self._working, return_exceptions=True)

    def _begin(self, key: str | None, lead: Lead) -> _Flight:
        flight = _Flight()
        if key:
            self._open[key] = flight
        flight.task = self._later(self._fly(key, lead, flight))
        return flight

    def _close(self, key: str | None, flight: _Flight) -> None:
        if key and self._open.get(key) is flight:
            del self._open[key]

    async def _fly(self, key: str | None, lead: Lead, flight: _Flight) -> None:
        try:
            if key is None:
                await _speak(lead, flight)
                flight.end()
            else:
                await self._fly_shared(key, lead, flight)
        except VoiceFailed as exc:
            flight.end(exc)
        except Exception:
            log.exception("voice.broke")
            flight.end(VoiceFailed("error"))
        finally:
            flight.end(VoiceFailed("abandoned"))
            self._close(key, flight)

    async def _fly_shared(self, key: str, lead: Lead, flight: _Flight) -> None:
        """Lead, follow or replay, as the shared store says."""
        while not flight.over:
            try:
                claimed = await self.replies.claim(key, self.owners.token, self.clock.now())
            except StoreDown:  # then only this process shares
                await _speak(lead, flight)
                flight.end()
                return
            match claimed.how:
                case "lead":
                    await self._lead(key, lead, flight)
                case "follow":
                    await self._follow(key, flight)
                case "done":
                    flight.source = "cache"
                    for sentence in claimed.sentences:
                        flight.add(sentence)
                    flight.end()
                case "failed":
                    raise VoiceFailed("shared")

    async def _lead(self, key: str, lead: Lead, flight: _Flight) -> None:
        flight.source = "model"
        teller = _Teller(self, key, flight)
        try:
            await _speak(lead, flight, teller.tell)
        except BaseException as exc:
            flight.end(exc if isinstance(exc, VoiceFailed) else VoiceFailed("abandoned"))
            failed = isinstance(exc, VoiceFailed) and exc.reason not in OWN_TROUBLE
            self._later(self._give_up(key, teller, failed=failed))
            raise
        flight.end()
        await teller.told()
        try:
            now = self.clock.now()
            await self.replies.finish(key, self.owners.token, flight.sentences, now)
            self.watch.changed(key)
        except StoreDown:
            log.warning("voice.reply_not_kept")

    async def _follow(self, key: str, flight: _Flight) -> None:
        """Hear a flight that another process leads, until it ends, fails or its leader dies."""
        flight.source, leader = "cache", ""
        while True:
            now = await self.watch.next(key)
            if now is not None and flight.sentences and now.owner != leader:
                raise VoiceFailed("leader_lost")  # what another begins anew does not go on here
            leader = now.owner if now is not None else leader
            for sentence in now.sentences[len(flight.sentences) :] if now else ():
                flight.add(sentence)
            if now is not None and now.how == "done":
                flight.end()
                return
            if now is None or now.how == "failed" or not self.owners.alive(now.owner):
                if now is not None and now.how == "failed":
                    raise VoiceFailed("shared")
                if flight.sentences:  # what was heard cannot be begun anew
                    raise VoiceFailed("leader_lost")
                return

    async def _give_up(self, key: str, teller: _Teller, *, failed: bool) -> None:
        await teller.told()
        try:
            now = self.clock.now()
            await self.replies.give_up(key, self.owners.token, now, failed=failed)
            self.watch.changed(key)
        except StoreDown:
            log.warning("voice.reply_not_given_up")

    def _later(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task


class _Teller:
    """Lets other processes see what is said: one write at a time, and not at every sentence of a
    quick reply."""

    def __init__(self, flights: Flights, key: str, flight: _Flight) -> None:
        self._flights = flights
        self._key = key
        self._flight = flight
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Write what is new, within `TELL_EVERY` of the write before."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY, self._begin)

    async def told(self) -> None:
        """Stop writing; wait for the write under way."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            await self._task

    def _begin(self) -> None:
        if self._task is not None and not self._task.done():
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY, self._begin)
            return
        self._timer = None
        self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            said = tuple(self._flight.sentences)
            await self._flights.replies.say(self._key, self._flights.owners.token, said)
            self._flights.watch.changed(self._key)
        except StoreDown:
            return  # the others wait for the whole


async def _speak(lead: Lead, flight: _Flight, told: Callable[[], None] | None = None) -> None:
    """Let the lead speak into the flight; the caller ends it."""
    async with aclosing(lead()) as sentences:
        async for sentence in sentences:
            flight.add(sentence)
            if told is not None:
                told()
