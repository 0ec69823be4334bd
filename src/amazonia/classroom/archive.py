"""Everything that is kept of a class, in one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

import orjson

from amazonia.classroom.labels import Labels
from amazonia.classroom.report import Report
from amazonia.classroom.sheets import all_sheets
from amazonia.ports import Json


def archive(report: Report, kept: Mapping[str, Sequence[Json]], labels: Labels) -> bytes:
    """A zip of the report's sheets, and of each table as JSON."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("README.txt", labels("readme") + "\n")
        for name, content in all_sheets(report, labels).items():
            zipped.writestr(name, content)
        for table, rows in kept.items():
            text = orjson.dumps(rows, option=orjson.OPT_INDENT_2)
            zipped.writestr(f"{labels('file_data')}/{table}.json", text)
    return into.getvalue()
