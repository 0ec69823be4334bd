"""Filling the reply cache before a lesson, so that a class's first questions are answered at once.

Each topic is asked about as its suggestion button asks, by a team that holds just what opens it.
The question goes the way of every question: understood, directed, performed, guarded, kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from amazonia.domain.case import (
    Case,
    Character,
    CharacterId,
    ClueId,
    CounterId,
    Lang,
    RiddleId,
    Topic,
    TopicId,
)
from amazonia.domain.gates import Gate
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    Event,
    EvidenceShown,
    RiddleTried,
    RoundTried,
    State,
    TopicDeepened,
    begin,
    opens,
    play,
)
from amazonia.play.directing import hear, open_turn
from amazonia.play.game import Game
from amazonia.play.text import question_key
from amazonia.ports import Asked, Performance, Team, Voice, VoiceFailed
from amazonia.voice.speak import Deadline

NOBODY = "preheat"
"""The team that asks; nobody plays it, and only the purse of all pays for it."""


@dataclass(frozen=True, slots=True)
class Opener:
    """A question that a class may begin with, ready to be performed.

    Attributes:
        early: whether it can be asked from the first minute on.
    """

    character: CharacterId
    topic: TopicId
    early: bool
    performance: Performance


def openers(game: Game, case: Case, lang: Lang) -> list[Opener]:
    """The first question to every topic, those of the first minute first."""
    found = [
        opener
        for character in case.characters.values()
        for topic in character.topics.values()
        if (opener := _opener(game, case, lang, character, topic)) is not None
    ]
    return sorted(found, key=lambda opener: not opener.early)


async def warm(opener: Opener, voice: Voice, seconds: float, monotonic: Callable[[], float]) -> str:
    """Have a question performed within some seconds, unless its reply is kept already.

    Returns:
        `model`, `cache` or `scripted`: who spoke; or why nobody could, in a word.
    """
    source, deadline = "scripted", Deadline.after(seconds, monotonic)
    try:
        async with (
            asyncio.timeout(seconds),
            aclosing(voice.speak(opener.performance, deadline)) as speech,
        ):
            async for said in speech:
                source = said.source
    except VoiceFailed as exc:
        return exc.reason
    except TimeoutError:
        return "deadline"
    return source


def _opener(
    game: Game, case: Case, lang: Lang, character: Character, topic: Topic
) -> Opener | None:
    """The first question to a topic; None if it is about something else to the director."""
    words = case.words[lang]
    message = words.characters[character.id].topics[topic.id].suggestion
    gates = (character.when, topic.when, topic.steps[0].when)
    state = state_at(case, *gates)
    team = Team(NOBODY, case.id, lang, "", None, "", 0, state)
    asked = Asked(team.id, character.id, message, question_key(message), None, 0.0)
    heard = hear(game, team, asked)
    opening = open_turn(game, team, asked, heard, NOBODY, "")
    if opening.beat.kind != "answer" or topic.id not in opening.beat.topics:
        return None
    performance = Performance(
        turn=f"{NOBODY}-{character.id}-{topic.id}",
        case=case,
        words=words,
        lang=lang,
        language=game.library.language(lang),
        character=character.id,
        kind=opening.beat.kind,
        lines=opening.beat.lines,
        message=message,
        key=asked.key,
        shown=None,
        state=state,
        history=(),
        spender="",
    )
    start = begin(case)
    early = all(opens(case, start, gate) for gate in gates)
    return Opener(character.id, topic.id, early, performance)


def state_at(case: Case, *gates: Gate) -> State:
    """A state in which gates are open and little else: the first way through each."""
    return play(begin(case), (event for gate in gates for event in _events(case, gate)))


def _events(case: Case, gate: Gate) -> Iterator[Event]:
    """What has to happen for the first way of a gate."""
    for atom in sorted(gate.ways[0]):
        yield from _events_of(case, atom)


def _events_of(case: Case, atom: str) -> Iterator[Event]:
    """What makes an atom hold; the notation is `amazonia.domain.session.atoms`'s."""
    if atom in case.clues:
        yield ClueFound(ClueId(atom), NOBODY)
    elif atom in case.riddles:
        yield RiddleTried(RiddleId(atom), right=True)
    elif atom in case.confrontations:
        confrontation = next(c for c in case.confrontations.values() if c.id == atom)
        yield from (RoundTried(confrontation.id, r, won=True) for r in confrontation.rounds)
    elif atom.startswith("mostra:"):
        _, character, clue = atom.split(":")
        yield ClueFound(ClueId(clue), NOBODY)
        yield EvidenceShown(CharacterId(character), ClueId(clue))
    elif "@" in atom:
        key, depth = atom.split("@")
        character, topic = key.split(".")
        yield TopicDeepened(CharacterId(character), TopicId(topic), int(depth))
    else:
        counter = next((c for c in case.counters if atom.startswith(f"{c}_")), None)
        if counter is not None:
            yield CounterAnswered(CounterId(counter), atom.removeprefix(f"{counter}_"))
