"""A turn that nobody listens to any more: the provider's stream is closed, the turn is whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from tests.faults.playing import (
    BOLO,
    Player,
    Question,
    check,
    each_worker,
    owner_of,
    playing,
    rows,
    saved,
    visit,
)
from tests.providers import FaultyProvider, provider
from tests.server import Server
from tests.web.events import events_of

from amazonia.play.audience import GRACE

pytestmark = pytest.mark.slow

PACE = 0.0075
"""The speed of the profile `fast` at which it begins after 1.4 s and takes 6–7.4 s."""
TIMERS = {"TURN_DEADLINE": "12", "FIRST_TOKEN_TIMEOUT": "4", "STALL_TIMEOUT": "3"}
SOON = 0.5
"""Seconds after the grace, on a busy machine."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultyProvider]:
    with provider("fast", speed=PACE) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: FaultyProvider) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("listeners") / "server"
    with playing(data, upstream, **TIMERS) as running:
        yield running


@pytest.fixture
async def workers(
    server: Server, upstream: FaultyProvider
) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """A connection to either process."""
    async with each_worker(server) as both:
        upstream.reset()
        yield both


async def test_nobody_listens(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Five seconds after a question that nobody waits for, upstream is closed and all is saved."""
    question = visit(1)[0]
    turn_id = await (await Player(workers[0]).begin()).drop(question)
    seconds = await _cancelled_after(server, upstream, turn_id)
    assert GRACE - 0.1 <= seconds <= GRACE + SOON
    await _is_authored(server, turn_id, question)


async def test_a_client_that_disconnects_is_gone(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Whoever waits for the whole reply and goes away listens no more."""
    question = visit(2)[0]
    player = await Player(workers[0]).begin()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(player.ask(question), 1.0)
    ((turn_id,),) = rows(server, "SELECT id FROM turns WHERE message = ?", question.message)
    seconds = await _cancelled_after(server, upstream, turn_id)
    assert GRACE + 0.8 <= seconds <= GRACE + 1.0 + SOON
    await _is_authored(server, turn_id, question)


async def test_a_listener_elsewhere_is_enough(
    server: Server, upstream: FaultyProvider, workers: list[aiohttp.ClientSession]
) -> None:
    """Somebody who listens at the other process hears the model to the end."""
    question = visit(3)[0]
    player = await Player(workers[0]).begin()
    turn_id = await player.drop(question)
    owner = owner_of(server, turn_id)
    elsewhere = Player(workers[1], player.cookie)
    async with elsewhere.listen(turn_id) as response:
        events = events_of(await response.text())
    assert events[-1].kind == "done"
    assert events[-1].data["source"] == "model"
    assert question.authored in events[-1].data["reply"]
    assert upstream.stats()["cancelled"] == 0
    assert owner_of(server, turn_id) == owner
    assert events[-1].data["elapsed_ms"] > 1000 * GRACE


async def test_whoever_shares_a_reply_is_answered_though_its_leader_is_left(
    workers: list[aiohttp.ClientSession],
) -> None:
    """A team at the other process hears whole sentences when nobody of the first team is left."""
    question = Question("cida", "bolo", BOLO[4])
    await (await Player(workers[0]).begin()).drop(question)
    answered = await (await Player(workers[1]).begin()).ask(question, stream=True)
    check(question, answered, within=float(TIMERS["TURN_DEADLINE"]))


async def _cancelled_after(server: Server, upstream: FaultyProvider, turn_id: str) -> float:
    """Seconds from a turn's acceptance to the cancellation of the only call."""
    when = asyncio.to_thread(upstream.stats_when, lambda stats: stats["cancelled"] > 0)
    (cancelled,) = (await when)["cancelled_at"]
    ((accepted,),) = rows(server, "SELECT accepted_at FROM turns WHERE id = ?", turn_id)
    return float(cancelled["at"] - accepted)


async def _is_authored(server: Server, turn_id: str, question: Question) -> None:
    reply, source = await saved(server, turn_id)
    assert source == "scripted"
    assert reply.endswith(question.authored)
