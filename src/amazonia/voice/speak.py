"""Who speaks: a reply that is kept, then the providers, and the authored lines when all else fails.

Every sentence of a model has passed the guard before anybody sees it. When a voice breaks off,
whole sentences that were shown stay, and the authored lines carry on in the character's own voice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import blake2s
from time import perf_counter
from zlib import crc32

import structlog

from amazonia.domain.gates import Holds
from amazonia.domain.language import fold
from amazonia.domain.session import holds
from amazonia.ports import Deadline as AnyDeadline
from amazonia.ports import Json, Performance, Said, Source, VoiceFailed
from amazonia.voice.chain import Ask, Chain, Finish
from amazonia.voice.deadline import Deadline
from amazonia.voice.flights import Flights
from amazonia.voice.guard import Fault, Guard, Scene, names_secret
from amazonia.voice.prompt import VERSION, Prompt, beat_texts, counter_texts, perform_prompt
from amazonia.voice.providers import Request
from amazonia.voice.scripted import Splitter, authored, is_whole, sentences

__all__ = ["Deadline", "ScriptedVoice", "Speaker", "authored_reply", "completion"]

log = structlog.get_logger()

AUTHORED = frozenset({"locked", "waiting", "unsure", "declined"})
"""Beats that no model performs: what is asked for is locked or not to be talked about, or the
buttons say it all."""
LONGEST_SENTENCE = 600
"""Characters after which a sentence is not waited for any longer."""
RESERVE = 0.5
"""Seconds kept back of every deadline for the authored lines and for saving."""


def authored_reply(performance: Performance) -> list[str]:
    """The sentences of a performance as its authors wrote them."""
    text = authored(performance.words, performance.character, performance.lines)
    return list(sentences(text))


def completion(performance: Performance, shown: Sequence[Said]) -> list[Said]:
    """What is still to be said when a voice broke off: the authored lines, all of them.

    After sentences that were shown already, a short authored bridge makes the repetition natural.
    """
    whole = authored_reply(performance)
    bridges = performance.words.characters[performance.character].resume
    if shown and bridges:
        whole.insert(0, bridges[crc32(performance.key.encode()) % len(bridges)])
    return [Said(sentence, "scripted") for sentence in whole]


@dataclass(frozen=True, slots=True)
class ScriptedVoice:
    """The `Voice` port: speaks the authored lines at once."""

    async def speak(self, performance: Performance, deadline: AnyDeadline) -> AsyncGenerator[Said]:
        """The authored sentences."""
        del deadline  # nothing here takes time
        for sentence in authored_reply(performance):
            yield Said(sentence, "scripted")

    def view(self) -> list[Json]:
        """No provider."""
        return []


@dataclass(frozen=True, slots=True)
class Speaker:
    """The `Voice` port: lets models perform beats.

    Attributes:
        max_tokens: of a reply.
    """

    chain: Chain
    flights: Flights
    max_tokens: int

    async def speak(self, performance: Performance, deadline: AnyDeadline) -> AsyncGenerator[Said]:
        """The sentences of whoever performs.

        Raises:
            VoiceFailed: a model broke off or none could speak.
        """
        if not self._may_be_performed(performance):
            for sentence in authored_reply(performance):
                yield Said(sentence, "scripted")
            return
        source: Source = "scripted"
        async with aclosing(self._hear(performance, deadline)) as performed:
            async for said in performed:
                source = said.source
                yield said
        for text in counter_texts(performance):
            for sentence in sentences(text):
                yield Said(sentence, source)

    def view(self) -> list[Json]:
        """How the providers are, for the health page."""
        return self.chain.view()

    def _may_be_performed(self, performance: Performance) -> bool:
        """No model is asked about what is locked, so that it cannot even say yes or no to it."""
        if performance.kind in AUTHORED or not beat_texts(performance):
            return False
        case, words = performance.case, performance.words
        return not names_secret(case, words, performance.message, _holds(performance))

    async def _hear(self, performance: Performance, deadline: AnyDeadline) -> AsyncGenerator[Said]:
        """A kept reply, one under way, or a new one."""
        performance = _without_secrets(performance)
        prompt = perform_prompt(performance)
        request = Request(prompt.messages, self.max_tokens)
        ask = Ask(request, prompt.tokens, performance.spender, performance.turn)
        key = None if performance.history else self._key(performance)
        if not self.chain.is_ready:
            self.chain.probe(ask)
            for sentence in await self._kept(key):
                yield Said(sentence, "cache")
            return

        def lead() -> AsyncGenerator[str]:
            return self._perform(performance, prompt, ask, deadline)

        async with aclosing(self.flights.hear(key, lead)) as heard:
            async for said in heard:
                yield said

    async def _kept(self, key: str | None) -> Sequence[str]:
        kept = await self.flights.cached(key) if key else None
        if kept is None:
            raise VoiceFailed("no_provider")
        return kept

    async def _perform(
        self, performance: Performance, prompt: Prompt, ask: Ask, deadline: AnyDeadline
    ) -> AsyncGenerator[str]:
        """The guarded sentences of a model, completed with what the beat must say besides.

        Raises:
            VoiceFailed: it broke off, or the guard refused a sentence.
        """
        guard = _Timed(Guard(_scene(performance, prompt)))
        splitter, said, cut = Splitter(), False, False
        pieces = self.chain.stream(ask, _Earlier(deadline, RESERVE), lambda: said)
        async with aclosing(pieces):
            async for piece in pieces:
                match piece:
                    case None:
                        splitter = Splitter()
                    case Finish(reason):
                        cut = reason == "length"
                    case text:
                        for sentence in splitter.feed(text):
                            if passed := _pass(guard, sentence):
                                said = True
                                yield passed
                        if splitter.length > LONGEST_SENTENCE:
                            raise VoiceFailed("guard")
        last = splitter.rest()
        is_kept = is_whole(last) or not (cut or said)
        if last and is_kept and (passed := _pass(guard, last)):
            said = True
            yield passed
        log.info("guard.read", turn=performance.turn, **guard.view())
        if not said:
            raise VoiceFailed("empty")
        for sentence in _missing(performance, guard.missing()):
            yield sentence

    def _key(self, performance: Performance) -> str:
        """What two performances that may share a reply have in common."""
        parts = (
            performance.case.revision,
            performance.lang,
            performance.character,
            performance.kind,
            performance.lines,
            performance.key,
            performance.shown,
            self.chain.signature,
            self.max_tokens,
            VERSION,
        )
        return blake2s(repr(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A deadline, some seconds before another."""

    deadline: AnyDeadline
    seconds: float

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.deadline.left() - self.seconds)

    def cap(self, seconds: float) -> float:
        """The time that a stage may take."""
        return min(seconds, self.left())


def _without_secrets(performance: Performance) -> Performance:
    """Without earlier questions that name what is locked: their replies were authored lines."""
    case, words = performance.case, performance.words
    locked = _holds(performance)
    kept = (e for e in performance.history if not names_secret(case, words, e.message, locked))
    return replace(performance, history=tuple(kept)) if performance.history else performance


def _holds(performance: Performance) -> Holds:
    return holds(performance.case, performance.state)


def _nothing(_: str) -> bool:
    return False


def _scene(performance: Performance, prompt: Prompt) -> Scene:
    """What the guard measures sentences by: of the team only what the prompt holds of it."""
    return Scene(
        case=performance.case,
        words=performance.words,
        language=performance.language,
        character=performance.character,
        lines=performance.lines,
        message=performance.message,
        holds=_holds(performance) if performance.history else _nothing,
        known=(*prompt.known, *(exchange.reply for exchange in performance.history)),
        prompt=prompt.instructions,
    )


class _Timed:
    """A guard with a clock beside it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._sentences = 0
        self._seconds = 0.0

    def read(self, sentence: str) -> str | Fault:
        """Read a sentence."""
        began = perf_counter()
        passed = self._guard.read(sentence)
        self._seconds += perf_counter() - began
        self._sentences += 1
        return passed

    def missing(self) -> tuple[str, ...]:
        """What the beat must say and was not yet said."""
        return self._guard.missing()

    def view(self) -> Json:
        """How many sentences, in how many seconds."""
        return {"sentences": self._sentences, "seconds": round(self._seconds, 6)}


def _pass(guard: _Timed, sentence: str) -> str:
    """A sentence as the guard lets it pass; "" if nothing of it is left.

    Raises:
        VoiceFailed: the guard refuses it.
    """
    passed = guard.read(sentence)
    if isinstance(passed, Fault):
        log.info("guard.refused", reason=passed.reason)
        raise VoiceFailed("guard")
    return passed


def _missing(performance: Performance, musts: Sequence[str]) -> list[str]:
    """The authored sentences that say what a model left out."""
    if not musts:
        return []
    whole = [s for text in beat_texts(performance) for s in sentences(text)]
    wanted = [s for s in whole if any(_says(s, must) for must in musts)]
    return wanted or whole


def _says(sentence: str, must: str) -> bool:
    folded = fold(sentence)
    return any(fold(alternative) in folded for alternative in must.split("|"))
