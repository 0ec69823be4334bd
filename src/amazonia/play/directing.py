"""From a question to the turn that is committed. Pure: no clock but the game's, no chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

from amazonia.domain.case import Character, TopicId
from amazonia.domain.director import Beat, direct, meet, suggestions
from amazonia.domain.projection import clue_note, counter_view, news
from amazonia.domain.session import opens, play
from amazonia.domain.understanding import Reading
from amazonia.play.game import Game, Table
from amazonia.ports import Asked, Json, Opening, Team, Unclear


def open_turn(
    game: Game,
    team: Team,
    asked: Asked,
    opinion: Sequence[TopicId] | None,
    turn_id: str,
    owner: str,
) -> Opening:
    """Understand the question and choose the beat, on the team's newest state.

    The seed comes of the question, so that teams which ask the same may hear the same.

    Args:
        opinion: what a second listener took an unclear question to mean, if there was one.

    Raises:
        NotYet: the character cannot be reached yet.
        NotOwned: a clue is shown that the team has not found.
    """
    table = game.table(team)
    character = meet(table.case, table.words, table.state, asked.character)
    reading = settle(character, _read(game, table, asked), opinion)
    seed = crc32(f"{asked.character}/{asked.shown}/{asked.key}".encode()) & 0x7FFFFFFF
    beat = direct(table.case, table.words, table.state, character, reading, seed, asked.shown)
    answer = _answer(table, beat, seed)
    return Opening(turn_id, seed, beat, answer, owner, at=game.clock.now())


def unclear(game: Game, team: Team, asked: Asked) -> Unclear | None:
    """The question with the open topics that it may be about, if the director is not sure."""
    table = game.table(team)
    character = table.case.characters[asked.character]
    is_met = opens(table.case, table.state, character.when)
    if not is_met or _read(game, table, asked).decision != "unsure":
        return None
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
    return f"team:{team.id}"


def _read(game: Game, table: Table, asked: Asked) -> Reading:
    """What the director takes the question to mean."""
    listener = game.library.listener(table.case, table.team.lang)
    return listener.listen(asked.character, asked.message, table.state.talk.get(asked.character))


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
