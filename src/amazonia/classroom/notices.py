"""What a team's pages are told of its class."""

from __future__ import annotations

from hashlib import blake2s

from amazonia.classroom.live import vote_view
from amazonia.classroom.standing import standing
from amazonia.domain.case import Case
from amazonia.ports import Json, Team
from amazonia.ports.classes import Classes, Classroom


def voter(device: str) -> str:
    """A browser in a vote: nothing that leads back to it."""
    return blake2s(device.encode(), digest_size=8).hexdigest()


async def notice(
    classes: Classes, room: Classroom, team: Team, case: Case, device: str, now: float
) -> Json:
    """How the team stands, the newest hint for it, the vote, and seconds until the end.

    A span and not a moment: the clocks of school computers are wrong.
    """
    commands = await classes.commands(room.id)
    mine = [c for c in commands if c.kind == "hint" and c.team_id in {"", team.id}]
    hint = {"id": mine[-1].id, **mine[-1].data["hint"]} if mine else None
    vote = vote_view(room)
    if vote is not None and room.vote is not None:
        del vote["hands"], vote["tally"]
        vote["mine"] = room.vote.ballots.get(voter(device))
    return {
        "standing": standing(room, team, case, now),
        "hint": hint,
        "vote": vote if vote and vote["is_open"] else None,
        "ends_in": max(0.0, room.ends_at - now),
        "version": room.version,
    }
