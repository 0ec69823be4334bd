"""Filling the reply cache of a case before a lesson."""

from __future__ import annotations

import asyncio
from collections import Counter

from amazonia.domain.case import Lang
from amazonia.errors import BadOrder, UnknownCase
from amazonia.jobs.work import Outcome, Progress
from amazonia.play.preheat import Opener, openers, warm
from amazonia.ports import Json, VoiceFailed
from amazonia.services import Services

AT_ONCE = 3
"""Questions that are performed at once: the players of this moment come first."""
HOPELESS = 2
"""Handfuls of questions, one after the other, that no model answers before this gives up."""


async def preheat(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Have the first question to every topic performed and kept.

    Doing it twice asks no provider for what is kept. A spent budget ends it.

    Args:
        arguments: ``{"case": name, "lang"?: code, "early"?: true}``; without a language all of
            the case's, with `early` only what can be asked from the first minute on.

    Raises:
        BadOrder: there is no such case or language.
        VoiceFailed: no model answers; to be tried again.
    """
    asked = await asyncio.to_thread(_questions, services, arguments)
    if not services.settings.voices:
        return Outcome({"questions": len(asked), "note": "no provider, so nothing to keep"})
    spoken, silent, done = Counter[str](), 0, 0
    while done < len(asked) and silent < HOPELESS:
        handful = asked[done : done + AT_ONCE]
        who = await asyncio.gather(*(_warm(services, opener) for opener in handful))
        spoken.update(who)
        done += len(handful)
        silent = 0 if {"model", "cache", "scripted"} & set(who) else silent + 1
        await progress(done / len(asked), f"{done}/{len(asked)}")
    if silent >= HOPELESS and "budget" not in spoken:
        raise VoiceFailed(f"no model answers: {', '.join(spoken)}")
    return Outcome({"questions": len(asked), "spoken": dict(spoken), "left": len(asked) - done})


def _questions(services: Services, arguments: Json) -> list[Opener]:
    name = str(arguments.get("case", ""))
    try:
        case = services.library.case(name)
    except UnknownCase as exc:
        raise BadOrder(str(exc)) from exc
    wanted = arguments.get("lang")
    if wanted is not None and wanted not in case.words:
        raise BadOrder(f"{name} has no '{wanted}'; there are: {', '.join(case.words)}")
    langs = [Lang(wanted)] if wanted else list(case.words)
    found = [opener for lang in langs for opener in openers(services.game, case, lang)]
    return [opener for opener in found if opener.early or not arguments.get("early")]


async def _warm(services: Services, opener: Opener) -> str:
    clock, settings = services.clock, services.settings
    return await warm(opener, services.interviews.voice, settings.turn_deadline, clock.monotonic)
