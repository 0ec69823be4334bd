"""The way to Redis: few round trips, each bounded in time, and none while Redis is not well.

A slow Redis is worse than a dead one. So every round trip has its own short patience; after a few
that failed or were slow nobody asks any more, and everybody does without, until a probe in the
background finds Redis quick again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import structlog

from amazonia.errors import AmazoniaError, BadSetting

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

PATIENCE = 0.025
"""Seconds that a round trip may take."""
INSISTENCE = 0.15
"""Seconds that one may take on which the sharing of a provider's call depends: that takes longer.
It is spent on a Redis that is only slow, as on a busy machine; on one that is gone, hardly ever."""
SLOW = 0.4
"""The part of its patience after which it counts as slow: a turn waits for a few round trips."""
LATE = 0.004
"""Seconds by which a timer may be late; beyond it the event loop was busy, and nothing is known
about Redis."""
MOST_STRIKES = 4
FAILED, WAS_SLOW, WAS_QUICK = 2, 1, -1
"""What a round trip adds to the strikes against Redis: two in a row that failed are enough, or four
that were slow; now and then a slow one among quick ones is only a busy machine."""
PROBE_EVERY = 0.25
CONNECTING = 1.0
"""Seconds between two probes, and those that the first of them may take to connect."""
QUICK_PROBES = 3
"""So many quick answers in a row, and Redis is well again."""
MOST_AT_ONCE = 256
"""Commands of a round trip."""

Command = tuple[str | bytes | int | float, ...]


class Lost(AmazoniaError):
    """Redis did not answer well. What was asked of it may have been done, or not."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A command, and where its answer goes.

    Attributes:
        insists: whoever asked waits for a Redis that is only slow.
    """

    command: Command
    answer: asyncio.Future[Any]
    insists: bool

    def refuse(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(Lost(why))


class Link:
    """Asks Redis, one round trip at a time: what is asked meanwhile goes together in the next.

    Args:
        client: has a pool of its own; used for nothing else.
        name: of this process, for its probes.
        patience: seconds that a round trip may take.

    Attributes:
        commands: how many were asked since the process began; `trips` are the round trips.
        failures: round trips that failed or took too long.
        waited: seconds that the round trips took together.
    """

    def __init__(self, client: Redis, name: str, patience: float = PATIENCE) -> None:
        self._client = client
        self._patience = patience
        self._slow = SLOW * patience
        self._probe_key = f"probe:{name}"
        self._waiting: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None
        self._patient: set[asyncio.Task[None]] = set()
        self._probing: asyncio.Task[None] | None = None
        self._strikes = 0
        self._answers = True
        self._when_back: list[Callable[[], None]] = []
        self.why = ""
        self.commands = self.trips = self.failures = 0
        self.waited = 0.0

    @property
    def is_well(self) -> bool:
        """Whether it is asked at present; `why` says why not."""
        return not self.why

    def when_back(self, call: Callable[[], None]) -> None:
        """Call this whenever Redis is well again: it may have forgotten everything."""
        self._when_back.append(call)

    async def ask(self, *command: str | bytes | float) -> Any:
        """The answer to a command.

        Raises:
            Lost: there is none. A command that was sent may have been done all the same.
        """
        return await asyncio.shield(self.send(*command))

    async def insist(self, *commands: Command) -> list[Any]:
        """The answers to commands that are worth waiting for, of a Redis that is slow, too.

        Raises:
            Lost: there are none, or Redis did not answer the last one who waited.
        """
        sent = [self._put(command, insists=True) for command in commands]
        return await asyncio.gather(*map(asyncio.shield, sent))

    def send(self, *command: str | bytes | float) -> asyncio.Future[Any]:
        """Ask, and let the future tell; it may be left alone."""
        return self._put(command, insists=False)

    async def begin(self) -> None:
        """Look once whether Redis is there; if it is not, go on looking in the background."""
        try:
            await self._probe(CONNECTING)
        except Lost as exc:
            self._lose(str(exc))

    async def close(self) -> None:
        """Ask no more."""
        self.why, self._answers = "closed", False
        for task in (self._sending, self._probing, *self._patient):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._refuse_waiting()

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    def _put(self, command: Command, *, insists: bool) -> asyncio.Future[Any]:
        asked = _Asked(command, asyncio.get_running_loop().create_future(), insists)
        asked.answer.add_done_callback(_look_at)
        if self._is_of_use(asked):
            self._waiting.append(asked)
            if self._sending is None or self._sending.done():
                self._sending = _start(self._send_all())
        else:
            asked.refuse(self.why)
        return asked.answer

    def _is_of_use(self, asked: _Asked) -> bool:
        return not self.why or (asked.insists and self._answers)

    async def _send_all(self) -> None:
        await asyncio.sleep(0)  # what others ask in this round of the loop comes along
        while self._waiting:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
            await self._send_batch(batch)

    async def _send_batch(self, batch: list[_Asked]) -> None:
        working = self._begin_trip([asked.command for asked in batch])
        try:
            strikes = await self._wait(working, self._patience)
        except Lost as lost:
            for asked in batch:
                if working.done() or not asked.insists:
                    asked.refuse(str(lost))
            if working.done() or not any(asked.insists for asked in batch):
                working.cancel()
            else:
                self._keep(_start(self._wait_longer(working, batch)))
            self._strike(FAILED, str(lost))
        except BaseException:
            working.cancel()
            for asked in batch:
                asked.refuse("closed")
            raise
        else:
            fault = _hand_out(working.result(), batch)
            self._strike(FAILED if fault else strikes, fault or "slow")

    async def _wait_longer(self, working: asyncio.Task[list[Any]], batch: list[_Asked]) -> None:
        """Give those who insist what a slow Redis answers at last."""
        try:
            await self._wait(working, INSISTENCE - self._patience)
        except Lost as lost:
            self._answers = False
            for asked in batch:
                asked.refuse(str(lost))
        else:
            _hand_out(working.result(), batch)
        finally:
            working.cancel()  # does nothing to one that is done

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._patient.add(task)
        task.add_done_callback(self._patient.discard)

    def _begin_trip(self, commands: list[Command]) -> asyncio.Task[list[Any]]:
        self.trips += 1
        self.commands += len(commands)
        return asyncio.create_task(self._execute(commands))

    async def _wait(self, working: asyncio.Task[list[Any]], patience: float) -> int:
        """Wait for a round trip to be done; what it adds to the strikes.

        Raises:
            Lost: it failed as a whole, or patience ended and it goes on.
        """
        began = asyncio.get_running_loop().time()
        try:
            is_slow = await _is_slow(working, self._slow, patience)
            working.result()
        except faults() as exc:
            self.failures += 1
            raise Lost(_word(exc)) from exc
        finally:
            self.waited += asyncio.get_running_loop().time() - began
        self._answers = True
        return WAS_SLOW if is_slow else WAS_QUICK

    async def _execute(self, commands: list[Command]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)

    # ── whether it is well ──────────────────────────────────────────────────────────────────────

    def _strike(self, strikes: int, why: str) -> None:
        self._strikes = max(0, self._strikes + strikes)
        if self._strikes >= MOST_STRIKES and not self.why:
            self._lose(why)

    def _lose(self, why: str) -> None:
        self.why = why
        self._answers = self._answers and why in {"slow", "timeout"}
        log.warning("shared.lost", why=why)
        self._refuse_waiting()
        self._probing = _start(self._find_again())

    def _refuse_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            if self._is_of_use(asked):
                self._waiting.append(asked)
            else:
                asked.refuse(self.why)

    async def _find_again(self) -> None:
        """Try until Redis is quick and writes; then it is asked again."""
        began = asyncio.get_running_loop().time()
        quick = 0
        while quick < QUICK_PROBES:
            await asyncio.sleep(PROBE_EVERY)
            try:
                is_quick = await self._probe(self._patience if quick else CONNECTING) <= 0
            except Lost as exc:
                self.why, is_quick = str(exc), False
            quick = quick + 1 if is_quick or not quick else 0
        self._strikes, self.why = 0, ""
        seconds = round(asyncio.get_running_loop().time() - began, 1)
        log.info("shared.back", seconds=seconds)
        for call in self._when_back:
            call()

    async def _probe(self, patience: float) -> int:
        """Write something small: one that is full or read-only answers, but is not well."""
        working = self._begin_trip([("SET", self._probe_key, "1", "PX", 1000)])
        try:
            strikes = await self._wait(working, patience)
        finally:
            working.cancel()
        (answer,) = working.result()
        if isinstance(answer, Exception):
            self.failures += 1
            raise Lost(_word(answer))
        return strikes


@asynccontextmanager
async def open_link(client: Redis, name: str, patience: float = PATIENCE) -> AsyncIterator[Link]:
    """The way to Redis, until the block ends. A Redis that is away is no error."""
    link = Link(client, name, patience)
    await link.begin()
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[Redis]:
    """Connections to Redis, made when they are needed.

    Raises:
        BadSetting: the driver is not installed, or the address is none.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as exc:
        raise BadSetting(
            "REDIS_URL: this installation has no driver for Redis; "
            "pip install 'amazonia[redis]', or leave it unset"
        ) from exc
    try:
        client = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECTING,
            socket_keepalive=True,
            protocol=2,
        )
    except ValueError as exc:
        raise BadSetting("REDIS_URL: its value is not allowed: redis://HOST:PORT/0") from exc
    try:
        yield client
    finally:
        await client.aclose()


def namespace(url: str) -> str:
    """What all our names begin with. Channels know no database number, so that it is in there."""
    return f"amazonia{urlsplit(url).path.strip('/') or '0'}:"


async def _is_slow(working: asyncio.Task[Any], slow: float, patience: float) -> bool:
    """Wait for a round trip; whether it took long though the event loop was on time.

    Raises:
        TimeoutError: patience ended.
    """
    first = await _wait(working, min(slow, patience))
    if first == "done":
        return False
    then = await _wait(working, max(0.0, patience - slow))
    if then == "late":  # the answer may be there, and nobody had the time to read it
        then = await _wait(working, min(patience, PATIENCE))
    if then != "done":
        raise TimeoutError
    return first == "not yet"


async def _wait(working: asyncio.Task[Any], seconds: float) -> Literal["done", "not yet", "late"]:
    """Wait for a task; if it is not done, whether that was noticed on time or too late."""
    due = asyncio.get_running_loop().time() + seconds
    await asyncio.wait({working}, timeout=seconds)
    if working.done():
        return "done"
    return "late" if asyncio.get_running_loop().time() > due + LATE else "not yet"


def _start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that is on nobody's behalf: what it logs names no request and no turn."""
    return asyncio.create_task(work, context=Context())


def _hand_out(answers: list[Any], batch: list[_Asked]) -> str:
    """Give everybody the answer; a word for what was wrong with one, if anything was."""
    fault = ""
    for asked, answer in zip(batch, answers, strict=True):
        if isinstance(answer, Exception):
            fault = _word(answer)
            asked.refuse(fault)
        elif not asked.answer.done():
            asked.answer.set_result(answer)
    return fault


def _look_at(future: asyncio.Future[Any]) -> None:
    """Whoever left a future alone does not want to hear of its failure."""
    if not future.cancelled():
        future.exception()


def faults() -> tuple[type[Exception], ...]:
    """What Redis and the way to it may raise."""
    from redis.exceptions import RedisError

    return (RedisError, OSError, TimeoutError)


_WORDS = {
    "TimeoutError": "timeout",
    "OutOfMemoryError": "full",
    "ReadOnlyError": "read_only",
    "BusyLoadingError": "loading",
    "AuthenticationError": "refused",
    "NoPermissionError": "refused",
    "ConnectionError": "gone",
    "OSError": "gone",
}


def _word(fault: Exception) -> str:
    """What is wrong with Redis, in a word."""
    kinds = (kind.__name__ for kind in type(fault).__mro__)
    return next((_WORDS[kind] for kind in kinds if kind in _WORDS), "error")
