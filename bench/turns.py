"""Turns a second of a running server, and how long they take: teams that ask at once.

    .venv/bin/python bench/turns.py http://127.0.0.1:8000 --players 40 --turns 10

Loopback only. Every player starts a team of their own and asks the next question when the last
was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from urllib.parse import urlsplit

import httpx

QUESTIONS = (
    ("esmerina", "pq os peixe morreram?"),
    ("josue", "vc mediu o oxigênio da água?"),
    ("graca", "a senhora viu o vídeo do Kelvin?"),
    ("esmerina", "tavam vivos ainda? como era o beiço?"),
    ("josue", "qual peixe morreu primeiro?"),
    ("graca", "como eu peço um documento pra prefeitura?"),
    ("esmerina", "pode comer peixe?"),
    ("josue", "como funciona o monitoramento?"),
    ("graca", "qual seu time do coração?"),
    ("esmerina", "oi, tudo bem?"),
)


async def play(
    client: httpx.AsyncClient, turns: int, times: list[float], faults: list[str]
) -> None:
    """One team's questions."""
    answer = await client.post("/api/session", json={})
    client.cookies.set("amazonia", answer.cookies["amazonia"])
    for number in range(turns):
        who, message = QUESTIONS[number % len(QUESTIONS)]
        start = time.perf_counter()
        body = {"entity_id": who, "message": f"{message} {number}"}
        reply = await client.post("/api/chat", json=body)
        times.append(time.perf_counter() - start)
        if reply.status_code != 200 or not reply.json()["reply"]:
            faults.append(f"{reply.status_code} {reply.text[:120]}")


async def main(url: str, players: int, turns: int) -> None:
    """Let the players play and print what came of it."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SystemExit("only a server on this machine may be loaded")
    times: list[float] = []
    faults: list[str] = []
    clients = [httpx.AsyncClient(base_url=url, timeout=30) for _ in range(players)]
    start = time.perf_counter()
    await asyncio.gather(*(play(client, turns, times, faults) for client in clients))
    took = time.perf_counter() - start
    for client in clients:
        await client.aclose()
    times.sort()
    p50, p99 = times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3
    print(f"{players} players, {len(times)} turns in {took:.1f} s: {len(times) / took:.0f} turns/s")
    print(f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, unanswered {len(faults)} {faults[:1] or ''}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--players", type=int, default=40)
    parser.add_argument("--turns", type=int, default=10)
    given = parser.parse_args()
    asyncio.run(main(given.url.rstrip("/"), min(given.players, 500), min(given.turns, 100)))
