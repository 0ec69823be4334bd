"""Commands that copy everything: a backup, the way back, the way to another database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from dotenv import load_dotenv

from amazonia.cli.app import app
from amazonia.settings import POSTGRES, Settings, read_settings

File = Annotated[Path, typer.Argument(help="The backup: one SQLite file, whatever the database.")]
Address = Annotated[str, typer.Argument(help="sqlite:///FILE, a file, or postgresql://….")]


@app.command()
def backup(
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Copy the database into a file while the game runs, and check the copy."""
    from amazonia.services import back_up

    settings = _settings()
    with _progress() as told:
        digests = back_up(_place(settings), file, told, force=force)
    typer.echo(f"{file}: {sum(d.rows for d in digests.values())} rows, checked")
    typer.echo(_about_the_key(settings))


@app.command()
def restore(
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Bring a backup back, of either database, while the game is stopped."""
    from amazonia.services import bring_back

    settings = _settings()
    with _progress() as told:
        digests = bring_back(file, _place(settings), told, force=force)
    typer.echo(f"{sum(d.rows for d in digests.values())} rows brought back, checked")
    typer.echo(_about_the_key(settings))


@app.command("move-data")
def move_data(
    source: Address,
    target: Address,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Copy a school from one database to another, all or nothing, while the game is stopped."""
    from amazonia.services import bring_back

    with _progress() as told:
        digests = bring_back(_parse(source), _parse(target), told, force=force)
    for name, digest in digests.items():
        typer.echo(f"{name:12} {digest.rows:8} {digest.sum[:16]}")
    typer.echo("Both hold the same, by number and content. The source was left as it is.")


def _settings() -> Settings:
    load_dotenv(Path(".env"), interpolate=False)
    return read_settings(os.environ)


def _place(settings: Settings) -> Path | str:
    return settings.database_url if settings.is_on_postgres else settings.database_file


def _parse(address: str) -> Path | str:
    return address if address.startswith(POSTGRES) else Path(address.removeprefix("sqlite:///"))


def _about_the_key(settings: Settings) -> str:
    kept = settings.data / "secret.key"
    where = f"the file {kept}" if kept.exists() and not settings.secret_key else "SECRET_KEY"
    return (
        f"Keep {where} with it: it signs the cookies. With another, teams enter their codes anew."
    )


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal; nothing where there is none."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[str, object] = {}

        def told(table: str, done: int, total: int) -> None:
            if table not in bars:
                bars[table] = progress.add_task(table, total=total)
            progress.update(bars[table], completed=done)  # type: ignore[arg-type]

        yield told
