"""What the provider remembers of its calls: counts, cancellations, the last requests."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Kind = Literal["chat", "classify", "embeddings"]
Outcome = Literal["completed", "cancelled", "failed"]

KEPT_CALLS = 2000
KEPT_BYTES = 64 * 1024 * 1024
KEPT_CANCELLATIONS = 1000
KEPT_MODELS = 200
LONGEST_MODEL = 100
OTHER_MODELS = "(others)"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood.

    Attributes:
        at: epoch seconds of its arrival.
        body: the request's JSON.
    """

    id: str
    at: float
    kind: Kind
    profile: str
    model: str
    body: bytes


class Book:
    """Counts calls. `calls` = `completed` + `cancelled` + `failed` + those in flight."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin an empty book; `now` gives epoch seconds."""
        self._now = now
        self._in_flight = 0
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._bytes = 0
        self.reset()

    def reset(self) -> None:
        """Forget all but the calls in flight, which count as calls of the new page."""
        self._outcomes: Counter[Outcome] = Counter()
        self._kinds: Counter[Kind] = Counter()
        self._profiles: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._cancelled: deque[dict[str, Any]] = deque(maxlen=KEPT_CANCELLATIONS)
        self._count = self._peak = self._in_flight
        self._calls.clear()
        self._bytes = 0

    def begin(self, call: Call) -> None:
        """A call has come."""
        self._count += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        self._kinds[call.kind] += 1
        self._profiles[call.profile] += 1
        self._models[self._shown_model(call.model)] += 1
        self._keep(call)

    def end(self, call: Call, outcome: Outcome) -> None:
        """A call has been answered to its end, been left by its client, or been failed by us."""
        self._in_flight -= 1
        self._outcomes[outcome] += 1
        if outcome == "cancelled":
            self._cancelled.append({"at": self._now(), "call": call.id})

    def stats(self) -> dict[str, Any]:
        """The counts, as `GET /stats` shows them."""
        return {
            "calls": self._count,
            "in_flight": self._in_flight,
            "peak": self._peak,
            "completed": self._outcomes["completed"],
            "cancelled": self._outcomes["cancelled"],
            "failed": self._outcomes["failed"],
            "by_kind": dict(self._kinds),
            "by_profile": dict(self._profiles),
            "by_model": dict(self._models),
            "cancelled_at": list(self._cancelled),
        }

    def last(self, how_many: int) -> list[dict[str, Any]]:
        """The last calls with their requests' bodies, oldest first."""
        chosen = list(self._calls)[max(0, len(self._calls) - how_many) :]
        return [
            {
                "id": call.id,
                "at": call.at,
                "kind": call.kind,
                "profile": call.profile,
                "body": orjson.loads(call.body),
            }
            for call in chosen
        ]

    def _shown_model(self, model: str) -> str:
        """The name to count it under; clients choose names, so length and number are bounded."""
        name = model[:LONGEST_MODEL]
        is_known = name in self._models or len(self._models) < KEPT_MODELS
        return name if is_known else OTHER_MODELS

    def _keep(self, call: Call) -> None:
        if len(self._calls) == KEPT_CALLS:
            self._bytes -= len(self._calls.popleft().body)
        self._calls.append(call)
        self._bytes += len(call.body)
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._calls.popleft().body)
