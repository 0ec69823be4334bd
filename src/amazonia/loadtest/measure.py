"""Letting a crowd play against a server while its processor time is counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazonia.loadtest.crowd import crowd
from amazonia.loadtest.figures import Turn, failed, firsts, percentile, wholes
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import Running
from amazonia.loadtest.report import Result
from amazonia.loadtest.servers import Provider

DEADLINE = 18.0
"""Seconds within which the game answers whatever happens, unless set otherwise."""
OLD_PATIENCE = 40.0
"""Seconds that players of the old cure wait: it takes twice 18 s, and a backoff."""
RECORDED = 200
"""How many of the game's requests are played again to the relay and to the provider."""


@dataclass(frozen=True, slots=True)
class Quick:
    """How much of everything: whole, or a glimpse that shows that it works.

    Attributes:
        lasting: minutes that cases last which are about time, if somebody said so; 0 if not.
    """

    on: bool
    lasting: float = 0.0

    def or_(self, whole: float, glimpse: float) -> float:
        """The amount to use."""
        return glimpse if self.on else whole

    def minutes(self, whole: float, glimpse: float) -> float:
        """The minutes of a case that is about time."""
        return self.lasting or self.or_(whole, glimpse)

    def count(self, whole: int, glimpse: int) -> int:
        """The number to use."""
        return glimpse if self.on else whole


@dataclass(frozen=True, slots=True)
class Measured:
    """What a crowd and its server did.

    Attributes:
        cpu: seconds of processor time of the server, every process of it.
        took: seconds from the first turn's beginning to the last one's end.
        memory: PSS of the server at the end, in bytes.
    """

    turns: list[Turn]
    cpu: float
    took: float
    memory: int

    @property
    def answered(self) -> int:
        """How many turns were answered."""
        return len(self.turns) - len(failed(self.turns))

    @property
    def cpu_a_turn(self) -> float:
        """Seconds of processor time for each answered turn; NaN if there was none."""
        return self.cpu / self.answered if self.answered else float("nan")

    @property
    def rate(self) -> float:
        """Answered turns a second."""
        return self.answered / self.took

    def whole(self, quantile: float) -> float:
        """A percentile of the time to the whole reply."""
        return percentile(wholes(self.turns), quantile)

    def first(self, quantile: float) -> float:
        """A percentile of the time to the first sentence."""
        return percentile(firsts(self.turns), quantile)

    def into(self, result: Result, who: str) -> None:
        """Note the figures that every comparison needs."""
        result.note(
            who,
            turns=len(self.turns),
            failed=len(failed(self.turns)),
            whole_p50=self.whole(0.5),
            whole_p99=self.whole(0.99),
            whole_p100=self.whole(1.0),
            first_p50=self.first(0.5),
            first_p99=self.first(0.99),
            cpu_a_turn=self.cpu_a_turn,
            rate=self.rate,
            memory=self.memory,
        )


async def measure(server: Running, plan: Plan) -> Measured:
    """Let a crowd play; its teams are made before the clock starts."""
    players = await crowd(plan)
    try:
        cpu, begun = server.cpu(), time.perf_counter()
        turns = await players.play()
        return Measured(turns, server.cpu() - cpu, time.perf_counter() - begun, server.memory())
    finally:
        players.end()


@dataclass(frozen=True, slots=True)
class Replay:
    """The game's calls, as the provider saw them.

    Attributes:
        bodies: some requests, to be sent again by others: the same words to be spoken.
        asked: call ids and the question that each was about, as the prompt holds it.
        calls: how many calls there were of any kind.
    """

    bodies: tuple[dict[str, Any], ...]
    asked: dict[str, str]
    calls: int


async def replay_of(provider: Provider) -> Replay:
    """What the game asked of a provider that nobody else asked."""
    chats = [call for call in await provider.calls() if call["kind"] == "chat"]
    return Replay(
        bodies=tuple(call["body"] for call in chats[:RECORDED]),
        asked={call["id"]: question_of(call["body"]) for call in chats},
        calls=int((await provider.stats())["calls"]),
    )


def question_of(body: Mapping[str, Any]) -> str:
    """The last thing that a request says as the user: the player's question, perhaps framed."""
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return str(said[-1]) if said else ""


def sources(turns: Sequence[Turn]) -> str:
    """Who spoke how often, in words."""
    counts: dict[str, int] = {}
    for turn in turns:
        who = turn.fault or turn.source or "?"
        counts[who] = counts.get(who, 0) + 1
    return ", ".join(f"{who} {count}" for who, count in sorted(counts.items()))
