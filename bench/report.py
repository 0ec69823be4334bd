"""How long the report of a whole class takes: forty teams that played for two lessons.

    nice .venv/bin/python bench/report.py [TEAMS] [TURNS]

Plays a class by itself, puts it into a database of its own and measures, best of three: reading
the records, the report, the spreadsheet, the zip and the PDF. The PDF is given ten seconds.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.classroom.classes import simulated
from tests.classroom.enrol import enrol
from tests.domain.world import lama

from amazonia.classroom.archive import archive
from amazonia.classroom.labels import Labels
from amazonia.classroom.pdf import make_pdf
from amazonia.classroom.report import make_report
from amazonia.classroom.sheets import team_sheet
from amazonia.groundwork import migrate
from amazonia.services import open_services
from amazonia.settings import read_settings
from amazonia.web.phrases import phrases

ALLOWED = 10.0


async def main(teams: int, turns: int) -> int:
    """Measure and print; 1 if the PDF took too long."""
    world = lama()
    records = simulated(world, teams, seed=7, turns=turns)
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({"AMAZONIA_DATA": folder})
        migrate(settings)
        async with open_services(settings, world.library) as services:
            room = (await services.registry.open(world.case.id, "pt-BR")).room
            await enrol(services, room, records)
            kept = services.afterwards.records
            labels = Labels("pt-BR", phrases("pt-BR").group("afterwards"))
            read = await kept.of_class(room.id)
            made = make_report(world.case, world.words, read)
            rows = await kept.everything(room.id)
            events = sum(len(record.happened) for record in read)
            print(f"{teams} teams, {turns} turns, {events:,} events")
            await _measure("records from the database", lambda: kept.of_class(room.id))
            await _measure("report", _in_thread(make_report, world.case, world.words, read))
            await _measure("spreadsheet", _in_thread(team_sheet, made, labels))
            await _measure("zip", _in_thread(archive, made, rows, labels))
            took = await _measure("PDF", _in_thread(make_pdf, made, labels, "bench"))
    return int(took > ALLOWED)


def _in_thread(
    function: Callable[..., object], *arguments: object
) -> Callable[[], Awaitable[object]]:
    return lambda: asyncio.to_thread(function, *arguments)


async def _measure(name: str, do: Callable[[], Awaitable[object]]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        made = await do()
        best = min(best, time.perf_counter() - began)
    size = f"  {len(made) / 1000:,.0f} kB" if isinstance(made, bytes) else ""
    print(f"  {name:28} {best:6.2f} s{size}")
    return best


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:3]]
    sys.exit(asyncio.run(main(*(given or [40]), *([] if len(given) > 1 else [120]))))
