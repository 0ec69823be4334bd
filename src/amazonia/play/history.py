"""What was said so far."""

from __future__ import annotations

from datetime import UTC, datetime

from amazonia.domain.director import meet
from amazonia.play.turns import Interviews
from amazonia.ports import Json, Team


async def conversation(interviews: Interviews, team: Team, character: str) -> list[Json]:
    """The conversation with a character, oldest first.

    Raises:
        Unknown: there is no such character.
        NotYet: they cannot be reached yet.
    """
    table = interviews.game.table(team)
    who = meet(table.case, table.words, table.state, character)
    turns = [
        await interviews.rescue(team, turn)
        for turn in await interviews.turns.history(team.id, who.id)
    ]
    return [
        {
            "turn_id": turn.id,
            "message": turn.message,
            "shown": turn.shown,
            "status": turn.status,
            "reply": turn.reply,
            "gesture": turn.answer["gesture"],
            "emotion": turn.answer["emotion"],
            "source": turn.source,
            "at": datetime.fromtimestamp(turn.accepted_at, UTC).isoformat(timespec="milliseconds"),
            "clues": list(turn.clues),
        }
        for turn in turns
    ]


async def report(interviews: Interviews, team: Team, turn_id: str, reason: str) -> None:
    """Note that the team objects to what was said in a turn.

    Raises:
        NoSuchTurn: the team has none of that id.
    """
    turn = await interviews.turn(team, turn_id)
    await interviews.turns.report(turn.id, team.id, reason, interviews.game.clock.now())
