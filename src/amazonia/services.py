"""The one composition root: every adapter is made and wired here, and nothing at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from amazonia.content.library import Library, bundled_cases
from amazonia.errors import AmazoniaError, BadSetting
from amazonia.fabric.limits import MemoryLimits
from amazonia.fabric.owners import FileOwners
from amazonia.fabric.streams import MemoryStreams
from amazonia.fabric.system import SystemChance, SystemClock
from amazonia.fabric.watch import Watch
from amazonia.play.game import Game
from amazonia.play.sessions import Sessions
from amazonia.play.turns import Interviews, Limit
from amazonia.ports import Clock, Limits, Notes, Turn, Watcher
from amazonia.settings import Settings, secret_key
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.sqlite import SqliteDatabase
from amazonia.store.teams import StoredDevices, StoredNotes, StoredTeams
from amazonia.store.turns import StoredTurns
from amazonia.voice.speak import ScriptedVoice

__all__ = ["Library", "Services", "migrate", "open_library", "open_services"]

log = structlog.get_logger()

TURN_POLL = 0.05
TEAM_POLL = 0.25
"""Seconds between two looks at what other processes do, while anybody waits for it."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a request needs.

    Attributes:
        secret: signs cookies.
        versions: tells the version of a team, a moment from now.
        closing: set when the process begins to shut down; long streams end then.
    """

    settings: Settings
    secret: str
    library: Library
    clock: Clock
    database: SqliteDatabase
    game: Game
    sessions: Sessions
    interviews: Interviews
    versions: Watcher[str, int]
    notes: Notes
    limits: Limits
    closing: asyncio.Event = field(default_factory=asyncio.Event)


def _say_learning(case: str) -> None:
    log.info("case.learning", case=case, note="once, some twenty seconds")


def open_library(settings: Settings) -> Library:
    """The cases, loaded and ready to be asked.

    Raises:
        BadCase: a case's files have faults.
        BadSetting: there is no case in the folder.
    """
    folder = settings.cases or bundled_cases()
    library = Library(folder, settings.data / "learned", _say_learning)
    if not library.names():
        raise BadSetting(
            f"AMAZONIA_CASES: there is no case in '{folder}'; a folder of case folders"
        )
    library.open()
    return library


def migrate(settings: Settings) -> None:
    """Bring the database to the newest shape; once, before the first process serves.

    Raises:
        BadSetting: this build has no driver for the database.
    """
    migrate_sqlite(_sqlite_file(settings))


@asynccontextmanager
async def open_services(
    settings: Settings, library: Library | None = None
) -> AsyncIterator[Services]:
    """Open every service and close them in order; turns under way are finished first.

    Args:
        library: the cases, if they were opened before (before a fork, say).
    """
    cases = library if library is not None else await asyncio.to_thread(open_library, settings)
    owners = await asyncio.to_thread(FileOwners, settings.data / "owners")
    database = SqliteDatabase(_sqlite_file(settings), readers=settings.threads)
    clock, chance = SystemClock(), SystemChance()
    teams, turns = StoredTeams(database), StoredTurns(database)
    game = Game(cases, teams, clock)

    interviews = Interviews(
        game=game,
        turns=turns,
        streams=MemoryStreams(),
        watch=Watch(turns.spoke, TURN_POLL),
        owners=owners,
        voice=ScriptedVoice(),
        chance=chance,
        limit=Limit(settings.turn_deadline, settings.duplicate_window),
    )
    services = Services(
        settings=settings,
        secret=await asyncio.to_thread(secret_key, settings),
        library=cases,
        clock=clock,
        database=database,
        game=game,
        sessions=Sessions(cases, teams, StoredDevices(database), clock, chance),
        interviews=interviews,
        versions=Watch(teams.versions, TEAM_POLL),
        notes=StoredNotes(database),
        limits=MemoryLimits(clock.monotonic),
    )
    rescue = asyncio.create_task(_finish_orphans(services, turns))
    try:
        yield services
    finally:
        services.closing.set()
        rescue.cancel()
        await interviews.drain()
        await database.close()
        owners.close()


async def _finish_orphans(services: Services, turns: StoredTurns) -> None:
    """Finish the turns that a dead process left behind."""
    for turn in await turns.speaking():
        try:
            await _finish_orphan(services, turn)
        except AmazoniaError:
            log.exception("turn.rescue_failed", turn=turn.id)


async def _finish_orphan(services: Services, turn: Turn) -> None:
    team = await services.game.teams.get(turn.team_id)
    if team is not None:
        await services.interviews.rescue(team, turn)


def _sqlite_file(settings: Settings) -> Path:
    if settings.database_url.startswith(("postgresql://", "postgres://")):
        raise BadSetting(
            "DATABASE_URL: this version has only the embedded database; sqlite:///FILE"
        )
    return settings.database_file
