"""Everything about one team, to be kept, moved or handed over."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping

import orjson

from amazonia.errors import BadOrder
from amazonia.jobs.work import Outcome, Progress
from amazonia.ports import Json
from amazonia.ports.jobs import JobFile
from amazonia.services import Services

KEPT = 7 * 86400.0
"""Seconds for which the file can be fetched."""
README = """\
Everything that Amazonia keeps about one team: a JSON file for each table, a row for each record.
Times are seconds since 1970, UTC. What signs somebody in (resume code, ids of devices) is left out.
"""
TEXTS = frozenset({"state", "data", "beat", "answer"})
"""Columns that hold JSON as text."""


async def export(services: Services, arguments: Json, progress: Progress) -> Outcome:
    """Make the archive of a team.

    Args:
        arguments: ``{"team": id}``.

    Raises:
        BadOrder: there is no such team.
    """
    team = arguments.get("team")
    found = await services.attic.whole_team(team) if isinstance(team, str) else {}
    if not found:
        raise BadOrder('there is no team of that id; give {"team": "<id>"}')
    await progress(0.5, "zip")
    body = await asyncio.to_thread(_zipped, found)
    expires = services.clock.now() + KEPT
    rows = {name: len(rows) for name, rows in found.items()}
    file = JobFile(f"amazonia-{team}.zip", "application/zip", body, expires)
    return Outcome({"team": team, "rows": rows}, file)


def _zipped(found: Mapping[str, list[Json]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, rows in found.items():
            readable = [{key: _readable(key, value) for key, value in row.items()} for row in rows]
            archive.writestr(f"{name}.json", orjson.dumps(readable, option=orjson.OPT_INDENT_2))
    return packed.getvalue()


def _readable(column: str, value: object) -> object:
    """JSON that is kept as text, as JSON."""
    if column not in TEXTS or not isinstance(value, str):
        return value
    return orjson.loads(value)
