"""What a turn costs each part of a cluster, with one instance and with three."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from amazonia.loadtest.cluster import Cluster
from amazonia.loadtest.figures import failed
from amazonia.loadtest.measure import Quick
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.questions import TURNS_OF_A_TEAM
from amazonia.loadtest.report import Result, milliseconds
from amazonia.loadtest.scaled import PATIENCE, WHERE, play_there, playground
from amazonia.loadtest.servers import Bench

RATIO = 1.25


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds of each part for a turn, and what else a turn takes."""

    games: float
    postgres: float
    redis: float
    nginx: float
    commands: float
    wal: float
    turns: int


async def cluster_cost(bench: Bench, quick: Quick) -> Result:
    """Three instances against one at equal load each: what a turn costs each part.

    A turn costs a process the less the more it has to do, because it wakes up for several things at
    once. So three are compared with one that has a third of their players; beside it stands one
    that has all of them.
    """
    result = Result("cluster_cost")
    players = quick.count(120, 42)
    found = []
    for instances, of_them in ((1, players // 3), (3, players), (1, players)):
        plan = Plan(
            WHERE,
            "page",
            of_them,
            seconds=quick.or_(60.0, 15.0),
            think=(2.0, 6.0),
            patience=PATIENCE,
        )
        async with playground(bench, "healthy", instances) as (made, _):
            found.append(await _costs(made, plan))
        _tell(result, f"{instances} × {of_them // instances} players", found[-1])
    one, three, all_on_one = found
    ratio, spread = three.games / one.games, three.games / all_on_one.games
    what = "CPU a turn, three instances to one, as many players each"
    result.hold(what, f"{ratio:.2f}", f"≤ {RATIO:g}", ok=ratio <= RATIO)
    result.tell("the same players on three instances to one", f"{spread:.2f}")
    result.note("cluster", ratio=ratio, spread=spread)
    return result


async def _costs(made: Cluster, plan: Plan) -> Costs:
    warm = replace(plan, seconds=5.0, begin=100 * TURNS_OF_A_TEAM)
    await play_there(made, warm, None, 0.0)
    before, commands, wal = _used(made), await _commands(made), await _wal(made)
    turns = await play_there(made, plan, None, 0.0)
    count = max(1, len(turns) - len(failed(turns)))
    spent = {name: (value - before[name]) / count for name, value in _used(made).items()}
    return Costs(
        games=spent["games"],
        postgres=spent["postgres"],
        redis=spent["redis"],
        nginx=spent["nginx"],
        commands=(await _commands(made) - commands) / count,
        wal=(await _wal(made) - wal) / count,
        turns=count,
    )


def _used(made: Cluster) -> dict[str, float]:
    """Processor seconds until now."""
    parts = {"postgres": made.postgres, "redis": made.redis, "nginx": made.nginx}
    spent = {name: part.running(made.url).cpu() for name, part in parts.items()}
    return {**spent, "games": sum(game.running(made.url).cpu() for game in made.games)}


async def _commands(made: Cluster) -> int:
    """Commands that Redis has done."""
    reader, writer = await asyncio.open_connection("127.0.0.1", made.redis.port)
    try:
        writer.write(b"INFO stats\r\n")
        said = (await reader.read(65536)).decode()
    finally:
        writer.transport.abort()
    lines = (line for line in said.splitlines() if line.startswith("total_commands_processed:"))
    return int(next(lines).split(":")[1])


async def _wal(made: Cluster) -> int:
    """Bytes that PostgreSQL has written ahead."""
    import asyncpg  # here: an extra

    base = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{made.postgres.port}/postgres")
    try:
        return int(await base.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    finally:
        await base.close()


def _tell(result: Result, who: str, costs: Costs) -> None:
    times = ", ".join(
        f"{name} {milliseconds(value)}"
        for name, value in (
            ("game", costs.games),
            ("PostgreSQL", costs.postgres),
            ("Redis", costs.redis),
            ("nginx", costs.nginx),
        )
    )
    result.tell(f"{who}: CPU a turn of {costs.turns}", times)
    result.tell(f"{who}: a turn", f"{costs.commands:.0f} Redis commands, {costs.wal:,.0f} B of WAL")
    result.note(
        who,
        turns=costs.turns,
        cpu=costs.games,
        postgres=costs.postgres,
        redis=costs.redis,
        nginx=costs.nginx,
        commands=costs.commands,
        wal=costs.wal,
    )
