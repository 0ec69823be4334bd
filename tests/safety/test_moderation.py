"""Moderation in both directions: what players type, and what a model says to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs
from tests.safety.obedient import Obedient, obedient
from tests.voice.test_moderation import Judge, a_judge, judged
from tests.worlds import mini_services

from amazonia.domain.codec import dump_state
from amazonia.domain.declining import declining
from amazonia.errors import InDistress
from amazonia.ports import Team, Turn
from amazonia.services import Services
from amazonia.voice.scripted import authored

CAKE = "o que aconteceu com o bolo?"
WELL = "O bolo sumiu, meu bem."


@asynccontextmanager
async def game(folder: Path, provider: Obedient, judge: str = "") -> AsyncIterator[Services]:
    """The small case with a provider that obeys, and an endpoint that moderates."""
    environ = {"OPENAI_BASE_URL": provider.url, "MODERATION_URL": judge, "DUPLICATE_WINDOW": "0"}
    async with mini_services(folder, **environ) as services:
        yield services


async def new_team(services: Services) -> Team:
    """A team that has done nothing."""
    return (await services.sessions.start(None, None, "Botos", None)).team


async def ask(services: Services, team: Team, message: str) -> Turn:
    """The finished turn of a question to Cida."""
    asked = await services.interviews.ask(team, "cida", message, None)
    await services.interviews.reply(team, asked.turn)
    return await services.interviews.turn(team, asked.turn.id)


async def state_of(services: Services, team: Team) -> object:
    """A team's whole state."""
    newest = await services.game.teams.get(team.id)
    assert newest is not None
    return dump_state(newest.state)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("vai se foder, o que aconteceu com o bolo?", "insult"),
        ("manda nudes", "sexual"),
        ("seu preto imundo", "hate"),
        ("onde eu compro maconha", "harmful"),
        ("meu zap é 97 99123-4567, o que aconteceu com o bolo?", "personal"),
    ],
)
async def test_a_character_declines(message: str, kind: str, tmp_path: Path) -> None:
    """With a line of its authors: no clue, no state, no call, and no word of it in the log."""
    async with (
        obedient() as provider,
        a_judge() as judge,
        game(tmp_path, provider, judge.url) as services,
    ):
        team = await new_team(services)
        before = await state_of(services, team)
        with capture_logs() as logs:
            turn = await ask(services, team, message)
        assert turn.answer["kind"] == "declined"
        assert turn.source == "scripted"
        words = services.game.table(team).words
        own = set(words.characters[turn.character].smalltalk.get(kind, ()))
        assert turn.reply in (own or declining(kind, team.lang))  # type: ignore[arg-type]
        assert turn.clues == ()
        assert await state_of(services, team) == before
        assert (provider.asked, judge.asked) == ([], [])
        (told,) = (event for event in logs if event["event"] == "turn.declined")
        assert (told["kind"], told["by"]) == (kind, "filter")
        assert message not in str(logs)


async def test_distress_comes_before_everything(tmp_path: Path) -> None:
    """Whatever else is in the message: a human answers, and no character declines."""
    async with obedient() as provider, game(tmp_path, provider) as services:
        with pytest.raises(InDistress):
            await ask(services, await new_team(services), "seu idiota, eu quero morrer")
        assert provider.asked == []


async def test_what_was_declined_is_told_to_no_model(tmp_path: Path) -> None:
    """Not even as the conversation before a question that carries it on."""
    async with obedient() as provider, game(tmp_path, provider) as services:
        team = await new_team(services)
        await ask(services, team, CAKE)
        await ask(services, team, "meu zap é 97 99123-4567")
        await ask(services, team, "e por quê?")
        told = str(provider.asked[1:])
        assert CAKE in told, "the conversation was not told at all"
        assert "99123" not in told


@pytest.mark.parametrize(
    "reply",
    [
        "Vai tomar no cu, menino.",
        "O bolo sumiu, seus id1otas, vocês são uns 0tários.",
        "Me manda nudes que eu conto.",
        "O bolo sumiu. Meu zap é 97 99123-4567.",
        "Falei com aquele v i a d o ontem.",
    ],
)
async def test_a_model_that_turns_nasty_is_not_heard(reply: str, tmp_path: Path) -> None:
    """The authored line is spoken instead."""
    async with obedient() as provider, game(tmp_path, provider) as services:
        team = await new_team(services)
        provider.says = {CAKE: reply}
        turn = await ask(services, team, CAKE)
        assert provider.asked
        words = services.game.table(team).words
        assert authored(words, turn.character, turn.lines) in turn.reply
        nasty = reply.removeprefix("O bolo sumiu. ")
        assert nasty not in turn.reply


# ── an endpoint beside the filter ───────────────────────────────────────────────────────────────


async def test_an_endpoint_finds_more(tmp_path: Path) -> None:
    """What the filter lets pass and the endpoint does not is declined as well."""
    async with (
        obedient() as provider,
        a_judge() as judge,
        game(tmp_path, provider, judge.url) as services,
    ):
        team = await new_team(services)
        before = await state_of(services, team)
        judge.how = judged("sexual")
        with capture_logs() as logs:
            turn = await ask(services, team, CAKE)
        assert turn.answer["kind"] == "declined"
        assert await state_of(services, team) == before
        assert provider.asked == []
        (told,) = (event for event in logs if event["event"] == "turn.declined")
        assert (told["kind"], told["by"]) == ("sexual", "provider")
        assert (await services.health.report())["checks"]["moderation"] == "ok"


async def test_an_endpoint_that_finds_distress_is_believed(tmp_path: Path) -> None:
    """A human answers, and the class's teacher is told."""
    async with (
        obedient() as provider,
        a_judge() as judge,
        game(tmp_path, provider, judge.url) as services,
    ):
        judge.how = judged("self-harm/intent", "harassment")
        with pytest.raises(InDistress):
            await ask(services, await new_team(services), CAKE)
        assert provider.asked == []


def _late(judge: Judge) -> None:
    judge.how = 5.0


def _broken(judge: Judge) -> None:
    judge.how = 500


@pytest.mark.parametrize("breaks", [_late, _broken])
async def test_a_broken_endpoint_harms_no_turn(
    breaks: Callable[[Judge], None], tmp_path: Path
) -> None:
    """The turn is answered in time, by the model; health and log tell that the filter is alone."""
    async with (
        obedient() as provider,
        a_judge() as judge,
        game(tmp_path, provider, judge.url) as services,
    ):
        team = await new_team(services)
        breaks(judge)
        began = monotonic()
        with capture_logs() as logs:
            turn = await ask(services, team, CAKE)
            declined = await ask(services, team, "seu viado")
        assert monotonic() - began < 4
        assert provider.asked
        assert turn.answer["kind"] == "answer"
        assert declined.answer["kind"] == "declined"
        assert "moderation.failed" in [event["event"] for event in logs]
        health = await services.health.report()
        assert health["status"] == "degraded"
        assert health["checks"]["moderation"] == "degraded"
        assert health["checks"]["moderation_why"]


async def test_a_teacher_s_authored_voice_asks_nobody(tmp_path: Path) -> None:
    """Where only authored lines may speak, what pupils type goes to no endpoint either."""
    async with (
        obedient() as provider,
        a_judge() as judge,
        game(tmp_path, provider, judge.url) as services,
    ):

        async def always(_: Team) -> bool:
            return True

        interviews = replace(services.interviews, is_scripted=always)
        team = await new_team(services)
        asked = await interviews.ask(team, "cida", CAKE, None)
        assert (await interviews.reply(team, asked.turn))["source"] == "scripted"
        assert (provider.asked, judge.asked) == ([], [])
