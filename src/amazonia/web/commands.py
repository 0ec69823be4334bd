"""A teacher's command, brought to the use case that obeys it."""

from __future__ import annotations

import asyncio

from amazonia.domain.errors import Unknown
from amazonia.errors import ClassEnded
from amazonia.play.hints import next_hint
from amazonia.play.text import clean
from amazonia.ports import Team
from amazonia.ports.classes import Classroom
from amazonia.services import Services
from amazonia.web.models import CommandBody

OPTION_LENGTH = 160


async def team_of(services: Services, room: Classroom, team_id: str) -> Team:
    """A team of the class.

    Raises:
        Unknown: it is not in it.
    """
    team = await services.game.teams.get(team_id)
    if team is None or team.class_id != room.id:
        raise Unknown("team", team_id)
    return team


async def obey(services: Services, room: Classroom, body: CommandBody) -> None:
    """Do what the teacher says.

    Raises:
        Unknown: there is no such team, act or language.
        BadAnswer: a vote without options, or hands that do not fit it.
        ClassEnded: hints and votes are for a class that goes on.
    """
    leading = services.lessons.leading
    match body.do:
        case "pause" | "resume":
            await leading.pause(room, on=body.do == "pause")
        case "hold":
            await leading.hold(room, body.act)
        case "voice":
            await leading.set_voice(room, body.voice)
        case "lang":
            await leading.set_language(room, body.lang)
        case "extend":
            await leading.extend(room, body.minutes * 60)
        case "end_in":
            await leading.end_in(room, max(0.0, body.minutes) * 60)
        case "end":
            await leading.end(room)
        case "remove":
            await leading.remove(room, body.team)
        case "seen":
            await leading.see_flags(room, (await team_of(services, room, body.team)).id)
        case "hint":
            await _hint(services, room, body.team)
        case "vote":
            options = [text for o in body.options if (text := clean(o, OPTION_LENGTH))]
            await leading.ask(room, clean(body.question, OPTION_LENGTH), options)
        case "hands":
            await leading.count_hands(room, body.hands)
        case "vote_close" | "vote_clear":
            await leading.close_vote(room, clear=body.do == "vote_clear")


async def _hint(services: Services, room: Classroom, team_id: str) -> None:
    """Send the smallest hint that helps to one team, or to each its own."""
    if room.is_over(services.clock.now()):
        raise ClassEnded(room.id)
    if team_id:
        teams = [await team_of(services, room, team_id)]
    else:
        teams = await services.registry.classes.teams(room.id)
    for team in teams:
        if not team.removed:
            hint = await next_hint(services.game, team)
            await services.lessons.leading.hint(room, team.id, hint)
            await asyncio.sleep(0)  # turns go first
