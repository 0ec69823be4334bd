"""The `amazonia` command."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from amazonia.cli import authors, copying, doctor, operators, workers
from amazonia.cli.app import app
from amazonia.errors import AmazoniaError

__all__ = ["app", "authors", "copying", "doctor", "main", "operators", "workers"]


def main() -> None:
    """Run the command; an error of ours is one line that says what to do."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a console that cannot write «→» writes «?»
            stream.reconfigure(errors="replace")
    try:
        app()
    except AmazoniaError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from error
