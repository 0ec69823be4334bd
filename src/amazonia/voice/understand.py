"""A second opinion on a question that the director is not sure about.

A model is told the open topics of the character, by number and with the words that players see on
buttons, and answers with a number. What it says opens nothing: rules decide what is revealed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from hashlib import blake2s

import structlog

from amazonia.domain.case import TopicId
from amazonia.ports import Deadline, Unclear, VoiceFailed
from amazonia.voice.breaker import Breaker
from amazonia.voice.chain import Ask, Chain
from amazonia.voice.flights import Flights
from amazonia.voice.prompt import CHOICE_TOKENS, VERSION, choose_prompt
from amazonia.voice.providers import Request

log = structlog.get_logger()

PATIENCE = 1.5
"""Seconds of the deadline that a second opinion may take in all."""
ANSWER = 1.4
"""Seconds of them that the provider has, so that its own lateness is known for what it is."""
_NUMBER = re.compile(r"\W*(\d{1,3})\W*")
_NONE = re.compile(r"\W*(none|nenhum[ao]?|nada)\W*", re.IGNORECASE)


class ModelUnderstanding:
    """The `Understanding` port, by a provider."""

    def __init__(self, chain: Chain, flights: Flights, breaker: Breaker) -> None:
        """Args:
        breaker: stops asking a provider that is too slow for this, fast as it may speak.
        """
        self._chain = chain
        self._flights = flights
        self._breaker = breaker

    async def choose(self, question: Unclear, deadline: Deadline) -> Sequence[TopicId] | None:
        """The topic that the question is about, or none of them; None if it cannot say."""
        if not self._chain.is_ready or self._breaker.state == "open":
            return None  # at once, without asking whether another team's answer is kept
        topics = list(question.topics)

        async def lead() -> AsyncGenerator[str]:
            yield await self._ask(question, deadline)

        try:
            async with asyncio.timeout(deadline.cap(PATIENCE)):
                async with aclosing(self._flights.hear(self._key(question), lead)) as heard:
                    answers = [said.text async for said in heard]
        except (VoiceFailed, TimeoutError) as exc:
            log.info("understanding.failed", reason=str(exc) or "silent")
            return None
        return [topics[int(number) - 1] for number in answers if number != "none"]

    async def _ask(self, question: Unclear, deadline: Deadline) -> str:
        """A number of the list, or ``none``.

        Raises:
            VoiceFailed: no provider is ready, it was too slow or it talked nonsense.
        """
        probe = self._admit()
        prompt = choose_prompt(question)
        request = Request(prompt.messages, CHOICE_TOKENS, temperature=0.0)
        ask = Ask(request, prompt.tokens, question.spender)
        try:
            answer = read_answer(await self._chain.answer(ask, deadline.cap(ANSWER)), question)
        except VoiceFailed as exc:
            if exc.reason == "budget":
                self._breaker.let_go(probe=probe)
            else:
                self._breaker.failed("silent", probe=probe)
            raise
        except BaseException:
            self._breaker.let_go(probe=probe)
            raise
        self._breaker.succeeded(probe=probe)
        return answer

    def _admit(self) -> bool:
        """Whether this call is the breaker's probe."""
        if not self._chain.is_ready:
            raise VoiceFailed("no_provider")
        admitted = self._breaker.admit()
        if admitted == "stop":
            raise VoiceFailed("too_slow")
        return admitted == "probe"

    def _key(self, question: Unclear) -> str:
        parts = (
            "understand",
            question.case.revision,
            question.lang,
            question.character,
            tuple(question.topics),
            question.key,
            self._chain.signature,
            VERSION,
        )
        return blake2s(repr(parts).encode()).hexdigest()


def read_answer(answer: str, question: Unclear) -> str:
    """The answer, if it is one.

    Raises:
        VoiceFailed: it is not.
    """
    if _NONE.fullmatch(answer):
        return "none"
    number = _NUMBER.fullmatch(answer)
    if number is None or not 1 <= int(number[1]) <= len(question.topics):
        raise VoiceFailed("nonsense")
    return str(int(number[1]))
