"""`amazonia doctor`: what is well with this deployment, what is not, and what to do about it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from dotenv import dotenv_values

from amazonia.cli.app import app

if TYPE_CHECKING:
    from amazonia.content.library import Library
    from amazonia.ops.doctor import Finding, Found
    from amazonia.settings import Settings

ENV_FILE = Path(".env")
MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    call: Annotated[
        bool, typer.Option(help="Let each provider speak a word; costs a few tokens.")
    ] = False,
    instances: Annotated[
        int, typer.Option(min=1, help="Machines of the game that share the database.")
    ] = 1,
) -> None:
    """Examine this deployment, with the environment and `.env` as the game would read them."""
    from amazonia.ops.doctor import Deployment, diagnose
    from amazonia.services import newest

    environ = {**_from_file(), **os.environ}
    found = asyncio.run(diagnose(Deployment(environ, newest(), prove, ENV_FILE, instances, call)))
    if as_json:
        typer.echo(orjson.dumps([asdict(each) for each in found], option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(_lines(found)))
    raise typer.Exit(1 if any(each.level == "problem" for each in found) else 0)


def _from_file() -> dict[str, str]:
    """What `.env` says, as `amazonia serve` reads it."""
    if os.environ.get("PYTHON_DOTENV_DISABLED"):
        return {}
    said = dotenv_values(ENV_FILE, interpolate=False)
    return {name: value for name, value in said.items() if value is not None}


def _lines(found: Found) -> list[str]:
    width = max(len(each.about) for each in found)
    lines = []
    for each in found:
        lines.append(f"{MARKS[each.level]}  {each.about.ljust(width)}  {each.what}")
        if each.do:
            lines.append(f"{' ' * (len(MARKS['ok']) + width + 4)}→ {each.do}")
    counts = {level: sum(each.level == level for each in found) for level in MARKS}
    total = f"problems: {counts['problem']}, notes: {counts['note']}, ok: {counts['ok']}"
    return [*lines, "", total]


def prove(settings: Settings) -> Found:
    """Load every case and prove it; those that were never learned here are only loaded."""
    from amazonia.content.library import Library, bundled_cases
    from amazonia.errors import AmazoniaError
    from amazonia.ops.doctor import problem

    library = Library(settings.cases or bundled_cases(), settings.data / "learned")
    try:
        names = library.names()
        found = [_proven(library, name) for name in names]
    except (AmazoniaError, OSError) as error:
        return [problem("cases", str(error).partition("\n")[0], "amazonia check")]
    if not names:
        return [problem("cases", f"there is no case in {library.folder}", "See AMAZONIA_CASES")]
    return found


def _proven(library: Library, name: str) -> Finding:
    from amazonia.content.check import check_case
    from amazonia.ops.doctor import note, ok, problem

    case = library.case(name)
    if not library.has_learned(case):
        what = f"{name} is whole, and was not learned here yet"
        return note("cases", what, "The first start takes some 40 s more; before: deploy/learn.py")
    faults = check_case(library, name)
    if faults:
        return problem("cases", f"{name}: {faults[0]}; {len(faults)} in all", "amazonia check")
    return ok("cases", f"{name}: every proof holds")
