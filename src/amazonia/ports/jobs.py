"""Work that nobody waits for, and what is old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from amazonia.ports import Json

JobStatus = Literal["queued", "running", "done", "failed", "dead"]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that nobody waits for, as it is stored.

    Attributes:
        owner: who may see it: `admin`, or `class:…`.
        key: what makes two orders the same job.
        status: `failed` waits for its next try; `dead` was given up and waits for a person.
        attempt: how often it was begun; whoever runs it holds this number, and an older one
            changes nothing.
        progress: from 0 to 1; `note` says it in words.
        trace: the trace that ordered it, as a `traceparent` header; may be empty.
        deadline: when it has no sense any more, in seconds since 1970; the other times likewise.
        due_at: when somebody has to look after it: a lease ended, a try is due, a message was lost.
    """

    id: str
    name: str
    arguments: Json
    owner: str
    key: str
    status: JobStatus
    attempt: int
    progress: float
    note: str
    result: Json
    error: str
    trace: str
    created_at: float
    deadline: float
    due_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a job made; after `expires_at` it is gone."""

    name: str
    kind: str
    body: bytes
    expires_at: float


class JobBook(Protocol):
    """The jobs: each begun by one process at a time, and told apart by key."""

    async def add(self, job: Job, done_since: float) -> Job:
        """Store a new job, or find the one of its key that is under way or was done lately."""
        ...

    async def look(self, ids: Sequence[str]) -> Mapping[str, Job]:
        """Jobs by their ids; one that is not there is absent."""
        ...

    async def newest(self, most: int, status: JobStatus | None = None) -> list[Job]:
        """The newest jobs, of one status or of all."""
        ...

    async def begin(self, job_id: str, now: float, until: float) -> Job | None:
        """Take a job that waits, until the lease ends; None if it does not wait."""
        ...

    async def advance(
        self, job: Job, until: float, progress: float | None = None, note: str = ""
    ) -> bool:
        """Renew the lease, perhaps with news. False if the job is no longer this attempt's."""
        ...

    async def finish(self, job: Job, result: Json, file: JobFile | None, now: float) -> bool:
        """Store what came of a job, all or nothing. False as in `advance`."""
        ...

    async def set_back(self, job: Job, status: JobStatus, error: str, due_at: float) -> bool:
        """End an attempt without a result. False as in `advance`."""
        ...

    async def take_overdue(self, before: float, until: float, most: int) -> list[Job]:
        """Take over jobs that nobody looked after, to be handed out anew; nobody else gets them."""
        ...

    async def retry(self, job_id: str, deadline: float, due_at: float) -> bool:
        """Let a dead job wait again. False if it is not dead."""
        ...

    async def file(self, job_id: str, now: float) -> JobFile | None:
        """The file of a job, while there is one."""
        ...


class Attic(Protocol):
    """What is old, and everything about one team."""

    async def clear(self, before: Mapping[str, float], day: str) -> Mapping[str, int]:
        """Take away small things that are older than their kind may become.

        Args:
            before: the moment for `devices`, `turn_events`, `jobs` and `job_files`.
            day: spending before it is taken away.

        Returns:
            How many rows of each kind went.
        """
        ...

    async def old_teams(self, before: float, most: int) -> list[str]:
        """Teams that nobody touched since."""
        ...

    async def forget_teams(self, team_ids: Sequence[str], before: float) -> int:
        """Take teams away with everything about them; one that moved meanwhile stays."""
        ...

    async def whole_team(self, team_id: str) -> Mapping[str, list[Json]]:
        """Every row about a team by table, without what signs anybody in; empty if unknown."""
        ...
