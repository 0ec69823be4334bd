"""Authored lines by reference, so that what was said can be stored, replayed and translated.

A reference is a path into a character's words: ``topics/aiu/steps/1/says/0``,
``smalltalk/who/2``, ``deflections/3``; ``counters/cp1`` is a counter-question's prompt, and
``declining/pt-BR/hate/0`` a line that fits every character (see `amazonia.domain.declining`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import cast

from amazonia.domain.case import CharacterId, ClueId, CounterId, TopicId
from amazonia.domain.decency import Indecency
from amazonia.domain.declining import declining
from amazonia.domain.words import CaseWords, CharacterWords, Line, StepWords


def read(words: CaseWords, character: CharacterId, ref: str) -> Line:
    """The line behind a reference.

    Raises:
        KeyError: the case's texts have no such line (any more).
    """
    who = words.characters[character]
    try:
        return _read(words, who, ref.split("/"))
    except (KeyError, IndexError, ValueError) as exc:
        raise KeyError(f"{character} has no line '{ref}'") from exc


def _read(words: CaseWords, who: CharacterWords, path: list[str]) -> Line:
    match path:
        case ["topics", topic, "steps", step, "says", variant]:
            return _step(who, topic, step).says[int(variant)]
        case ["topics", topic, "steps", step, "instead", name, variant]:
            return _step(who, topic, step).instead[name].says[int(variant)]
        case ["topics", topic, "steps", step, "nudge", variant]:
            return Line(_step(who, topic, step).nudge[int(variant)])
        case ["topics", topic, "recap" | "locked" as part, variant]:
            return Line(getattr(who.topics[TopicId(topic)], part)[int(variant)])
        case ["smalltalk", kind, variant]:
            return Line(who.smalltalk[kind][int(variant)])
        case ["redirects", other, variant]:
            return Line(who.redirects[CharacterId(other)][int(variant)])
        case ["asides", aside, variant]:
            return Line(who.asides[aside].says[int(variant)])
        case ["reactions", clue, variant]:
            return Line(who.reactions[ClueId(clue)][int(variant)])
        case ["counters", counter]:
            return Line(words.counters[CounterId(counter)].prompt)
        case ["declining", lang, kind, variant]:
            return Line(declining(cast("Indecency", kind), lang)[int(variant)])
        case ["deflections" | "unsure" | "repeat" | "shown" as part, variant]:
            return Line(getattr(who, part)[int(variant)])
    raise KeyError("/".join(path))


def _step(who: CharacterWords, topic: str, step: str) -> StepWords:
    return who.topics[TopicId(topic)].steps[int(step)]


def musts(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> tuple[str, ...]:
    """What a performance of these lines has to contain.

    An entry such as ``7/11|sete de novembro`` is said by any of its alternatives. Lines that are
    no step of a topic ask for nothing, nor does one that the case's texts no longer have.
    """
    who = words.characters[character]
    entries: list[str] = []
    for ref in lines:
        with suppress(KeyError, IndexError, ValueError):
            entries += _musts(who, ref.split("/"))
    return tuple(dict.fromkeys(entries))


def _musts(who: CharacterWords, path: list[str]) -> tuple[str, ...]:
    match path:
        case ["topics", topic, "steps", step, "says", _]:
            return _step(who, topic, step).must
        case ["topics", topic, "steps", step, "instead", name, _]:
            return _step(who, topic, step).instead[name].must
    return ()


def pool(prefix: str, lines: Sequence[object]) -> list[str]:
    """The references of a list of lines."""
    return [f"{prefix}/{i}" for i in range(len(lines))]


def choose(pools: Iterable[Sequence[str]], recent: Sequence[str], seed: int) -> str:
    """One line of the first pool that has any not said recently.

    Where every pool was used up, the line said longest ago.

    Args:
        recent: the references said lately, oldest first.
        seed: picks among the fresh ones.
    """
    everything: list[str] = []
    for lines in pools:
        fresh = [line for line in lines if line not in recent]
        if fresh:
            return fresh[seed % len(fresh)]
        everything += lines
    return min(everything, key=lambda line: max(i for i, r in enumerate(recent) if r == line))
