"""Commands around work that nobody waits for."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from dotenv import load_dotenv

from amazonia.cli.app import app

if TYPE_CHECKING:
    from amazonia.settings import Settings


@app.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Jobs at once.")] = 2,
    once: Annotated[bool, typer.Option(help="Do what waits, without a queue, and end.")] = False,
) -> None:
    """Do the jobs of the queue that CELERY_BROKER_URL or REDIS_URL names, until told to stop."""
    settings = _settings()
    from amazonia.jobs.worker import run_worker, work_once

    if once:
        done = asyncio.run(work_once(settings))
        typer.echo(f"{done} job{'' if done == 1 else 's'} done")
        return
    run_worker(settings, concurrency)


@app.command()
def purge(
    team: Annotated[str | None, typer.Option(help="Forget only the team of this code.")] = None,
) -> None:
    """Forget what is old, here and now; the same runs by itself every night."""
    settings = _settings()
    from amazonia.jobs.worker import forget_now, purge_now

    if team is not None:
        name = asyncio.run(forget_now(settings, team))
        typer.echo(f"forgotten: {name}")
        return
    typer.echo(json.dumps(asyncio.run(purge_now(settings))))


def _settings() -> Settings:
    """The settings, with logs set up as they say."""
    load_dotenv(Path(".env"), interpolate=False)
    from amazonia import log
    from amazonia.ops import metrics, telemetry
    from amazonia.settings import read_settings

    settings = read_settings(os.environ)
    log.set_up(settings, metrics.count, telemetry.trace)
    return settings
