"""The real server: two processes, one database, kill -9, draining."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server import Server, serve
from tests.web.events import events_of

CAKE = {"entity_id": "cida", "message": "o que aconteceu com o bolo?"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with player(server) as client:
        yield client


def player(server: Server) -> httpx.AsyncClient:
    # A connection a request: what a worker does not remember, the next one must know.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=server.url, limits=limits, timeout=20)


async def begin(client: httpx.AsyncClient) -> Any:
    response = await client.post("/api/session", json={})
    assert response.status_code == 201
    return response.json()


async def test_simultaneous_duplicates_are_one_turn(client: httpx.AsyncClient) -> None:
    """Eight identical questions to two processes at once: one turn, one reply."""
    await begin(client)
    answers = await asyncio.gather(*(client.post("/api/chat", json=CAKE) for _ in range(8)))
    replies = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert len({reply["turn_id"] for reply in replies}) == 1
    assert len({reply["reply"] for reply in replies}) == 1
    assert sum(not reply["duplicate"] for reply in replies) == 1


async def test_any_process_streams_a_turn(client: httpx.AsyncClient) -> None:
    """Whichever process accepted it."""
    await begin(client)
    accepted = await client.post("/api/chat", json=CAKE, headers={"prefer": "respond-async"})
    path = f"/api/turns/{accepted.json()['turn_id']}/events"
    texts = await asyncio.gather(*(client.get(path) for _ in range(10)))
    streams = [events_of(response.text) for response in texts]
    assert all(stream == streams[0] for stream in streams)
    assert streams[0][-1].kind == "done"


async def test_other_tabs_hear_of_changes(client: httpx.AsyncClient, server: Server) -> None:
    """`version` arrives within a second, from whichever process."""
    await begin(client)
    heard: list[str] = []

    async def listen() -> None:
        async with client.stream("GET", "/api/team/events") as response:
            async for line in response.aiter_lines():
                heard.append(line)
                if line.startswith("data") and '"version":2' in line:
                    return

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    await client.post("/api/chat", json=CAKE)
    await asyncio.wait_for(listening, 3)
    assert "event: version" in heard


async def test_a_hundred_teams_at_once(client: httpx.AsyncClient, server: Server) -> None:
    """Everybody is answered and every state is right."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as many:

        async def play(number: int) -> int:
            # `request` cookies stay apart: each team sends its own.
            session = await many.post("/api/session", json={"team": f"Equipe {number}"})
            cookie = session.headers["set-cookie"].partition(";")[0]
            many.cookies.clear()
            headers = {"cookie": cookie}
            reply = await many.post("/api/chat", json=CAKE, headers=headers)
            assert reply.status_code == 200, reply.text
            state = (await many.get("/api/state", headers=headers)).json()
            assert state["team"]["name"] == f"Equipe {number}"
            return int(state["version"])

        versions = await asyncio.gather(*(play(number) for number in range(100)))
    assert set(versions) == {2}


async def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    """Whatever was answered before the power cut is there after it."""
    data = tmp_path / "data"
    with serve(data) as server:
        async with player(server) as client:
            session = await begin(client)
            reply = (await client.post("/api/chat", json=CAKE)).json()
            accepted = await client.post(
                "/api/chat",
                json={**CAKE, "message": "a que horas saiu do forno?"},
                headers={"prefer": "respond-async"},
            )
            server.kill()
    with serve(data, "--server", "uvicorn") as server:
        async with player(server) as client:
            code = {"resume_code": session["resume_code"]}
            assert (await client.post("/api/session/resume", json=code)).status_code == 200
            turns = (await client.get("/api/history/cida")).json()
            assert [turn["turn_id"] for turn in turns] == [
                reply["turn_id"],
                accepted.json()["turn_id"],
            ]
            assert turns[0]["reply"] == reply["reply"]
            assert turns[1]["reply"] == "Às 9h10, está no caderno. Eu anoto tudo."
            state = (await client.get("/api/state")).json()
            assert "hora_forno" in {clue["id"] for clue in state["clues"]}


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
async def test_asked_to_stop_it_stops_soon(tmp_path: Path, kind: str) -> None:
    """Idle connections and endless streams do not hold it."""
    with serve(tmp_path / "data", "--server", kind) as server:
        host, port = server.url.removeprefix("http://").split(":")
        idle = [await asyncio.open_connection(host, port) for _ in range(3)]
        async with httpx.AsyncClient(base_url=server.url) as client:
            await begin(client)
            async with client.stream("GET", "/api/team/events") as stream:
                assert stream.status_code == 200
                begun = time.monotonic()
                assert await asyncio.to_thread(server.stop) in {0, -signal.SIGTERM}
                assert time.monotonic() - begun < 5
        for _, writer in idle:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
