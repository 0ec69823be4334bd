"""What teachers' live pages cost: the server's CPU for a turn with them open, and without.

    .venv/bin/python bench/classroom.py [--classes 200] [--teams 40] [--rate 20] [--pairs 5]

Every class has its teams and one live page open or not, in blocks that take turns. Turns come at a
steady rate, each of another team, so that no update can be shared between two of them: the worst
case for the live view. CPU is that of the server's processes (user and system, from /proc).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.server import Server, serve  # noqa: E402

from amazonia.domain.session import begin  # noqa: E402
from amazonia.groundwork import migrate, open_library  # noqa: E402
from amazonia.ports import Team  # noqa: E402
from amazonia.services import Services, open_services  # noqa: E402
from amazonia.settings import read_settings  # noqa: E402
from amazonia.web.security import CLASS_COOKIE, COOKIE, Cookies  # noqa: E402

SECRET = "a secret for the bench, long enough to be taken for one"
QUESTIONS = ("quem pegou o bolo?", "o que aconteceu ontem?", "onde você estava?", "e a porta?")
BLOCK, WARM = 12.0, 5.0
TICK = os.sysconf("SC_CLK_TCK")


async def prepare(data: Path, cases: Path, classes: int, teams: int) -> list[tuple[str, list[str]]]:
    """Classes with teams: the cookie of each teacher, and those of its teams."""
    settings = read_settings(
        {"AMAZONIA_DATA": str(data), "AMAZONIA_CASES": str(cases), "SECRET_KEY": SECRET}
    )
    migrate(settings)
    async with open_services(settings, open_library(settings)) as services:
        return [await _one_class(services, number, teams) for number in range(classes)]


async def _one_class(services: Services, number: int, size: int) -> tuple[str, list[str]]:
    cookies, case = Cookies(SECRET), services.library.case(services.library.names()[0])
    lang = next(iter(case.words))
    room = (await services.registry.open(case.id, lang)).room
    names = [f"{number:04}{i:04}" for i in range(size)]
    blank = Team("", case.id, lang, "Botos", 4, "", 0, begin(case), room.id)
    now = services.clock.now()
    made = [replace(blank, id=f"t{n}", resume_code=f"CODE{n}", name=f"Botos {n}") for n in names]
    await asyncio.gather(*(services.game.teams.add(team, now) for team in made))
    devices = services.sessions.devices
    await asyncio.gather(*(devices.add(f"d{team.id}", team.id, now) for team in made))
    badge = cookies._badges.write(f"{room.id}.{room.key[:16]}")  # noqa: SLF001 - it signs as the server does
    signer = cookies._signer  # noqa: SLF001
    signed = [f"{COOKIE}={signer.sign(f'd{team.id}').decode()}" for team in made]
    return f"{room.code} {CLASS_COOKIE}_{room.code}={badge}", signed


def cpu(server: Server) -> float:
    """Seconds of CPU that the server's processes have used."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == server.process.pid:  # the process group
            total += int(fields[11]) + int(fields[12])
    return total / TICK


@asynccontextmanager
async def looking_on(http: aiohttp.ClientSession, teachers: list[str]) -> AsyncIterator[list[int]]:
    """Every teacher's page is open; counts what they receive."""
    heard = [0]

    async def look(teacher: str) -> None:
        code, cookie = teacher.split(" ", 1)
        async with http.get(f"/api/classes/{code}/live", headers={"Cookie": cookie}) as stream:
            assert stream.status == 200, stream.status
            async for line in stream.content:
                heard[0] += line.startswith(b"event: teams")

    tasks = [asyncio.create_task(look(teacher)) for teacher in teachers]
    yield heard
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def turns(http: aiohttp.ClientSession, asking: itertools.cycle, rate: int) -> int:
    """Turns at a steady rate for the length of a block; how many were answered."""
    running: list[asyncio.Task[int]] = []

    async def ask(cookie: str, question: str) -> int:
        body = {"entity_id": "cida", "message": question}
        async with http.post("/api/chat", json=body, headers={"Cookie": cookie}) as answer:
            return int(answer.status == 200)

    began = time.monotonic()
    for number in range(round(BLOCK * rate)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        running.append(asyncio.create_task(ask(*next(asking))))
    return sum(await asyncio.gather(*running))


async def block(
    http: aiohttp.ClientSession,
    server: Server,
    asking: itertools.cycle,
    rate: int,
    teachers: list[str],
) -> tuple[float, int]:
    """Milliseconds of CPU for a turn while these teachers look on, and the updates they got."""
    async with looking_on(http, teachers) as heard:
        await asyncio.sleep(WARM)
        before, seen = cpu(server), heard[0]
        answered = await turns(http, asking, rate)
        return 1000 * (cpu(server) - before) / max(1, answered), heard[0] - seen


async def measure(options: argparse.Namespace) -> None:
    """Prepare, serve, and print every block and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        rooms = await prepare(data, options.cases, options.classes, options.teams)
        teachers = [teacher for teacher, _ in rooms]
        # One team of each class, then the next of each: no team comes twice for long.
        order = [
            cookie for row in zip(*(teams for _, teams in rooms), strict=True) for cookie in row
        ]
        asking = itertools.cycle(zip(order, itertools.cycle(QUESTIONS)))
        connector = aiohttp.TCPConnector(limit=0)
        with serve(data, "--workers", "2", cases=options.cases, SECRET_KEY=SECRET) as server:
            async with aiohttp.ClientSession(server.url, connector=connector) as http:
                await turns(http, asking, options.rate)
                off, on = [], []
                for _ in range(options.pairs):
                    off.append((await block(http, server, asking, options.rate, []))[0])
                    with_pages, heard = await block(http, server, asking, options.rate, teachers)
                    on.append(with_pages)
                    print(
                        f"off {off[-1]:6.2f} ms   on {on[-1]:6.2f} ms   {heard} updates", flush=True
                    )
    ratio = statistics.median(on) / statistics.median(off)
    print(
        f"{options.classes} classes × {options.teams} teams, {options.rate} turns/s: "
        f"median {statistics.median(off):.2f} ms off, {statistics.median(on):.2f} ms on, "
        f"ratio {ratio:.3f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=200)
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--cases", type=Path, default=ROOT / "tests" / "cases")
    asyncio.run(measure(parser.parse_args()))
