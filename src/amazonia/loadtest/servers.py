"""The servers of a run: the provider, the game, and the references of `bench/load/`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from amazonia.loadtest.processes import Running, free_port, running

WORKERS = 2
GAME_MODEL, RELAY_MODEL, OLD_MODEL = "game", "relay", "old"
"""By these names the provider tells whose calls it counts."""
MOST_CALLS = 2000
"""How many requests the provider remembers."""

_GAME = "from amazonia.cli import main; main()"
_PROVIDER = (
    "import sys; from amazonia.devprovider.server import run; "
    "run(port=int(sys.argv[1]), profile=sys.argv[2], seed=int(sys.argv[3]))"
)


class NoReferences(RuntimeError):
    """The reference servers are not installed with the game; they are in its repository."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The development provider that runs, and its controls."""

    server: Running
    http: aiohttp.ClientSession

    async def switch(self, profile: str, speed: float = 1.0) -> None:
        """Change what the next calls get."""
        await self._post("/profile", {"profile": profile, "speed": speed})

    async def stats(self) -> dict[str, Any]:
        """Its counts."""
        return dict(await self._get("/stats"))

    async def calls(self) -> list[dict[str, Any]]:
        """The requests that it remembers, oldest first."""
        return list(await self._get(f"/calls?last={MOST_CALLS}"))

    async def calls_of(self, model: str) -> int:
        """How many calls a server has made."""
        return int((await self.stats())["by_model"].get(model, 0))

    async def _get(self, path: str) -> Any:
        async with self.http.get(self.server.url + path) as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        async with self.http.post(self.server.url + path, json=body) as answer:
            answer.raise_for_status()


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a run keeps its files and finds its references.

    Attributes:
        folder: for data and logs; emptied by whoever made it.
        learned: what games have learned of the case, from one to the next; may not be there yet.
        case: the folder of the case that is played.
        references: the folder of the reference servers, or None where there is no checkout.
        results: the folder for what is worth keeping.
    """

    folder: Path
    learned: Path
    case: Path
    references: Path | None
    results: Path

    @asynccontextmanager
    async def provider(self, profile: str, seed: int = 1) -> AsyncIterator[Provider]:
        """A provider of its own: calls are numbered from 1, so equal runs get equal replies."""
        port = free_port()
        command = [sys.executable, "-c", _PROVIDER, str(port), profile, str(seed)]
        timeout = aiohttp.ClientTimeout(total=20.0)
        async with (
            running("provider", command, port, "/profile", self._log("provider", port)) as server,
            aiohttp.ClientSession(timeout=timeout) as http,
        ):
            yield Provider(server, http)

    @asynccontextmanager
    async def game(
        self, provider: Provider | None, workers: int = WORKERS, **environ: str
    ) -> AsyncIterator[Running]:
        """The game as `amazonia serve` runs it, with a fresh data folder.

        Args:
            provider: None for the game without a model.
            environ: further settings.
        """
        port = free_port()
        data = self.folder / f"data-{port}"
        data.mkdir(parents=True)
        if self.learned.is_dir():
            shutil.copytree(self.learned, data / "learned")
        if provider is not None:
            environ |= {"OPENAI_BASE_URL": f"{provider.server.url}/v1", "OPENAI_MODEL": GAME_MODEL}
        environ = {"LOG_FORMAT": "json", **environ, "AMAZONIA_DATA": str(data)}
        options = ["serve", "--port", str(port), "--workers", str(workers)]
        command = [sys.executable, "-c", _GAME, *options]
        log = self._log("game", port)
        async with running("game", command, port, "/health/ready", log, **environ) as server:
            shutil.copytree(data / "learned", self.learned, dirs_exist_ok=True)
            yield server
        shutil.rmtree(data, ignore_errors=True)

    @asynccontextmanager
    async def relay(self, provider: Provider) -> AsyncIterator[Running]:
        """The bare relay.

        Raises:
            NoReferences: there is no checkout.
        """
        async with self._reference("relay", provider) as server:
            yield server

    @asynccontextmanager
    async def old_cure(self, provider: Provider) -> AsyncIterator[Running]:
        """The old cure.

        Raises:
            NoReferences: there is no checkout.
        """
        async with self._reference("old_cure", provider) as server:
            yield server

    @asynccontextmanager
    async def _reference(self, name: str, provider: Provider) -> AsyncIterator[Running]:
        if self.references is None:
            raise NoReferences("the reference servers are in the repository's bench/load")
        port = free_port()
        script = self.references / f"{name}.py"
        options = ["--port", str(port), "--provider", f"{provider.server.url}/v1"]
        command = [sys.executable, str(script), *options]
        async with running(name, command, port, "/health", self._log(name, port)) as server:
            yield server

    def _log(self, name: str, port: int) -> Path:
        return self.folder / f"{name}-{port}.log"
