"""The classes that this process has to do with: known to a second, followed with one look for all.

A turn asks for its class and reads nothing if that was read within the second. Pages that stay
open subscribe; while anybody does, one query a second finds what moved in all classes together.
Other processes ring when a teacher said something, so that a pause need not wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from amazonia.errors import NotTheTeacher, StoreDown
from amazonia.ports import NEWS, Clock
from amazonia.ports.classes import Classes, Classroom, Seen, Signals

log = structlog.get_logger()

FRESH = 1.0
"""Seconds for which a class is known without looking, and between two looks at what moved."""
OVERLAP = 2.0
"""Seconds that a look goes back: writers' clocks differ, and they commit after they read it."""
MOST_KNOWN = 2000
RING = "class "


@dataclass(frozen=True, slots=True)
class Moves:
    """What moved in a class: these teams, as they are now, and the class itself or not."""

    teams: Mapping[str, Seen | None] = field(default_factory=dict)
    itself: bool = False


@dataclass(eq=False)
class Subscription:
    """Collects what moves in a class until somebody takes it.

    Attributes:
        teams: those that moved, as they are now; None: nothing new but what is thought of it.
        itself: the class did.
        moved: set when anything did.
    """

    with_teams: bool
    teams: dict[str, Seen | None] = field(default_factory=dict)
    itself: bool = False
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, team: str, seen: Seen | None = None) -> None:
        """A team moved."""
        self.teams[team] = seen or self.teams.get(team)
        self.moved.set()

    def add_class(self) -> None:
        """The class itself moved."""
        self.itself = True
        self.moved.set()

    async def take(self) -> Moves:
        """Wait until something moved; what did since it was taken last."""
        await self.moved.wait()
        self.moved.clear()
        taken = Moves(self.teams, self.itself)
        self.teams, self.itself = {}, False
        return taken


class Rooms:
    """Classes as this process knows them.

    Args:
        signals: other processes; without them, they know within a second.
    """

    def __init__(self, classes: Classes, clock: Clock, signals: Signals | None = None) -> None:
        self._classes = classes
        self._clock = clock
        self._signals = signals
        self._known: dict[str, tuple[Classroom, float]] = {}
        self._subscribed: dict[str, set[Subscription]] = {}
        self._seen: dict[tuple[str, str], float] = {}
        self._since = 0.0
        self._task: asyncio.Task[None] | None = None
        if signals is not None:
            signals.on_ring(self._hear)

    async def get(self, class_id: str) -> Classroom:
        """A class as it was at most a second ago.

        While anybody is subscribed to it, it is told what moves and need not be read again.

        Raises:
            NotTheTeacher: there is none (any more).
        """
        known = self._known.get(class_id)
        now = self._clock.monotonic()
        if known is not None and (class_id in self._subscribed or now - known[1] < FRESH):
            return known[0]
        room = await self._classes.get(class_id)
        if room is None:
            self._known.pop(class_id, None)
            raise NotTheTeacher(class_id)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[class_id] = (room, now)
        return room

    def changed(self, class_id: str) -> None:
        """A teacher said something here: this process and the others look again."""
        if self._signals is not None:
            self._signals.ring(NEWS, RING + class_id)
        self._tell(class_id)

    @contextmanager
    def subscribe(self, class_id: str, *, teams: bool = False) -> Iterator[Subscription]:
        """Be told what moves in a class; with `teams`, which of its teams as well."""
        subscription = Subscription(teams)
        if class_id not in self._subscribed:
            self._known.pop(class_id, None)  # from now on it is told what moves
        self._subscribed.setdefault(class_id, set()).add(subscription)
        if self._task is None or self._task.done():
            self._since = self._clock.now()
            self._task = asyncio.create_task(self._follow())
        try:
            yield subscription
        finally:
            others = self._subscribed[class_id]
            others.discard(subscription)
            if not others:
                del self._subscribed[class_id]

    async def close(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, what: str, text: str) -> None:
        if what == NEWS and text.startswith(RING):
            self._tell(text.removeprefix(RING))

    def _tell(self, class_id: str) -> None:
        self._known.pop(class_id, None)
        for subscription in self._subscribed.get(class_id, ()):
            subscription.add_class()

    async def _follow(self) -> None:
        """Look once a second, as long as anybody is subscribed."""
        while self._subscribed:
            await asyncio.sleep(FRESH)
            try:
                await self._look()
            except StoreDown:
                log.debug("rooms.unread")  # what moved meanwhile is found when it is back

    async def _look(self) -> None:
        now = self._clock.now()
        moved = await self._classes.moved(self._since - OVERLAP)
        self._since = now
        fresh = {("", class_id): at for class_id, at in moved.classes}
        teams = {(class_id, team): at for class_id, team, at in moved.teams}
        for (_, class_id), at in fresh.items():
            if self._seen.get(("", class_id)) != at:
                self._tell(class_id)
        new = {key for key, at in teams.items() if self._seen.get(key) != at}
        await self._tell_teams({team: class_id for class_id, team in new})
        self._seen = {**fresh, **teams}

    async def _tell_teams(self, moved: Mapping[str, str]) -> None:
        """Read the teams that somebody follows, all together, and hand them on."""
        followers = {
            team: [s for s in self._subscribed.get(class_id, ()) if s.with_teams]
            for team, class_id in moved.items()
        }
        followed = sorted(team for team, subscriptions in followers.items() if subscriptions)
        for seen in await self._classes.look(followed) if followed else ():
            for subscription in followers[seen.team.id]:
                subscription.add(seen.team.id, seen)
