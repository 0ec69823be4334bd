"""What a team's pages are told while they are open: its state moved, its class did something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from amazonia.classroom.notices import notice
from amazonia.classroom.rooms import Subscription
from amazonia.errors import NotTheTeacher
from amazonia.ports import StreamEvent, Team
from amazonia.services import Services


async def versions(services: Services, team: Team) -> AsyncIterator[int]:
    """The version of the team's state, each time that somebody looked, until the end."""
    closing = asyncio.ensure_future(services.closing.wait())
    version: int | None = team.version
    try:
        while version is not None:
            yield version
            looking = asyncio.ensure_future(services.versions.next(team.id))
            await asyncio.wait({looking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if closing.done():
                looking.cancel()
                return
            version = looking.result()
    finally:
        closing.cancel()


async def team_in_class(
    services: Services, team: Team, device: str, seen: int
) -> AsyncIterator[StreamEvent]:
    """`version` as for any team, and `class`: at first, and whenever the teacher did something."""
    events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
    with services.lessons.rooms.subscribe(team.class_id) as subscription:
        tasks = [
            asyncio.create_task(_put_versions(services, team, seen, events)),
            asyncio.create_task(_put_notices(services, team, device, subscription, events)),
        ]
        try:
            while (event := await events.get()) is not None:
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _put_versions(
    services: Services, team: Team, seen: int, events: asyncio.Queue[StreamEvent | None]
) -> None:
    async for version in versions(services, team):
        if version != seen:
            seen = version
            await events.put(StreamEvent(version, "version", {"version": version}))
    await events.put(None)


async def _put_notices(
    services: Services,
    team: Team,
    device: str,
    subscription: Subscription,
    events: asyncio.Queue[StreamEvent | None],
) -> None:
    """Tell what changed for this team; the end of the class comes by itself."""
    classes, rooms = services.registry.classes, services.lessons.rooms
    case = services.library.case(team.case_id)
    told = None
    while True:
        try:
            room = await rooms.get(team.class_id)
        except NotTheTeacher:  # erased, and the team with it
            await events.put(None)
            return
        newest = await services.game.teams.get(team.id) or team
        said = await notice(classes, room, newest, case, device, services.clock.now())
        if told is None or {**said, "ends_in": 0} != {**told, "ends_in": 0}:
            told = said
            await events.put(StreamEvent(newest.version, "class", said))
        await _next(subscription, said["ends_in"])


async def _next(subscription: Subscription, ends_in: float) -> None:
    """Wait until the class moves, or is over."""
    left = ends_in + 0.5 if ends_in > 0 else None
    try:
        async with asyncio.timeout(left):
            await subscription.take()
    except TimeoutError:
        return
