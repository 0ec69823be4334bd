"""The providers in order: who is asked, how often, and what happens when they do not answer.

This is the one place that tries again. Each provider has a breaker and an adaptive limit; retries
and hedges have budgets of their own; tokens and money are reserved before a call and settled
after it, also when the call was broken off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import structlog

from amazonia.ports import Chance, Deadline, Json, VoiceFailed
from amazonia.voice.breaker import Admission, Breaker
from amazonia.voice.budget import Bill, Budget
from amazonia.voice.deadline import Deadline as OwnDeadline
from amazonia.voice.failures import ProviderFailed
from amazonia.voice.hedge import Open, race
from amazonia.voice.limits import Concurrency, Overloaded, RetryBudget
from amazonia.voice.providers import Provider, Reply, Request, Usage

log = structlog.get_logger()

QUEUE_PATIENCE = 0.25
"""Seconds that a call waits for its turn at a busy provider."""
BACKOFF = 0.2
"""Seconds before a retry, and as many again by chance."""
PARK_UNAUTHORIZED = 300.0
PARK_RATE_LIMITED = 2.0
"""Seconds for which a provider is left alone after a 401, and after a 429 that names no time."""
PROBE_TOKENS = 16
REMEMBERED = 200
"""Calls whose durations are remembered, for the health page."""


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds.

    Attributes:
        first: until the first word of a reply.
        gap: between two words.
        hedge: after which another provider is asked as well; 0 for never.
    """

    first: float = 6.0
    gap: float = 4.0
    hedge: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of whichever provider answers.

    Attributes:
        tokens: of the prompt, about.
        spender: who pays.
        turn: whose sake it is for, in the log.
    """

    request: Request
    tokens: int
    spender: str
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a reply, and why it ended: ``stop``, or ``length`` if it was cut to size."""

    reason: str


Piece = str | Finish | None
"""A piece of a reply; its end; or None: what came before it is void, another attempt begins."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A provider with what protects it from us and us from it."""

    provider: Provider
    breaker: Breaker
    slots: Concurrency
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    probing: list[asyncio.Task[None]] = field(default_factory=list)
    switched_on: Callable[[], bool] = lambda: True
    """Whether an administrator lets it be asked."""

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.endpoint.name

    @property
    def is_ready(self) -> bool:
        """Whether it may be asked now."""
        return self.breaker.state == "closed" and self.switched_on()

    @property
    def is_calm(self) -> bool:
        """Whether it has room and hardly fails: only then is a second call worth its price."""
        view = self.breaker.view()
        busy = self.slots.in_flight > 0.8 * self.slots.limit or self.slots.waiting
        return self.is_ready and not busy and view.failures * 5 <= view.calls

    def view(self) -> Json:
        """How it is, for the health page."""
        view, on = self.breaker.view(), self.switched_on()
        return {
            "name": self.name,
            "model": self.provider.endpoint.model,
            "state": view.state if on else "off",
            "why": view.why if on else "switched_off",
            "retry_in_s": round(view.retry_in, 1),
            "last_success_s": None if view.last_success is None else round(view.last_success, 1),
            "p95_s": _p95(self.seconds),
            "calls": view.calls,
            "failures": view.failures,
            "in_flight": self.slots.in_flight,
            "limit": round(self.slots.limit),
        }


@dataclass(frozen=True, slots=True)
class Chain:
    """Providers, the preferred one first.

    Attributes:
        retries: how many calls of one turn may repeat another.
        spare: the process's budget for them; `extra` is that for hedges.
    """

    channels: Sequence[Channel]
    timers: Timers
    retries: int
    spare: RetryBudget
    extra: RetryBudget
    budget: Budget
    chance: Chance
    monotonic: Callable[[], float]

    @property
    def is_ready(self) -> bool:
        """Whether any provider may be asked now."""
        return any(channel.is_ready for channel in self.channels)

    @property
    def signature(self) -> str:
        """Which models speak, for telling their replies from others'."""
        ends = (channel.provider.endpoint for channel in self.channels)
        return " ".join(f"{end.base_url}|{end.model}" for end in ends)

    async def stream(
        self, ask: Ask, deadline: Deadline, shown: Callable[[], bool]
    ) -> AsyncGenerator[Piece]:
        """A reply, piece by piece, from the first provider that gives one.

        Args:
            shown: whether anything of it was shown; from then on nothing is tried again.

        Raises:
            VoiceFailed: nobody gave one, or the one who did broke off after it was shown.
        """
        self.probe(ask)
        tried: list[Channel] = []
        retries, failure = self.retries, "no_provider"
        last: ProviderFailed | None = None
        while True:
            channel, admitted = self._next(tried), "go"
            if channel is None:
                admitted = await self._repeat(last, tried, deadline) if retries else "stop"
                if admitted == "stop":
                    raise VoiceFailed(failure)
                retries, channel = retries - 1, tried[-1]
            tried.append(channel)
            probe = admitted == "probe"
            try:
                async with aclosing(self._attempt(ask, tried, deadline, probe=probe)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except Overloaded:
                failure, last = "overloaded", None
            except ProviderFailed as exc:
                failure, last = exc.kind, exc
                if shown():
                    raise VoiceFailed(exc.kind) from exc
            yield None

    async def answer(self, ask: Ask, seconds: float) -> str:
        """A short whole answer of the first provider that is ready, asked once.

        It says nothing about how well the provider speaks, so its breaker is not told.

        Raises:
            VoiceFailed: there was none in time.
        """
        channel = self._next(())
        if channel is None:
            raise VoiceFailed("no_provider")
        try:
            async with (
                asyncio.timeout(seconds),
                channel.slots.slot(seconds / 4),
                self._paid(ask) as bill,
            ):
                answer = await channel.provider.ask(ask.request, left=seconds)
                bill.said = len(answer)
                return answer
        except ProviderFailed as exc:
            raise VoiceFailed(exc.kind) from exc
        except Overloaded as exc:
            raise VoiceFailed("overloaded") from exc
        except TimeoutError as exc:
            raise VoiceFailed("silent") from exc

    def probe(self, ask: Ask) -> None:
        """Ask providers that failed whether they are well again. No player waits for it."""
        for channel in self.channels:
            if channel.switched_on() and channel.breaker.admit() == "probe":
                channel.probing[:] = [asyncio.create_task(self._probe(channel, ask))]

    async def close(self) -> None:
        """Break off the probes under way and settle what was spent."""
        for channel in self.channels:
            for task in channel.probing:
                task.cancel()
            await asyncio.gather(*channel.probing, return_exceptions=True)
        await self.budget.close()

    def view(self) -> list[Json]:
        """How the providers are, for the health page."""
        return [channel.view() for channel in self.channels]

    def _next(self, tried: Sequence[Channel]) -> Channel | None:
        return next((c for c in self.channels if c.is_ready and c not in tried), None)

    async def _repeat(
        self, failure: ProviderFailed | None, tried: Sequence[Channel], deadline: Deadline
    ) -> Admission:
        """Whether the last call may be made again, after a pause that the deadline allows."""
        if failure is None or not failure.retryable or not tried[-1].switched_on():
            return "stop"
        pause = failure.retry_after or BACKOFF * (1 + self.chance.number(1000) / 1000)
        fits = pause + self.timers.first <= deadline.left()
        is_parked = tried[-1].breaker.view().retry_in > pause
        if not fits or is_parked or not self.spare.take():
            return "stop"
        await asyncio.sleep(pause)
        return tried[-1].breaker.admit()

    async def _attempt(
        self, ask: Ask, tried: list[Channel], deadline: Deadline, *, probe: bool
    ) -> AsyncGenerator[Piece]:
        """One call, or two at once if the first is slow and hedging is on."""
        channel = tried[-1]
        second = self._next(tried) if self.timers.hedge and not probe else None
        if second is None:
            async with self._call(channel, ask, deadline, probe=probe) as reply:
                async for text in reply:
                    yield text
            yield Finish(reply.finish)
            return

        def may_hedge() -> bool:
            calm = channel.is_calm and second.is_calm and self.extra.take()
            if calm:
                tried.append(second)
            return calm

        def opener(of: Channel) -> Open:
            return lambda: self._call(of, ask, deadline)

        speakers = race(opener(channel), opener(second), self.timers.hedge, may_hedge)
        async with aclosing(speakers) as pieces:
            async for piece in pieces:
                yield Finish(piece.finish) if isinstance(piece, Reply) else piece

    @asynccontextmanager
    async def _call(
        self, channel: Channel, ask: Ask, deadline: Deadline, *, probe: bool = False
    ) -> AsyncIterator[Reply]:
        """Call a provider and keep the books of how it went.

        Raises:
            ProviderFailed: what it did instead of answering.
            Overloaded: too many calls are under way.
            VoiceFailed: there is no money left.
        """
        bill: Bill | None = None
        reply: Reply | None = None
        started = self.monotonic()
        try:
            async with channel.slots.slot(QUEUE_PATIENCE), self._paid(ask) as bill:
                self.spare.called()
                self.extra.called()
                started = self.monotonic()
                model = channel.provider.endpoint.model
                log.info(
                    "voice.called", provider=channel.name, model=model, turn=ask.turn, probe=probe
                )
                first, gap, left = self.timers.first, self.timers.gap, deadline.left()
                call = channel.provider.call(ask.request, first=first, gap=gap, left=left)
                async with call as reply:
                    try:
                        yield reply
                    finally:
                        bill.usage, bill.said = reply.usage, reply.characters
                channel.slots.succeeded()
        except ProviderFailed as exc:
            facts = self._facts(channel, ask, started, bill, reply)
            self._note_failure(channel, exc, facts, probe=probe)
            raise
        except BaseException:  # broken off by us, which is nobody's fault
            channel.breaker.let_go(probe=probe)
            if reply is not None:
                log.info("voice.left", **self._facts(channel, ask, started, bill, reply))
            raise
        channel.breaker.succeeded(probe=probe)
        channel.seconds.append(self.monotonic() - started)
        log.info("voice.answered", **self._facts(channel, ask, started, bill, reply))

    def _facts(
        self, channel: Channel, ask: Ask, started: float, bill: Bill | None, reply: Reply | None
    ) -> Json:
        """What is worth knowing of a call that is over, for the log and the metrics."""
        used = bill.used() if bill is not None else Usage(0, 0)
        first = reply.first_after if reply is not None else None
        return {
            "provider": channel.name,
            "model": channel.provider.endpoint.model,
            "turn": ask.turn,
            "seconds": round(self.monotonic() - started, 3),
            "first_s": None if first is None else round(first, 3),
            "prompt_tokens": used.prompt,
            "reply_tokens": used.completion,
            "cost": self.budget.allowance.micros(used.prompt, used.completion) / 1e6,
        }

    def _note_failure(
        self, channel: Channel, failure: ProviderFailed, facts: Json, *, probe: bool
    ) -> None:
        why = {"reason": failure.kind, "status": failure.status, "detail": failure.detail}
        log.warning("voice.failed", **facts, **why)
        is_news = channel.breaker.view().why != failure.kind
        channel.breaker.failed(failure.kind, probe=probe)
        if failure.kind in {"rate_limited", "server", "silent"}:
            channel.slots.overloaded()
        if failure.kind == "rate_limited":
            channel.breaker.park(failure.retry_after or PARK_RATE_LIMITED, failure.kind)
        elif failure.kind == "unauthorized":
            channel.breaker.park(PARK_UNAUTHORIZED, failure.kind)
            if is_news:
                log.error(
                    "provider.unauthorized", provider=channel.name, parked_s=PARK_UNAUTHORIZED
                )

    async def _probe(self, channel: Channel, ask: Ask) -> None:
        short = replace(ask, request=replace(ask.request, max_tokens=PROBE_TOKENS))
        deadline = OwnDeadline.after(self.timers.first + self.timers.gap, self.monotonic)
        try:
            async with self._call(channel, short, deadline, probe=True) as reply:
                async for _ in reply:
                    pass
        except (ProviderFailed, Overloaded, VoiceFailed) as exc:
            log.info("provider.still_down", provider=channel.name, reason=str(exc))
        else:
            log.info("provider.back", provider=channel.name)

    @asynccontextmanager
    async def _paid(self, ask: Ask) -> AsyncIterator[Bill]:
        """Reserve what a call may cost; settle what it did cost, also if it was broken off."""
        bill = await self.budget.reserve(ask.spender, ask.tokens, ask.request.max_tokens)
        if bill is None:
            raise VoiceFailed("budget")
        try:
            yield bill
        except ProviderFailed as exc:
            bill.is_free = exc.kind in {"refused", "unauthorized", "rate_limited"}
            raise
        finally:
            self.budget.settle(bill)


def _p95(seconds: Sequence[float]) -> float | None:
    ordered = sorted(seconds)
    return round(ordered[int(len(ordered) * 0.95)], 2) if ordered else None
