"""The end of the day: what nobody needs any more goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from amazonia.errors import UnknownCode
from amazonia.jobs.work import Outcome, Progress
from amazonia.play.sessions import LIFETIME, read_code
from amazonia.ports import Json
from amazonia.services import Services

DAY = 86400.0
SPENDING_DAYS = 90
"""Days for which it is kept what was spent on providers."""
EVENTS_AGE = DAY
"""Seconds for which a finished turn can be listened to sentence by sentence; its text stays."""
JOBS_AGE = 30 * DAY
"""Seconds for which a job that was done is kept; one that was given up stays until retried."""
TEAMS_AT_ONCE = 25
LAST_PURGE = "purged"
"""The note that holds the day of the last purge."""


async def purge(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Take away what is old, classes whose time is over, and teams that nobody played for
    `RETENTION_DAYS`.

    Doing it twice takes away nothing more.
    """
    del arguments
    now = services.clock.now()
    before = {
        "devices": now - LIFETIME,
        "turn_events": now - EVENTS_AGE,
        "job_files": now,
        "jobs": now - JOBS_AGE,
    }
    oldest = datetime.fromtimestamp(now, UTC).date() - timedelta(days=SPENDING_DAYS)
    gone = dict(await services.attic.clear(before, oldest.isoformat()))
    await progress(0.3, "teams")
    gone["classes"] = await services.afterwards.erase_expired()
    gone["teams"] = await _forget_teams(services, now, progress)
    await services.notes.set(LAST_PURGE, today(now))
    return Outcome({"gone": gone})


async def _forget_teams(services: Services, now: float, progress: Progress) -> int:
    """Teams that nobody played for as long as the settings say; 0 days keeps them for good."""
    days = services.settings.retention_days
    if not days:
        return 0
    before, gone = now - days * DAY, 0
    while old := await services.attic.old_teams(before, TEAMS_AT_ONCE):
        gone += await services.attic.forget_teams(old, before)
        await progress(0.5, f"teams: {gone}")
    return gone


async def forget_team(services: Services, resume_code: str) -> str:
    """Forget one team that asked for it, with everything about it; its name.

    Raises:
        UnknownCode: no team has the code.
    """
    team = await services.sessions.teams.by_code(read_code(resume_code))
    if team is None:
        raise UnknownCode("no team has this code")
    await services.attic.forget_teams([team.id], services.clock.now() + DAY)
    return team.name


def today(now: float) -> str:
    """The day of a moment by this machine's clock."""
    return datetime.fromtimestamp(now).astimezone().date().isoformat()
