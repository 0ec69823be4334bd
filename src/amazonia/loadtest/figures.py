"""Turns as they were measured, and the few figures that are made of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what a player got. Times in seconds; None is "never".

    Attributes:
        at: epoch seconds at which it was sent.
        first: to the end of the first sentence.
        whole: to the end of the reply.
        source: who spoke: model, cache, scripted; simulated for the old cure.
        kind: what the game made of the question: answer, unsure, smalltalk …
        fault: why it counts as not answered; "" if it was answered.
        left_at: epoch seconds at which a player who was listening went away, if one did.
        message, reply: kept only where a case needs them.
        call: the provider's id of the call, if the player saw it.
        turn: the game's id of it, of players who resume.
        character, team: who was asked, and the cookie of the team; kept only where a case needs
            them.
        refused, resumed, gap: how often the game said "later" and the line broke; the longest
            time in seconds that the line was down.
    """

    at: float
    first: float | None = None
    whole: float | None = None
    source: str = ""
    kind: str = ""
    fault: str = ""
    left_at: float | None = None
    message: str = ""
    reply: str = ""
    call: str = ""
    turn: str = ""
    character: str = ""
    team: str = ""
    refused: int = 0
    resumed: int = 0
    gap: float = 0.0


def percentile(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that `share` of all do not exceed.

    NaN if there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def wholes(turns: Iterable[Turn]) -> list[float]:
    """Seconds to the whole reply, of the answered turns."""
    return [turn.whole for turn in turns if turn.whole is not None and not turn.fault]


def firsts(turns: Iterable[Turn]) -> list[float]:
    """Seconds to the first sentence, of the turns that had one."""
    return [turn.first for turn in turns if turn.first is not None]


def by_model(turns: Iterable[Turn]) -> list[Turn]:
    """The turns in which a language model spoke just now; not the game by itself, not a cache."""
    return [turn for turn in turns if turn.source == "model"]


def failed(turns: Iterable[Turn]) -> list[Turn]:
    """The turns without an answer."""
    return [turn for turn in turns if turn.fault]


def answered_within(turns: Sequence[Turn], seconds: float) -> float:
    """The share of turns that were answered in time; NaN without turns."""
    if not turns:
        return math.nan
    return sum(1 for whole in wholes(turns) if whole <= seconds) / len(turns)
