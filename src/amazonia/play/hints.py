"""«O que fazer agora?»: the smallest hint that helps, a little more each time it is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from amazonia.domain.case import ClueId, ConfrontationId, CounterId, RiddleId
from amazonia.domain.session import HintTaken
from amazonia.domain.solve import Move, next_move
from amazonia.play.game import Game, Table
from amazonia.ports import Change, Json, Team

LEVELS = 3
"""Where to go; about what; the very words or clues."""


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Where a move leads, and two texts that say more and more about it."""

    kind: str
    id: str
    name: str
    texts: tuple[str, str]


async def next_hint(game: Game, team: Team) -> Json:
    """A hint for the next step on a short way to the best ending.

    Returns:
        `{kind, id, name, text, level, levels}`: where to go (`kind`, `id`, `name`) and, from the
        second time on, about what (`text`). `kind` is empty when nothing is left to do.
    """
    table = game.table(team)
    move = await asyncio.to_thread(next_move, table.case, table.state)
    return await game.act(team, lambda newest: _hint(newest, move))


def _hint(table: Table, move: Move | None) -> Change[Json]:
    if move is None:
        return table.after([], kind="", id="", name="", text="", level=0, levels=LEVELS)
    subject = f"{move.do}:{move.subject}:{move.detail}"
    taken = table.state.hints.get(subject, 0)
    level = min(taken + 1, LEVELS)
    ladder = _ladder(table, move)
    return table.after(
        [HintTaken(subject)] if taken < LEVELS else [],
        kind=ladder.kind,
        id=ladder.id,
        name=ladder.name,
        text=ladder.texts[level - 2] if level > 1 else "",
        level=level,
        levels=LEVELS,
    )


def _ladder(table: Table, move: Move) -> _Ladder:
    case, words = table.case, table.words
    match move.do:
        case "chat":
            topic = case.topic(move.subject)
            who = words.characters[topic.character]
            text = who.topics[topic.id]
            shown = f" [{words.clues[ClueId(move.show)].title}]" if move.show else ""
            texts = (text.label + shown, text.suggestion + shown)
            return _Ladder("character", topic.character, who.short, texts)
        case "riddle":
            riddle = words.riddles[RiddleId(move.subject)]
            hints = (*riddle.hints, riddle.prompt, riddle.prompt)
            return _Ladder("riddle", move.subject, riddle.title, (hints[0], hints[1]))
        case "counter":
            counter = case.counters[CounterId(move.subject)]
            prompt = words.counters[counter.id].prompt
            short = words.characters[counter.by].short
            return _Ladder("character", counter.by, short, (prompt, prompt))
        case "confront":
            code = case.code("confrontation", move.subject)
            title = words.confrontations[ConfrontationId(move.subject)].title
            clues = [words.clues[ClueId(name)].title for name in move.clues]
            return _Ladder("confrontation", code, title, (clues[0], " · ".join(clues)))
    claims = [words.publication.claims[name].text for name in move.clues]
    texts = (words.publication.intro, " · ".join(claims))
    return _Ladder("publication", "publication", "", texts)
