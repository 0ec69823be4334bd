"""Cases of several instances: parts of a cluster die under hundreds of players."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from amazonia.loadtest.cluster import Cluster, cluster
from amazonia.loadtest.crowd import crowd
from amazonia.loadtest.figures import Turn, failed, percentile, wholes
from amazonia.loadtest.ledger import audit
from amazonia.loadtest.measure import DEADLINE, Quick, sources
from amazonia.loadtest.parts import Part
from amazonia.loadtest.plans import Plan
from amazonia.loadtest.processes import tree
from amazonia.loadtest.questions import POOL
from amazonia.loadtest.report import Result, seconds
from amazonia.loadtest.servers import GAME_MODEL, Bench, Provider

WHERE = "http://127.0.0.1"
THINK = (10.0, 20.0)
"""500 players who think so long ask some 25 questions a second."""
PATIENCE = 60.0
RESUMED, HEALED = 2.0, 5.0
TOLD = 5

Disturb = Callable[[Cluster], Awaitable[None]]


@asynccontextmanager
async def playground(
    bench: Bench, profile: str, instances: int = 3
) -> AsyncIterator[tuple[Cluster, Provider]]:
    """A cluster and its provider, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=bench.folder) as place:
        async with bench.provider(profile) as provider:
            environ = {"OPENAI_BASE_URL": f"{provider.server.url}/v1", "OPENAI_MODEL": GAME_MODEL}
            starting = cluster(Path(place), bench.learned, instances=instances, environ=environ)
            async with starting as made:
                shutil.copytree(
                    Path(place) / "game1" / "learned", bench.learned, dirs_exist_ok=True
                )
                yield made, provider


async def play_there(
    made: Cluster, plan: Plan, disturb: Disturb | None, after: float
) -> list[Turn]:
    """Let a crowd play by nginx; something happens some seconds after they began."""
    players = await crowd(replace(plan, url=made.url))
    try:
        playing = asyncio.create_task(players.play())
        await asyncio.sleep(after)
        if disturb is not None:
            await disturb(made)
        return await playing
    finally:
        players.end()


async def _hold(result: Result, made: Cluster, turns: list[Turn]) -> None:
    """Nothing is lost, doubled or left without an answer."""
    found = await audit(made.url, turns)
    slowest = percentile(wholes(turns), 1.0)
    result.tell("turns", f"{len(turns)}: {sources(turns)}")
    result.hold("not answered", str(len(failed(turns))), "0", ok=not failed(turns))
    result.hold("lost", str(len(found.lost)), "0", ok=not found.lost)
    result.hold(f"doubled, of {found.kept}", str(len(found.doubled)), "0", ok=not found.doubled)
    for fault in (*found.lost[:TOLD], *found.doubled[:TOLD]):
        result.tell("", fault)
    result.tell("whole reply p50, p99, slowest", _times(turns))
    result.note(
        "cluster",
        turns=len(turns),
        lost=len(found.lost),
        doubled=len(found.doubled),
        slowest=slowest,
        refused=sum(turn.refused for turn in turns),
    )


def _times(turns: list[Turn]) -> str:
    return ", ".join(seconds(percentile(wholes(turns), share)) for share in (0.5, 0.99, 1.0))


# ── parts die ───────────────────────────────────────────────────────────────────────────────────


async def cluster_instance(bench: Bench, quick: Quick) -> Result:
    """An instance is killed under 500 players: each goes on with another within two seconds."""
    result = Result("cluster_instance")

    async def kill(made: Cluster) -> None:
        made.games[0].kill()

    async with playground(bench, "healthy") as (made, _):
        turns = await play_there(made, _crowd(quick), kill, quick.or_(20.0, 8.0))
        await made.games[0].start()
        await _hold(result, made, turns)
    gaps = [turn.gap for turn in turns if turn.resumed]
    longest = max(gaps, default=0.0)
    what = f"longest gap of {len(gaps)} broken lines"
    result.hold(what, seconds(longest), f"≤ {RESUMED:g} s", ok=longest <= RESUMED)
    result.note("cluster", broken=len(gaps), gap=longest)
    return result


async def cluster_redis(bench: Bench, quick: Quick) -> Result:
    """Redis is frozen for half a minute under 500 players: no turn fails."""
    result = Result("cluster_redis")
    frozen = quick.or_(30.0, 5.0)

    async def freeze(made: Cluster) -> None:
        made.redis.freeze()
        await asyncio.sleep(frozen)
        made.redis.thaw()

    async with playground(bench, "healthy") as (made, _):
        turns = await play_there(made, _crowd(quick), freeze, quick.or_(15.0, 5.0))
        await _hold(result, made, turns)
    late = [whole for whole in wholes(turns) if whole > DEADLINE + 0.1]
    result.hold("beyond the deadline", str(len(late)), "0", ok=not late)
    return result


async def cluster_postgres(bench: Bench, quick: Quick) -> Result:
    """PostgreSQL is restarted under 500 players: what was accepted is kept, and it heals soon."""
    result, back = Result("cluster_postgres"), 0.0

    async def restart(made: Cluster) -> None:
        nonlocal back
        made.postgres.stop(signal.SIGINT)
        await asyncio.to_thread(made.postgres.wait)
        await made.postgres.start()
        back = time.time()

    async with playground(bench, "healthy") as (made, _):
        healing = asyncio.create_task(_healed(made, lambda: back))
        turns = await play_there(made, _crowd(quick), restart, quick.or_(20.0, 8.0))
        after = await healing
        await _hold(result, made, turns)
    result.hold("accepted again after", seconds(after), f"≤ {HEALED:g} s", ok=after <= HEALED)
    result.note("cluster", healed=after)
    return result


async def _healed(made: Cluster, back: Callable[[], float]) -> float:
    """Seconds from the moment at which the database is back until every instance saves again."""
    while not back():  # noqa: ASYNC110 - a number, not an event
        await asyncio.sleep(0.02)
    timeout = aiohttp.ClientTimeout(total=2.0)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        await asyncio.gather(*(_begins_a_team(http, url) for url in made.urls))
    return time.time() - back()


async def _begins_a_team(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until an instance saves."""
    while True:
        try:
            async with http.post(f"{url}/api/session", json={}) as answer:
                if answer.status == 201:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.05)


def _crowd(quick: Quick) -> Plan:
    return Plan(
        WHERE,
        "resume",
        quick.count(500, 60),
        seconds=quick.or_(75.0, 20.0),
        think=THINK if not quick.on else (2.0, 4.0),
        patience=PATIENCE,
        keep=True,
    )


async def cluster_copies(bench: Bench, quick: Quick) -> Result:
    """1,000 teams at three instances ask the same: one call; two when the leader is killed."""
    result = Result("cluster_copies")
    teams = quick.count(1000, 150)
    for asked, killed in ((POOL[9], False), (POOL[10], True)):
        async with playground(bench, "healthy") as (made, provider):
            plan = Plan(
                WHERE,
                "resume",
                teams,
                turns=1,
                think=(0.0, 0.0),
                same=asked,
                keep=True,
                patience=PATIENCE,
            )
            kill = _kill_the_leader(provider) if killed else None
            turns = await play_there(made, plan, kill, 0.0)
            calls = await provider.calls_of(GAME_MODEL)
            if killed:
                await asyncio.gather(*(game.start() for game in made.games if _is_gone(game)))
            await _hold(result, made, turns)
        most, how = (2, "its leader killed") if killed else (1, "undisturbed")
        what = f"provider calls for {teams} copies, {how}"
        result.hold(what, str(calls), f"≤ {most}", ok=1 <= calls <= most)
        result.note("cluster", **{"calls_killed" if killed else "calls": calls})
    return result


def _kill_the_leader(provider: Provider) -> Disturb:
    """Kill the instance that speaks: the one that has a line to the provider."""

    async def kill(made: Cluster) -> None:
        while not (await provider.stats())["in_flight"]:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        port = int(provider.server.url.rpartition(":")[2])
        next((game for game in made.games if _speaks(game, port)), made.games[0]).kill()

    return kill


def _is_gone(part: Part) -> bool:
    return part.process is None or part.process.poll() is not None


def _speaks(game: Part, port: int) -> bool:
    """Whether a process of a game has a line to a port of this machine; see proc(5)."""
    there = f"0100007F:{port:04X}"
    lines = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        if line.split()[2] == there and line.split()[3] == "01"
    }
    for pid in tree(game.pid):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                name = str(link.readlink())
            except OSError:
                continue
            if name.startswith("socket:[") and name[8:-1] in lines:
                return True
    return False
