"""What a crowd of players does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from amazonia.loadtest.questions import Question

Way = Literal["page", "stream", "json", "relay", "provider", "old", "resume"]
"""How a player reads: the game as its page does (202, then events), as one stream or as JSON; the
relay's stream; the provider itself; the old cure's JSON. `resume` is the page on a bad line: it
sends and listens again whenever the connection breaks."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotHere(ValueError):
    """Players may load servers on this machine only."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crowd does.

    Attributes:
        seconds: no turn is begun after as many; 0 is no limit.
        turns: most turns of each player; 0 is no limit. One of the two limits is needed.
        begin: the number of a player's first turn; what comes before was asked by another crowd.
        think: shortest and longest pause between turns; the first is somewhere in it, too.
        patience: seconds after which a player gives a turn up.
        first, count, players: this process plays players `first` to `first + count` of `players`.
        same: everybody asks this one question, at once.
        say: questions to go through instead of the pool.
        bodies: recorded requests to send to the relay or the provider instead of the pool.
        leave: seconds after which players go away without waiting, between these two.
        keep: keep messages and replies.
    """

    url: str
    way: Way
    players: int
    seconds: float = 0.0
    turns: int = 0
    begin: int = 0
    think: tuple[float, float] = (5.0, 10.0)
    patience: float = 20.0
    first: int = 0
    count: int = 0
    same: Question | None = None
    say: tuple[Question, ...] = ()
    bodies: tuple[dict[str, Any], ...] = ()
    leave: tuple[float, float] | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        if urlsplit(self.url).hostname not in LOOPBACK:
            raise NotHere(f"{self.url} is not on this machine: only {', '.join(LOOPBACK)}")
        if not self.seconds and not self.turns:
            raise ValueError("a plan needs an end: seconds or turns")


def plan_json(plan: Plan) -> bytes:
    """A plan as a line of JSON."""
    return orjson.dumps(plan, default=list) + b"\n"


def plan_from(line: bytes) -> Plan:
    """The plan of a line of JSON."""
    fields = orjson.loads(line)
    for name in ("think", "leave"):
        if fields[name] is not None:
            fields[name] = tuple(fields[name])
    if fields["same"] is not None:
        fields["same"] = Question(*fields["same"])
    fields["say"] = tuple(Question(*asked) for asked in fields["say"])
    fields["bodies"] = tuple(fields["bodies"])
    return Plan(**fields)
