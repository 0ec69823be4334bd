"""Who is asking: what a handler may depend on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from amazonia.classroom.standing import refuse_unless_playing
from amazonia.errors import NoSession
from amazonia.ports import Team
from amazonia.services import Services
from amazonia.web.security import Cookies, signed_in


def services_of(request: Request) -> Services:
    """The services that the app opened."""
    services: Services = request.app.state.services
    return services


async def services_now(request: Request) -> Services:
    """`services_of` as a dependency (asynchronous, so that no thread is used)."""
    return services_of(request)


async def team_if_any(request: Request) -> Team | None:
    """The team that asks, if the browser is signed in."""
    try:
        return await signed_in(request)
    except NoSession:
        return None


def cookies_of(request: Request) -> Cookies:
    """What signs cookies."""
    cookies: Cookies = request.app.state.cookies
    return cookies


def is_secure(request: Request) -> bool:
    """Whether the browser came by TLS."""
    return request.url.scheme == "https"


TheTeam = Annotated[Team, Depends(signed_in)]


async def playing(request: Request, team: TheTeam) -> Team:
    """The team that asks, if its teacher lets it play now; a team without one always may.

    Raises:
        ClassPaused, ClassHeld, ClassEnded, TeamRemoved: it may not, and why.
    """
    if team.class_id:
        services = services_of(request)
        room = await services.lessons.rooms.get(team.class_id)
        case = services.library.case(team.case_id)
        refuse_unless_playing(room, team, case, services.clock.now())
    return team


ThePlayers = Annotated[Team, Depends(playing)]
"""The team, where it acts and does not only look."""
TheServices = Annotated[Services, Depends(services_now)]
