"""What a job is made of: a function, what it is given, what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from amazonia.errors import AmazoniaError
from amazonia.ports import Json
from amazonia.ports.jobs import JobFile
from amazonia.services import Services


class Lost(AmazoniaError):
    """The job is no longer ours: another process took it over. What we did counts for nothing."""


class Overdue(AmazoniaError):
    """The job's deadline has passed; it has no sense any more."""


class Progress(Protocol):
    """How a job says how far it is."""

    async def __call__(self, part: float, note: str = "") -> None:
        """Tell the part that is done, from 0 to 1, and a word about it.

        Raises:
            Lost: stop; somebody else does it now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: a little JSON, and perhaps a file to be fetched for a while."""

    result: Json = field(default_factory=dict)
    file: JobFile | None = None


Run = Callable[[Services, Json, Progress], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of job.

    Attributes:
        run: does it. May run twice, also at once; its effect must be the same then. What needs
            the processor for long goes to a thread (`asyncio.to_thread`).
        limit: seconds from the order to the deadline.
        tries: how often it is begun before it is given up.
        fresh: seconds for which a job that was done is what another order of its key gets.
    """

    name: str
    run: Run
    limit: float
    tries: int = 5
    fresh: float = 0.0


LONGEST = 1500.0
"""Seconds that no limit exceeds: a broker hands out again what takes longer than half an hour."""
