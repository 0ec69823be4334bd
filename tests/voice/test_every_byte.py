"""A provider that dies at every possible byte of its answer: nothing half is shown or kept."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs
from tests.domain.world import PT, mini
from tests.worlds import mini_settings

from amazonia.devprovider.server import Provider
from amazonia.domain.codec import dump_state
from amazonia.groundwork import migrate
from amazonia.play.turns import Interviews
from amazonia.ports import Json, Team
from amazonia.services import Services, open_services
from amazonia.voice.breaker import Breaker
from amazonia.voice.scripted import sentences
from amazonia.voice.speak import Speaker

AT_ONCE = 32
QUESTION = "que hora o forno desligou?"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def recorded() -> bytes:
    """What a healthy provider sends, HTTP's head and chunks included, for the beat asked here."""
    (line,) = mini().words.characters["cida"].topics["forno"].steps[0].says  # type: ignore[index]
    messages = [
        {"role": "system", "content": f"<beat>\n- {line.text}\n</beat>"},
        {"role": "user", "content": QUESTION},
    ]
    asked = {
        "model": "m",
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    _, script = Provider("fast", now=lambda: 0.0).answer_chat(orjson.dumps(asked))
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for _, piece in script.steps)
    return HEAD + b"".join(chunks) + b"0\r\n\r\n"


class Cut:
    """A provider that sends the first bytes of an answer, as many as it is told, and closes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.left: dict[str, int] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Listen; the base URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        cut = self.left[asked["messages"][-1]["content"]]
        writer.write(self.answer[:cut])
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def tolerant(services: Services) -> Interviews:
    """Use cases whose breaker never opens: every cut is to be tried."""
    speaker = services.interviews.voice
    assert isinstance(speaker, Speaker)
    (channel,) = speaker.chain.channels
    never = Breaker(services.clock.monotonic, window=1, least=2)
    chain = replace(speaker.chain, channels=[replace(channel, breaker=never)])
    return replace(services.interviews, voice=replace(speaker, chain=chain))


async def new_team(services: Services) -> Team:
    return (await services.sessions.start("mini", PT, "Botos", 3)).team


async def ask(services: Services, interviews: Interviews, message: str) -> tuple[Json, str]:
    """The reply to a new team, and the hash of its state afterwards."""
    team = await new_team(services)
    accepted = await interviews.ask(team, "cida", message, None)
    async with asyncio.timeout(10):
        reply = await interviews.reply(team, accepted.turn)
    after = await services.game.teams.get(team.id)
    assert after is not None
    state = json.dumps(dump_state(after.state), sort_keys=True)
    return reply, hashlib.sha256(state.encode()).hexdigest()


def possible(performed: str, authored: str) -> set[str]:
    """What may be shown when a voice broke off: whole sentences of it, bridge, authored text."""
    bridges = mini().words.characters["cida"].resume  # type: ignore[index]
    whole = list(sentences(performed))
    shown = (" ".join(whole[:number]) for number in range(1, len(whole) + 1))
    return {authored} | {f"{part} {bridge} {authored}" for part in shown for bridge in bridges}


@pytest.mark.slow
async def test_cut_after_every_byte(tmp_path: Path) -> None:
    """Whole sentences stay, the authored line completes them, and the state is the same."""
    mini().library.open()
    answer = recorded()
    provider = Cut(answer)
    with capture_logs() as logged:
        found, whole = await _cut_everywhere(provider, tmp_path / "data")
    assert not [line for line in logged if line["log_level"] in {"error", "critical"}]
    finish = answer.index(b'"finish_reason":"stop"')
    by_model = [cut for cut, (source, _) in found.items() if source == "model"]
    assert min(by_model) > finish
    assert {found[cut] for cut in by_model} == {("model", whole)}
    assert {found[cut][0] for cut in range(finish)} == {"scripted"}
    assert len(set(found.values())) >= 3


async def _cut_everywhere(provider: Cut, data: Path) -> tuple[dict[int, tuple[str, str]], str]:
    """For each number of bytes who spoke and what was said in the end; and the whole reply."""
    answer = provider.answer
    async with provider.serving() as url:
        once = {"OPENAI_BASE_URL": url, "OPENAI_MAX_RETRIES": "0", "SECOND_OPINION": "false"}
        settings = mini_settings(data, **once)
        migrate(settings)
        async with open_services(settings, mini().library) as services:
            interviews = tolerant(services)
            provider.left[QUESTION] = len(answer)
            whole, state = await ask(services, interviews, QUESTION)
            assert whole["source"] == "model"
            (line,) = mini().words.characters["cida"].topics["forno"].steps[0].says  # type: ignore[index]
            broken = possible(whole["reply"], line.text)
            free = asyncio.Semaphore(AT_ONCE)
            found: dict[int, tuple[str, str]] = {}

            async def cut_at(cut: int) -> None:
                # Another question for each cut, so that none hears of another's reply.
                message = f"{QUESTION} {cut}"
                provider.left[message] = cut
                async with free:
                    reply, after = await ask(services, interviews, message)
                assert after == state
                assert [clue["id"] for clue in reply["clues"]] == ["hora_forno"]
                allowed = broken if reply["source"] == "scripted" else {whole["reply"]}
                assert reply["reply"] in allowed
                found[cut] = (reply["source"], reply["reply"])

            await asyncio.gather(*(cut_at(cut) for cut in range(len(answer))))
    return found, whole["reply"]
