"""A game that is watched: its server, its log, its metrics and its spans, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.server import CASES, Server, serve

QUESTION = "o que aconteceu com o bolo? segredo-da-turma-7b"
"""Something that nobody but a player can have said."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that runs."""

    server: Server

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    def play(self, *questions: str, **headers: str) -> list[httpx.Response]:
        """Play as a new team: what was answered to its questions."""
        with httpx.Client(base_url=self.url, timeout=30, headers=headers) as http:
            http.post("/api/session", json={"team": "Botos"}).raise_for_status()
            return [
                http.post("/api/chat", json={"entity_id": "cida", "message": question})
                for question in questions
            ]

    def metrics(self) -> str:
        """What Prometheus reads."""
        return httpx.get(f"{self.url}/metrics").raise_for_status().text

    def stop(self) -> str:
        """End it; everything that it logged."""
        self.server.stop()
        return self.server.log.read_text(encoding="utf-8")


@contextmanager
def watched(data: Path, **environ: str) -> Iterator[Watched]:
    """Run the game until the block ends."""
    with serve(data, "--server", "uvicorn", cases=CASES, **environ) as server:
        yield Watched(server)
