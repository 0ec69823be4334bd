"""A provider's opinion on what a player typed, beside the filter that works alone.

Asked as OpenAI's ``POST /moderations`` is. It has very little time: an endpoint that is slow or
broken is left alone for a while, and the filter (`amazonia.domain.decency`) then decides by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter

import aiohttp
import orjson
import structlog
from yarl import URL

from amazonia.ports import Concern, Deadline
from amazonia.voice.breaker import Breaker
from amazonia.voice.providers import Endpoint

log = structlog.get_logger()

PATIENCE = 0.8
"""Seconds of the deadline that an opinion may take; a second opinion on the topic takes longer."""
LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer; more is none."""

_MEANS: Mapping[str, Concern] = {
    "self-harm": "distress",
    "self-harm/intent": "distress",
    "self-harm/instructions": "distress",
    "hate": "hate",
    "hate/threatening": "hate",
    "sexual": "sexual",
    "sexual/minors": "sexual",
    "illicit/violent": "harmful",
    "harassment": "insult",
    "harassment/threatening": "insult",
}
"""What a category is to us, the gravest first. `violence` and `illicit` are nothing: the stories
are about crime, and their honest questions sound like that."""


class Unusable(Exception):
    """The endpoint gave no opinion."""


class EndpointModeration:
    """The `Moderation` port, by a provider."""

    def __init__(
        self, endpoint: Endpoint, http: aiohttp.ClientSession, monotonic: Callable[[], float]
    ) -> None:
        """Args:
        endpoint: where `/moderations` is, its model and its key.
        monotonic: the clock, in seconds.
        """
        base = URL(endpoint.base_url)
        self._url = (base / "moderations").with_query(base.query)
        self._model = endpoint.model
        self._headers = {"Content-Type": "application/json"}
        if endpoint.api_key:
            self._headers["Authorization"] = f"Bearer {endpoint.api_key}"
        self._http = http
        self._breaker = Breaker(monotonic, least=3, window=10)
        self._why = ""

    async def judge(self, message: str, deadline: Deadline) -> Concern | None:
        """What the endpoint finds in a message; None if that is nothing, or it cannot say."""
        admitted = self._breaker.admit()
        if admitted == "stop":
            return None
        probe, began = admitted == "probe", perf_counter()
        try:
            async with asyncio.timeout(deadline.cap(PATIENCE)):
                found = await self._ask(message)
        except (TimeoutError, aiohttp.ClientError, OSError, Unusable) as exc:
            self._breaker.failed("silent", probe=probe)
            self._why = _why(exc)
            seconds = round(perf_counter() - began, 2)
            log.warning("moderation.failed", reason=self._why, seconds=seconds)
            return None
        except BaseException:
            self._breaker.let_go(probe=probe)
            raise
        self._breaker.succeeded(probe=probe)
        self._why = ""
        return found

    def view(self) -> tuple[str, str]:
        """``ok``, or ``degraded`` while the filter works alone, and why; for the health page."""
        return ("degraded" if self._why else "ok"), self._why

    async def _ask(self, message: str) -> Concern | None:
        body = orjson.dumps({"model": self._model, "input": message})
        async with self._http.post(
            self._url, data=body, headers=self._headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise Unusable(f"status {response.status}")
            answer = await response.content.read(LONGEST_ANSWER + 1)
            while len(answer) <= LONGEST_ANSWER and not response.content.at_eof():
                answer += await response.content.readany()
        return read_judgement(answer[: LONGEST_ANSWER + 1])


def read_judgement(answer: bytes) -> Concern | None:
    """What an answer of the endpoint says.

    Raises:
        Unusable: it is none.
    """
    if len(answer) > LONGEST_ANSWER:
        raise Unusable("too long")
    try:
        (result,) = orjson.loads(answer)["results"]
        flagged, categories = result["flagged"], result.get("categories") or {}
        named = {name for name, found in categories.items() if found is True}
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise Unusable("nonsense") from exc
    if flagged is not True:
        return None
    if not categories:  # a server that only says yes or no
        return "insult"
    return next((concern for name, concern in _MEANS.items() if name in named), None)


def _why(exc: Exception) -> str:
    match exc:
        case TimeoutError():
            return "silent"
        case Unusable():
            return str(exc)
    return "unreachable"
