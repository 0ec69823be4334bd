"""A player's place, and what was heard there."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from amazonia.loadtest.plans import Plan


@dataclass(slots=True)
class Heard:
    """What has come of a turn so far.

    Attributes:
        turn: its id, once it is accepted and where the way of asking tells.
        refused: how often the game said "later".
        resumed: how often the line broke and was taken up again.
        broke_at: when it broke, while it is down.
        longest_gap: seconds of the longest time without it.
    """

    first_at: float | None = None
    done: bool = False
    source: str = ""
    kind: str = ""
    fault: str = ""
    reply: str = ""
    call: str = ""
    listening: bool = False
    turn: str = ""
    refused: int = 0
    resumed: int = 0
    broke_at: float | None = None
    longest_gap: float = 0.0

    def begin(self) -> None:
        """A first sentence is complete."""
        if self.first_at is None:
            self.first_at = time.perf_counter()

    def finish(self, data: Mapping[str, Any]) -> None:
        """The whole reply came."""
        self.done = True
        self.source, self.kind = str(data.get("source", "")), str(data.get("kind", ""))
        self.reply = str(data.get("reply", ""))
        if not self.reply.strip():
            self.fault = "empty reply"


@dataclass(slots=True)
class Seat:
    """A player's place.

    Attributes:
        cookie: its team's, with the game.
        number: of the player among all.
        turn: the number of its next turn.
    """

    number: int
    http: aiohttp.ClientSession
    plan: Plan
    chance: random.Random
    cookie: str = ""
    turn: int = 0
