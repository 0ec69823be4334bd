"""What the database costs a turn: SQLite beside PostgreSQL, in one run on one machine.

    PYTHONPATH=. .venv/bin/python bench/store.py [--turns N] [--at-once N]

A turn is what the game does: find the team, accept the question, finish with its reply, read the
newest turns. Times are this process's CPU and the wall clock; the server's CPU is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import uvloop
from tests.postgres import new_database
from tests.worlds import new_team

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.director import Beat
from amazonia.domain.session import Spoken
from amazonia.ports import Asked, Opening, StreamEvent
from amazonia.store.database import OpenDatabase
from amazonia.store.migrate import migrate_sqlite
from amazonia.store.postgres import PostgresDatabase
from amazonia.store.sqlite import SqliteDatabase
from amazonia.store.teams import StoredTeams
from amazonia.store.turns import StoredTurns

CIDA = CharacterId("cida")
LINES = ("topics/bolo/steps/0/says/0",)
BEAT = Beat(
    CIDA,
    "answer",
    "calm",
    "",
    LINES,
    (TopicId("bolo"),),
    (),
    (Spoken(CIDA, LINES, TopicId("bolo")),),
)
SAID = [StreamEvent(3, "sentence", {"text": "Quem comeu o bolo? Eu não fui, moço."})]


async def turn(database: OpenDatabase, team: str, number: int) -> None:
    """One turn of a team, as far as the database is concerned."""
    teams, turns, id_ = StoredTeams(database), StoredTurns(database), f"{team}-{number}"
    assert await teams.get(team)
    asked = Asked(team, CIDA, f"E o bolo? {number}", f"e o bolo? {number}", None, number + 1.0)
    opening = Opening(id_, 77, BEAT, {"kind": "answer"}, "a", number + 2.0)
    accepted = await turns.accept(asked, lambda _: opening)
    assert accepted.how == "new"
    await turns.recent(team, CIDA, 3)
    await turns.finish(accepted.turn, SAID, "Quem comeu o bolo?", "scripted", number + 3.0)


async def measure(database: OpenDatabase, turns: int, at_once: int) -> tuple[float, float]:
    """CPU and wall-clock milliseconds a turn."""
    names = [f"t{i}" for i in range(at_once)]
    for i, name in enumerate(names):
        await StoredTeams(database).add(new_team(name, f"{i:012}"), 1.0)
        await turn(database, name, 0)  # statements are compiled, connections open

    async def play(name: str) -> None:
        for number in range(1, turns // at_once + 1):
            await turn(database, name, number)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*map(play, names))
    count = turns // at_once * at_once
    spent = time.process_time() - cpu, time.perf_counter() - wall
    await database.close()
    return spent[0] / count * 1000, spent[1] / count * 1000


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=20)
    options = parser.parse_args()

    async def run(database: OpenDatabase) -> tuple[float, float]:
        return await measure(database, options.turns, options.at_once)

    async def sqlite(path: Path) -> tuple[float, float]:
        return await run(SqliteDatabase(path))

    async def postgres(url: str) -> tuple[float, float]:
        return await run(PostgresDatabase(url))

    with tempfile.TemporaryDirectory() as folder, new_database() as url:
        path = Path(folder) / "bench.sqlite3"
        migrate_sqlite(path)
        figures = {"SQLite": uvloop.run(sqlite(path)), "PostgreSQL": uvloop.run(postgres(url))}
    print(f"{'':12} {'CPU ms':>8} {'wall ms':>8}   a turn, {options.at_once} teams at once")
    for name, (cpu, wall) in figures.items():
        print(f"{name:12} {cpu:8.2f} {wall:8.2f}")
    ratio = [figures["PostgreSQL"][i] / figures["SQLite"][i] for i in (0, 1)]
    print(f"{'ratio':12} {ratio[0]:8.2f} {ratio[1]:8.2f}")


if __name__ == "__main__":
    main()
