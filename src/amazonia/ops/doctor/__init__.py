"""`amazonia doctor`: a deployment is looked at, part by part, and told what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from amazonia.ops.doctor import machine, variables
from amazonia.ops.doctor.embedded import judge_file
from amazonia.ops.doctor.findings import (
    Check,
    Finding,
    Found,
    apart,
    examine,
    note,
    ok,
    problem,
)
from amazonia.ops.doctor.postgres import judge_postgres
from amazonia.ops.doctor.shared import judge_broker, judge_redis
from amazonia.ops.doctor.voices import judge_voices
from amazonia.settings import Settings

__all__ = ["Deployment", "Finding", "Found", "diagnose", "note", "ok", "problem"]

LONGEST = 60.0
"""Seconds for proving the cases, which is work and not waiting."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is examined, and what the doctor must be told.

    Attributes:
        environ: the variables, those of `.env` included.
        newest: the migration that this version ends with.
        cases: proves the cases; it may take seconds.
        instances: how many machines of the game share the database.
        call: let each provider speak a word.
    """

    environ: Mapping[str, str]
    newest: str
    cases: Callable[[Settings], Found]
    env_file: Path = Path(".env")
    instances: int = 1
    call: bool = False


async def diagnose(deployment: Deployment) -> Found:
    """Examine everything at once; what needs readable settings is left out without them."""
    settings, found = variables.read(deployment.environ)
    found += variables.judge_env_file(deployment.env_file)
    found += variables.judge_proxies(deployment.environ)
    found += [*machine.judge_files(), *machine.judge_shared_memory()]
    if settings is None:
        return found
    found += variables.judge_secrets(settings, shared=settings.is_on_postgres)
    found += [*machine.judge_processors(settings), *machine.judge_memory(settings)]
    cases = {"cases": partial(apart, partial(deployment.cases, settings))}
    return [
        *found,
        *await examine(_checks(settings, deployment)),
        *await examine(cases, LONGEST),
    ]


def _checks(settings: Settings, deployment: Deployment) -> dict[str, Check]:
    """What waits for something else, by what it is about."""
    newest = deployment.newest
    if settings.is_on_postgres:
        database: Check = partial(judge_postgres, settings, newest, deployment.instances)
    else:
        database = partial(apart, partial(judge_file, settings.database_file, newest))
    return {
        "disk": partial(apart, partial(machine.judge_disk, settings)),
        "database": database,
        "Redis": partial(judge_redis, settings),
        "job queue": partial(judge_broker, settings),
        "voices": partial(judge_voices, settings, call=deployment.call),
        "port": partial(apart, partial(machine.judge_port, settings)),
    }
