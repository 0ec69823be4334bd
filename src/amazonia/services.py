"""The one composition root: every adapter is made and wired here, and nothing at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiohttp import ClientSession

from amazonia.classroom.afterwards import MOST_DAYS, Afterwards
from amazonia.classroom.classes import Registry
from amazonia.classroom.leading import Leading
from amazonia.classroom.live import Boards
from amazonia.classroom.missing import NextSteps
from amazonia.classroom.rooms import Rooms
from amazonia.content.library import Library
from amazonia.errors import AmazoniaError
from amazonia.fabric.bell import Bell
from amazonia.fabric.epoch import Epoch
from amazonia.fabric.leases import LeasedOwners
from amazonia.fabric.limits import MemoryLimits
from amazonia.fabric.owners import FileOwners
from amazonia.fabric.redis.link import Link
from amazonia.fabric.redis.shared import open_shared
from amazonia.fabric.secrets import Argon2Secrets
from amazonia.fabric.streams import MemoryStreams
from amazonia.fabric.switches import Switches
from amazonia.fabric.system import SystemChance, SystemClock
from amazonia.fabric.watch import Watch
from amazonia.groundwork import need_driver, open_library
from amazonia.ops.health import Health, Pulse, Tally, no_endpoint, no_redis
from amazonia.play.game import Game
from amazonia.play.orphans import finish_orphans
from amazonia.play.sessions import Sessions
from amazonia.play.stream import heard_of
from amazonia.play.turns import Interviews, Limit
from amazonia.ports import (
    NEWS,
    Clock,
    Limits,
    Notes,
    Owners,
    Replies,
    Spending,
    Team,
    Understanding,
    Voice,
    Watcher,
)
from amazonia.ports.jobs import Attic, Job, JobBook
from amazonia.settings import Provider as VoiceSettings
from amazonia.settings import Settings, secret_key
from amazonia.store.attic import StoredAttic
from amazonia.store.classes import StoredClasses
from amazonia.store.copies import back_up, bring_back
from amazonia.store.database import OpenDatabase, every_statement
from amazonia.store.jobs import StoredJobs
from amazonia.store.leases import StoredLeases
from amazonia.store.migrate import newest
from amazonia.store.replies import StoredReplies
from amazonia.store.reports import StoredRecords
from amazonia.store.spending import StoredSpending
from amazonia.store.sqlite import SqliteDatabase, prepared
from amazonia.store.teams import StoredDevices, StoredNotes, StoredTeams
from amazonia.store.turns import StoredTurns
from amazonia.voice.breaker import Breaker
from amazonia.voice.budget import Allowance, Budget
from amazonia.voice.chain import Chain, Channel, Timers
from amazonia.voice.flights import Flights
from amazonia.voice.limits import Concurrency, RetryBudget
from amazonia.voice.moderation import EndpointModeration
from amazonia.voice.pressure import relieved
from amazonia.voice.providers import Endpoint, Provider, open_http
from amazonia.voice.speak import ScriptedVoice, Speaker
from amazonia.voice.understand import ModelUnderstanding

__all__ = [
    "Library",
    "Services",
    "back_up",
    "bring_back",
    "compile_statements",
    "newest",
    "open_services",
]

log = structlog.get_logger()

LEAST_LIMIT, FIRST_LIMIT, LAST_LIMIT = 8, 256, 4096
"""Calls in flight to one provider from one process; the limit finds its own height."""
HEDGES = 0.02
"""The share of calls that may be made twice."""
TURN_POLL = 0.05
TEAM_POLL = 0.25
JOB_POLL = 0.5
"""Seconds between two looks at what other processes do, while anybody waits for it."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What happens in a class while it goes on."""

    rooms: Rooms
    boards: Boards
    steps: NextSteps
    leading: Leading

    async def is_scripted(self, team: Team) -> bool:
        """Whether a team's teacher lets only the authored lines speak."""
        if not team.class_id:
            return False
        try:
            return (await self.rooms.get(team.class_id)).voice == "scripted"
        except AmazoniaError:  # the class was erased, or the database is away
            return False


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a request needs.

    Attributes:
        secret: signs cookies.
        versions: tells the version of a team, a moment from now.
        link: the way to Redis, where there is one.
        job_news: tells how a job is, a moment from now.
        spent: tokens and millionths of the currency spent today by everybody.
        closing: set when the process begins to shut down; long streams end then.
    """

    settings: Settings
    secret: str
    library: Library
    clock: Clock
    database: OpenDatabase
    game: Game
    sessions: Sessions
    registry: Registry
    lessons: Lessons
    afterwards: Afterwards
    interviews: Interviews
    versions: Watcher[str, int]
    notes: Notes
    epoch: Epoch
    replies: Replies
    limits: Limits
    switches: Switches
    health: Health
    link: Link | None
    spent: Callable[[], Awaitable[tuple[int, int]]]
    jobs: JobBook
    job_news: Watcher[str, Job]
    attic: Attic
    closing: asyncio.Event = field(default_factory=asyncio.Event)


def compile_statements(settings: Settings) -> None:
    """Write out every statement as the database that the settings name reads it."""
    prepare: Callable[..., object] = prepared
    if settings.is_on_postgres:
        from amazonia.store.postgres import prepared as prepare
    for statement in every_statement():
        prepare(statement)


@asynccontextmanager
async def open_services(
    settings: Settings, library: Library | None = None
) -> AsyncIterator[Services]:
    """Open every service and close them in order; turns under way are finished first.

    Args:
        library: the cases, if they were opened before (before a fork, say).
    """
    cases = library if library is not None else await asyncio.to_thread(open_library, settings)
    here = await asyncio.to_thread(FileOwners, settings.data / "owners")
    database = _open_database(settings)
    clock, chance, died = SystemClock(), SystemChance(), asyncio.Event()
    classes = StoredClasses(database)
    async with AsyncExitStack() as stack:
        stack.callback(here.close)
        stack.push_async_callback(database.close)
        owners: Owners = here
        if settings.is_on_postgres:  # then there may be other machines
            own = _open_postgres(settings, 1, 0)  # a queue of jobs is no death
            stack.push_async_callback(own.close)
            leased = LeasedOwners(here, StoredLeases(own), clock.monotonic, died.set)
            owners = await stack.enter_async_context(leased.kept())
        shared = await stack.enter_async_context(
            open_shared(settings.redis_url, owners.token, settings.redis_timeout)
        )
        far, alone = shared.bell if shared else None, not settings.is_on_postgres
        bell = Bell(settings.data / "owners", owners.token, far, alone=alone)
        stack.callback(bell.close)
        versions = Watch(StoredTeams(database).versions, TEAM_POLL, bell, "team")
        teams = StoredTeams(database, versions.changed)
        turns = StoredTurns(database, versions.changed)
        job_news = Watch(StoredJobs(database).look, JOB_POLL, bell, "job")
        jobs = StoredJobs(database, job_news.changed)
        game = Game(cases, teams, clock)
        limits: Limits = MemoryLimits(clock.monotonic)
        notes = StoredNotes(database)
        epoch = Epoch(notes, bell)
        await epoch.look()
        replies: Replies = StoredReplies(database, owners.alive)
        if shared:
            replies = shared.replies(replies, epoch, owners.alive)
            stack.push_async_callback(replies.close)
        switches = Switches(notes, [voice.name for voice in settings.voices])
        voices = await stack.enter_async_context(
            _open_voices(settings, replies, StoredSpending(database), owners, switches, bell)
        )
        tally = Tally(clock.monotonic)
        moderation = await stack.enter_async_context(_open_moderation(settings))
        pulse = Pulse(lambda: database.write(lambda _: None), clock.monotonic)
        stack.push_async_callback(pulse.close)
        registry = Registry(cases, classes, Argon2Secrets(), clock, chance)
        lessons = await stack.enter_async_context(_open_lessons(registry, bell))
        interviews = Interviews(
            game=game,
            turns=turns,
            streams=MemoryStreams(),
            watch=Watch(turns.spoke, TURN_POLL, bell, "turn", lambda at: at[0], heard_of),
            owners=owners,
            voice=voices.voice,
            chance=chance,
            limit=Limit(
                settings.turn_deadline, settings.duplicate_window, settings.history_messages
            ),
            understanding=voices.understanding,
            moderation=moderation,
            answered=tally.note,
            mark=classes.flag,
            is_scripted=lessons.is_scripted,
        )
        services = Services(
            settings=settings,
            secret=await asyncio.to_thread(secret_key, settings),
            library=cases,
            clock=clock,
            database=database,
            game=game,
            sessions=Sessions(
                cases, teams, StoredDevices(database), clock, chance, settings.default_case
            ),
            registry=registry,
            lessons=lessons,
            afterwards=Afterwards(
                cases,
                classes,
                lessons.rooms,
                StoredRecords(database),
                clock,
                settings.retention_days or MOST_DAYS,
            ),
            interviews=interviews,
            replies=replies,
            versions=versions,
            notes=notes,
            epoch=epoch,
            limits=shared.limits(limits) if shared else limits,
            switches=switches,
            health=Health(
                pulse,
                tally,
                voices.voice.view,
                clock.monotonic,
                clock.monotonic(),
                cache=shared.view if shared else no_redis,
                moderation=moderation.view if moderation else no_endpoint,
            ),
            link=shared.link if shared else None,
            spent=voices.spent,
            jobs=jobs,
            job_news=job_news,
            attic=StoredAttic(database),
        )
        rescue = asyncio.create_task(finish_orphans(interviews, died))
        following = asyncio.gather(switches.follow(), epoch.follow())
        try:
            yield services
        finally:
            services.closing.set()
            rescue.cancel()
            following.cancel()
            await asyncio.gather(rescue, following, return_exceptions=True)
            await interviews.drain()


@dataclass(frozen=True, slots=True)
class _Voices:
    """Who speaks, who helps to understand, and what that cost today."""

    voice: Voice
    understanding: Understanding | None
    spent: Callable[[], Awaitable[tuple[int, int]]]


@asynccontextmanager
async def _open_lessons(registry: Registry, bell: Bell) -> AsyncIterator[Lessons]:
    rooms = Rooms(registry.classes, registry.clock, bell)
    steps = NextSteps()
    boards = Boards(registry.library, registry.classes, rooms, steps, registry.clock)
    try:
        yield Lessons(rooms, boards, steps, Leading(registry, rooms))
    finally:
        await rooms.close()
        await steps.close()


@asynccontextmanager
async def _open_moderation(settings: Settings) -> AsyncIterator[EndpointModeration | None]:
    """The endpoint that reads what players type, if the settings name one."""
    if not settings.moderation_url:
        yield None
        return
    endpoint = Endpoint(
        "moderation",
        settings.moderation_url,
        settings.moderation_model,
        settings.moderation_api_key,
    )
    async with open_http() as http:
        yield EndpointModeration(endpoint, http, SystemClock().monotonic)


async def _nothing_spent() -> tuple[int, int]:
    return 0, 0


@asynccontextmanager
async def _open_voices(
    settings: Settings,
    replies: Replies,
    spending: Spending,
    owners: Owners,
    switches: Switches,
    bell: Bell,
) -> AsyncIterator[_Voices]:
    """The voices that the settings name; without a provider only the authored lines."""
    if not settings.voices:
        yield _Voices(ScriptedVoice(), None, _nothing_spent)
        return
    clock = SystemClock()
    async with open_http() as http:
        chain = Chain(
            channels=[_channel(voice, http, clock, switches, bell) for voice in settings.voices],
            timers=Timers(
                settings.first_token_timeout, settings.stall_timeout, settings.hedge_after
            ),
            retries=settings.openai_max_retries,
            spare=RetryBudget(),
            extra=RetryBudget(ratio=HEDGES, floor=0),
            budget=Budget(spending, _allowance(settings), clock),
            chance=SystemChance(),
            monotonic=clock.monotonic,
        )
        flights = Flights(replies, Watch(replies.look, TURN_POLL, bell, "reply"), owners, clock)
        second = None
        if settings.second_opinion:
            second = ModelUnderstanding(chain, flights, Breaker(clock.monotonic))
        try:
            speaker = Speaker(chain, flights, settings.openai_max_tokens)
            slots = [channel.slots for channel in chain.channels]
            async with relieved(slots, clock.monotonic):
                yield _Voices(speaker, second, chain.budget.spent)
        finally:
            await flights.settle()
            await chain.close()


def _channel(
    voice: VoiceSettings, http: ClientSession, clock: SystemClock, switches: Switches, bell: Bell
) -> Channel:
    endpoint = Endpoint(voice.name, voice.base_url, voice.model, voice.api_key)
    slots = Concurrency(clock.monotonic, start=FIRST_LIMIT, least=LEAST_LIMIT, most=LAST_LIMIT)
    provider = Provider(endpoint, http, clock.monotonic, clock.now)
    is_on = partial(switches.is_on, voice.name)
    return Channel(provider, _breaker(voice.name, clock, bell), slots, switched_on=is_on)


def _breaker(provider: str, clock: SystemClock, bell: Bell) -> Breaker:
    """A breaker that tells those of other processes when it shuts, and is told by them."""
    mark = f"provider {provider} "
    breaker = Breaker(clock.monotonic, shut=lambda why: bell.ring(NEWS, mark + why))

    def hear(what: str, text: str) -> None:
        if what == NEWS and text.startswith(mark):
            breaker.suspect(text.removeprefix(mark))

    bell.on_ring(hear)
    return breaker


def _allowance(settings: Settings) -> Allowance:
    return Allowance(
        team_tokens=settings.team_tokens,
        class_tokens=settings.class_tokens,
        tokens=settings.day_tokens,
        cost=settings.day_cost,
        prompt_price=settings.prompt_price,
        reply_price=settings.reply_price,
    )


def _open_database(settings: Settings) -> OpenDatabase:
    """The database that the settings name; nothing is asked of it yet.

    Raises:
        BadSetting: there is no driver for it.
    """
    if not settings.is_on_postgres:
        return SqliteDatabase(settings.database_file, readers=settings.threads)
    return _open_postgres(settings, settings.db_pool_size, max(0, settings.db_max_overflow - 1))


def _open_postgres(settings: Settings, size: int, overflow: int) -> OpenDatabase:
    need_driver()
    from amazonia.store.postgres import PATIENCE, PostgresDatabase

    # A turn that finds it dead is refused in time.
    patience = min(PATIENCE, settings.turn_deadline / 3)
    return PostgresDatabase(settings.database_url, size, overflow, patience)
