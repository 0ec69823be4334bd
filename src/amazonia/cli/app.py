"""The application that every command belongs to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Amazonia: an investigation game that never hangs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
