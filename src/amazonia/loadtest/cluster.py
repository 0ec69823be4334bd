"""Three games behind nginx with PostgreSQL, Redis and a worker, on loopback: `make cluster`.

.venv/bin/python -m amazonia.loadtest.cluster --port 8000
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from amazonia.loadtest.parts import Part, answers_http
from amazonia.loadtest.processes import DidNotStart, free_port
from amazonia.loadtest.programs import NotInstalled, nginx, postgres, redis

ROOT = Path(__file__).parents[3]
GAME = "from amazonia.cli import main; main()"
INSTANCES = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        url: nginx's, where players come.
        urls: of each game.
        worker: of the jobs.
        admin_token: what opens /metrics, /admin and clear-cache.
    """

    url: str
    urls: tuple[str, ...]
    games: tuple[Part, ...]
    worker: Part
    nginx: Part
    redis: Part
    postgres: Part
    admin_token: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """All, those first that others need."""
        return (self.postgres, self.redis, *self.games, self.worker, self.nginx)


@asynccontextmanager
async def cluster(
    folder: Path,
    learned: Path | None = None,
    *,
    port: int = 0,
    instances: int = INSTANCES,
    environ: Mapping[str, str] | None = None,
    postgres_settings: tuple[str, ...] = (),
) -> AsyncIterator[Cluster]:
    """Start everything and end it with the block.

    Args:
        folder: takes data and logs; somebody else removes it.
        learned: what a game has learned of its cases, so that three need not do it again.
        port: of nginx; 0 for any.
        environ: further settings of the games and the worker.

    Raises:
        NotInstalled: PostgreSQL, Redis or nginx is missing.
        DidNotStart: one of them, or a game, does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="amazonia-pg-") as place:
        database = postgres(Path(place), free_port(), folder / "postgres.log", postgres_settings)
        made = _plan(folder, learned, port or free_port(), instances, environ or {}, database)
        async with _running(made, folder):
            yield made


@asynccontextmanager
async def _running(made: Cluster, folder: Path) -> AsyncIterator[None]:
    """Start everything in the order of who needs whom; end it with the block."""
    try:
        for part in (made.postgres, made.redis):
            await part.start()
        first, *others = made.games
        await first.start()  # alone: it learns, and the others find what it learned
        for game in others:
            _hand_on(folder / first.name / "learned", folder / game.name / "learned")
            game.launch()
        made.worker.launch()
        made.nginx.launch()
        await asyncio.gather(*(part.answers() for part in (*others, made.worker, made.nginx)))
        yield
    finally:
        for part in reversed(made.parts):
            part.end()


def _plan(
    folder: Path,
    learned: Path | None,
    port: int,
    instances: int,
    environ: Mapping[str, str],
    database: Part,
) -> Cluster:
    shared = free_port()
    ports = [free_port() for _ in range(instances)]
    token = secrets.token_urlsafe(24)
    settings = {
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{database.port}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{shared}/0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ADMIN_TOKEN": token,
        "GUNICORN_WORKERS": "1",
        "LOG_FORMAT": "json",
        **environ,
    }
    games = tuple(
        _game(folder, learned, f"game{number}", own, settings)
        for number, own in enumerate(ports, 1)
    )
    return Cluster(
        url=f"http://127.0.0.1:{port}",
        urls=tuple(f"http://127.0.0.1:{own}" for own in ports),
        games=games,
        worker=_worker(folder, learned, settings),
        nginx=nginx(folder, ROOT / "deploy" / "nginx.conf", port, ports),
        redis=redis(folder, shared),
        postgres=database,
        admin_token=token,
    )


def _game(
    folder: Path, learned: Path | None, name: str, port: int, settings: Mapping[str, str]
) -> Part:
    data = folder / name
    _hand_on(learned, data / "learned")
    environ = {**settings, "AMAZONIA_DATA": str(data), "PORT": str(port)}
    command = [sys.executable, "-c", GAME, "serve"]
    ready = answers_http(f"http://127.0.0.1:{port}/health/ready")
    return Part(name, command, port, ready, folder / f"{name}.log", environ)


def _worker(folder: Path, learned: Path | None, settings: Mapping[str, str]) -> Part:
    data = folder / "worker"
    _hand_on(learned, data / "learned")
    log = folder / "worker.log"

    async def ready() -> bool:
        return log.exists() and b"worker.started" in log.read_bytes()

    environ = {**settings, "AMAZONIA_DATA": str(data)}
    return Part("worker", [sys.executable, "-c", GAME, "worker"], 0, ready, log, environ)


def _hand_on(learned: Path | None, to: Path) -> None:
    if learned is not None and learned.is_dir():
        shutil.copytree(learned, to, dirs_exist_ok=True)


# ── make cluster ────────────────────────────────────────────────────────────────────────────────


async def _serve(port: int, learned: Path) -> None:
    """Run a cluster until Ctrl-C."""
    enough = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, enough.set)
    with tempfile.TemporaryDirectory(prefix="amazonia-cluster-") as place:
        folder = Path(place)
        sys.stdout.write("Starting PostgreSQL, Redis, three games, a worker and nginx …\n")
        async with cluster(folder, learned, port=port) as made:
            lines = [f"  {part.name:<9} {part.pid:>7}  {part.log}" for part in made.parts]
            sys.stdout.write("\n".join([*lines, ""]))
            sys.stdout.write(f"Amazonia is ready: {made.url}   (admin token: {made.admin_token})\n")
            sys.stdout.write("Kill what you like, by its number. Ctrl-C ends everything.\n")
            sys.stdout.flush()
            await enough.wait()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--learned", type=Path, default=Path("data/learned"))
    given = parser.parse_args()
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(given.port, given.learned))
    except (NotInstalled, DidNotStart) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
