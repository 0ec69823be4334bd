"""From a question to the turn that is committed. Pure: no clock but the game's, no chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from amazonia.domain.case import Character, TopicId
from amazonia.domain.decency import Indecency, indecency
from amazonia.domain.director import Beat, decline, direct, meet, suggestions
from amazonia.domain.errors import NotOwned
from amazonia.domain.projection import clue_note, counter_view, news
from amazonia.domain.session import opens, play
from amazonia.domain.understanding import Reading
from amazonia.play.game import Game, Table
from amazonia.ports import Asked, Json, Opening, Team, Unclear


@dataclass(frozen=True, slots=True)
class Heard:
    """A question as it was understood.

    Attributes:
        previous: the topic spoken about before it, on which that depends.
        declined: what it is, if no character talks about such things.
    """

    reading: Reading
    previous: TopicId | None
    declined: Indecency | None = None


def hear(game: Game, team: Team, asked: Asked) -> Heard:
    """What the director takes a question to mean.

    Raises:
        NotYet: the character cannot be reached yet.
    """
    table = game.table(team)
    meet(table.case, table.words, table.state, asked.character)
    previous = table.state.talk.get(asked.character)
    if kind := indecency(asked.message, team.lang):
        return Heard(Reading("out"), previous, kind)
    listener = game.library.listener(table.case, team.lang)
    return Heard(listener.listen(asked.character, asked.message, previous), previous)


def open_turn(
    game: Game, team: Team, asked: Asked, heard: Heard, turn_id: str, owner: str
) -> Opening:
    """Choose the beat, on the team's newest state.

    The seed comes of the question, so that teams which ask the same may hear the same.

    Raises:
        NotYet: the character cannot be reached yet.
        NotOwned: a clue is shown that the team has not found.
    """
    table = game.table(team)
    character = meet(table.case, table.words, table.state, asked.character)
    seed = crc32(f"{asked.character}/{asked.shown}/{asked.key}".encode()) & 0x7FFFFFFF
    if heard.declined:
        if asked.shown is not None and asked.shown not in table.state.clues:
            raise NotOwned(asked.shown)
        beat = decline(table.words, character, heard.declined, team.lang, seed)
        return Opening(turn_id, seed, beat, _answer(table, beat, seed), owner, at=game.clock.now())
    if table.state.talk.get(asked.character) != heard.previous:  # another topic came between
        heard = hear(game, team, asked)
    beat = direct(table.case, table.words, table.state, character, heard.reading, seed, asked.shown)
    answer = _answer(table, beat, seed)
    return Opening(turn_id, seed, beat, answer, owner, at=game.clock.now())


def unclear(game: Game, team: Team, asked: Asked) -> Unclear:
    """A question with the open topics that it may be about."""
    table = game.table(team)
    character = table.case.characters[asked.character]
    words = table.words.characters[asked.character].topics
    is_open = [t.id for t in character.topics.values() if opens(table.case, table.state, t.when)]
    return Unclear(
        case=table.case,
        lang=team.lang,
        character=asked.character,
        message=asked.message,
        key=asked.key,
        topics={topic: f"{words[topic].label}: {words[topic].suggestion}" for topic in is_open},
        spender=spender(team),
    )


def spender(team: Team) -> str:
    """Who pays for what a model says to a team."""
    return f"team:{team.id} class:{team.class_id}" if team.class_id else f"team:{team.id}"


def settle(character: Character, reading: Reading, opinion: Sequence[TopicId] | None) -> Reading:
    """An unclear reading, as a second opinion has it.

    The opinion that it is about none of the topics counts for nothing: what the director took for
    in scope nearly always is, and the buttons show what there is to ask. Where a clue may be won,
    both must have thought of the topic (measured: `bench/director/second_opinion.py`).
    """
    if reading.decision != "unsure" or not opinion:
        return reading
    if character.topics[opinion[0]].clues and opinion[0] not in reading.topics:
        return reading
    others = (topic for topic in reading.topics if topic not in opinion)
    return replace(reading, decision="answer", topics=(*opinion, *others)[:3], double=False)


def _answer(table: Table, beat: Beat, seed: int) -> Json:
    """What the reply will hold beside the voice's words."""
    case, words, before = table.case, table.words, table.state
    after = play(before, beat.events)
    who = words.characters[beat.character]
    character = case.characters[beat.character]

    def question(topic: TopicId) -> str:
        return who.topics[topic].suggestion

    return {
        "kind": beat.kind,
        "emotion": beat.emotion,
        "gesture": beat.gesture,
        "clues": [clue_note(case, words, after, case.clues[clue]) for clue in beat.clues],
        "unlocked": news(case, words, before, after),
        "counter": counter_view(case, words, after, table.team.id),
        "suggestions": [question(t) for t in suggestions(case, after, character, salt=seed)],
        "readings": [{"label": who.topics[t].label, "text": question(t)} for t in beat.readings],
    }
