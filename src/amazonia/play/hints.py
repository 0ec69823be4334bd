"""«O que fazer agora?»: the next move of a short way to the best ending, as a hint."""

from __future__ import annotations

import asyncio

from amazonia.domain.case import ConfrontationId, CounterId, RiddleId
from amazonia.domain.solve import Move, next_move
from amazonia.play.game import Game, Table
from amazonia.ports import Json, Team


async def next_hint(game: Game, team: Team) -> Json:
    """What to do next: `{kind, id, name, text}`; `kind` is empty when there is nothing left.

    `show` names a clue to be laid on the table, where that is what is missing.
    """
    table = game.table(team)
    move = await asyncio.to_thread(next_move, table.case, table.state)
    return _hint(table, move) if move else {"kind": "", "id": "", "name": "", "text": ""}


def _hint(table: Table, move: Move) -> Json:
    case, words = table.case, table.words
    match move.do:
        case "chat":
            topic = case.topic(move.subject)
            who = words.characters[topic.character]
            text = who.topics[topic.id].suggestion
            hint = {"kind": "character", "id": topic.character, "name": who.short, "text": text}
            return {**hint, "show": move.show} if move.show else hint
        case "riddle":
            riddle = words.riddles[RiddleId(move.subject)]
            text = riddle.prompt
            return {"kind": "riddle", "id": move.subject, "name": riddle.title, "text": text}
        case "counter":
            counter = case.counters[CounterId(move.subject)]
            name, text = words.characters[counter.by].short, words.counters[counter.id].prompt
            return {"kind": "counter", "id": counter.id, "name": name, "text": text}
        case "confront":
            scene = words.confrontations[ConfrontationId(move.subject)]
            code = case.code("confrontation", move.subject)
            return {"kind": "confrontation", "id": code, "name": scene.title, "text": scene.intro}
    intro = words.publication.intro
    return {"kind": "publication", "id": "publication", "name": "", "text": intro}
