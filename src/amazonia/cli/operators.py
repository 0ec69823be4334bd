"""Commands of operators: serve the game, and try it under load and faults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from dotenv import load_dotenv

from amazonia.cli.app import app


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; PORT or 8000 by default.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    reload: Annotated[bool, typer.Option(help="Start anew when a source file changes.")] = False,
    lan: Annotated[bool, typer.Option(help="Let other machines of this network play.")] = False,
    server: Annotated[str, typer.Option(help="gunicorn, or uvicorn (one process).")] = "gunicorn",
) -> None:
    """Serve the game; what the environment does not set may stand in a file `.env`."""
    load_dotenv(Path(".env"), interpolate=False)  # first: Gunicorn reads some at import
    from amazonia.serve import run_gunicorn, run_uvicorn
    from amazonia.settings import read_settings

    if server not in {"gunicorn", "uvicorn"}:
        raise typer.BadParameter(f"'{server}' is no server: gunicorn or uvicorn")
    environ = {**os.environ, **({"PORT": str(port)} if port is not None else {})}
    if workers is not None:
        environ["GUNICORN_WORKERS"] = str(workers)
    settings = read_settings(environ)
    address = "0.0.0.0" if lan else host  # noqa: S104 - asked for
    if server == "uvicorn":
        run_uvicorn(settings, address)
    else:
        run_gunicorn(settings, address, reload=reload)


@app.command()
def provider(
    profile: Annotated[str, typer.Option(help="How it behaves: healthy, outage, …")] = "healthy",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 9999,
    seed: Annotated[int, typer.Option(help="The same seed makes the same chances.")] = 1,
    speed: Annotated[float, typer.Option(help="How many times faster than real time.")] = 1.0,
) -> None:
    """Serve an OpenAI-compatible provider for development, which fails as it is told to."""
    from amazonia.devprovider.server import run

    try:
        run(host, port, profile, seed, speed)
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc


@app.command()
def bench(
    cases: Annotated[list[str], typer.Argument(help="Cases or groups: all, faults, healthy40, …")],
    quick: Annotated[
        bool, typer.Option(help="A glimpse of each; its figures prove nothing.")
    ] = False,
    json_file: Annotated[Path, typer.Option("--json", help="File for the results.")] = Path(
        "test-results/bench.json"
    ),
    svg: Annotated[Path | None, typer.Option(help="File for the chart.")] = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="How long soak and soak_memory last; 30 unless given.")
    ] = 0.0,
) -> None:
    """Load the game, on this machine, beside the references it is compared with."""
    from amazonia.loadtest.run import UnknownCase
    from amazonia.loadtest.run import bench as run

    try:
        raise typer.Exit(run(cases, quick=quick, json=json_file, svg=svg, minutes=minutes))
    except UnknownCase as exc:
        raise typer.BadParameter(str(exc)) from exc
