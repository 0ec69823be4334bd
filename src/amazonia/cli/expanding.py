"""`amazonia expand`: ask a provider for questions, show how they are heard, keep the accepted."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import typer
from dotenv import dotenv_values

from amazonia.content.expand import Proposal, keep, prompt, proposals
from amazonia.content.library import Library
from amazonia.content.lint import read_draft
from amazonia.domain.case import Case, Lang, Topic
from amazonia.errors import AmazoniaError
from amazonia.settings import Provider as Voice
from amazonia.settings import read_settings
from amazonia.voice.providers import Endpoint, Message, Provider, Request, open_http

SECONDS = 60.0
"""An author waits longer than a player."""
TOKENS = 900


class NobodyToAsk(AmazoniaError):
    """No provider is configured; nothing was changed."""


def voice() -> Voice:
    """The first provider of the environment or of `.env`.

    Raises:
        NobodyToAsk: there is none.
    """
    given = {k: v for k, v in dotenv_values(Path(".env"), interpolate=False).items() if v}
    voices = read_settings({**given, **os.environ}).voices
    if not voices:
        raise NobodyToAsk(
            "no provider to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server; "
            "to try it: `amazonia provider` and OPENAI_BASE_URL=http://127.0.0.1:9999/v1"
        )
    return voices[0]


async def ask(of: Voice, system: str, user: str) -> str:
    """What a provider answers.

    Raises:
        ProviderFailed: for every failure.
    """
    endpoint = Endpoint(of.name, of.base_url, of.model, of.api_key)
    request = Request((Message("system", system), Message("user", user)), TOKENS, temperature=1.0)
    async with open_http() as http:
        provider = Provider(endpoint, http, time.monotonic, time.time)
        return await provider.ask(request, left=SECONDS)


def expand(
    library: Library,
    case: Case,
    lang: Lang,
    topics: list[Topic],
    wanted: int,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask for each topic; print, or keep what is accepted."""
    of, listener = voice(), library.listener(case, lang)
    texts = read_draft(case, library.folder / case.id).texts[lang]
    records = []
    for topic in topics:
        answer = asyncio.run(ask(of, *prompt(case, lang, topic, wanted)))
        found = proposals(answer, case, lang, topic, listener)
        if not as_json:
            missed = sum(not one.found for one in found)
            typer.secho(f"\n{topic.key}: {len(found)} ({missed} ?)", bold=True)
        kept = _kept(found, yes=yes, as_json=as_json)
        file = ""
        if kept:
            file = str(keep(texts, topic.character, topic, kept))
            if not as_json:
                typer.secho(f"  + {len(kept)} → {file}", fg="green")
        records.append(
            {
                "topic": topic.key,
                "file": file,
                "proposals": [
                    {
                        "question": one.question,
                        "found": one.found,
                        "heard": one.heard,
                        "kept": one.question in kept,
                    }
                    for one in found
                ],
            }
        )
    if as_json:
        typer.echo(json.dumps(records, ensure_ascii=False, indent=2))


def _kept(found: list[Proposal], *, yes: bool, as_json: bool) -> list[str]:
    """The questions to keep: with `yes` those that are not found yet, else what the author says."""
    if yes or as_json:
        for one in found if not as_json else []:
            typer.echo(_line(one))
        return [one.question for one in found if not one.found] if yes else []
    kept = []
    for one in found:
        said = typer.prompt(f"{_line(one)}\n    [y/n/e]", default="n" if one.found else "y")
        if said.lower().startswith(("e",)):
            kept.append(typer.prompt("    ", default=one.question))
        elif said.lower().startswith(("y", "s")):
            kept.append(one.question)
    return kept


def _line(one: Proposal) -> str:
    mark = typer.style("✓", fg="green") if one.found else typer.style("?", fg="yellow")
    return f"  {mark} {one.question}   ({one.heard})"
