"""The report on a class as a PDF."""

from __future__ import annotations

import asyncio

from amazonia.classroom.labels import Labels
from amazonia.classroom.report import Report
from amazonia.errors import BadOrder
from amazonia.jobs.work import Outcome, Progress
from amazonia.ports import Json
from amazonia.ports.jobs import JobFile
from amazonia.services import Services

KEPT = 3600.0
"""Seconds for which the file can be fetched."""


async def report(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Make the PDF.

    Args:
        arguments: `{class, labels: {lang, table, offset}, made, name}`: the class's id, the words
            of the report, the line that says what it is, and the name of the file.

    Raises:
        BadOrder: there is no such class (any more).
    """
    room = await services.registry.classes.get(str(arguments.get("class", "")))
    if room is None:
        raise BadOrder("there is no class of that id; it may have been erased")
    labels = Labels(**arguments["labels"])
    made = await services.afterwards.report(room, labels.lang)
    await progress(0.2, "pdf")
    body = await asyncio.to_thread(_pdf, made, labels, arguments["made"])
    expires = services.clock.now() + KEPT
    return Outcome({}, JobFile(arguments["name"], "application/pdf", body, expires))


def _pdf(made: Report, labels: Labels, line: str) -> bytes:
    from amazonia.classroom.pdf import make_pdf  # a second and some megabytes, for who needs it

    return make_pdf(made, labels, line)
