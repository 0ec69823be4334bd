"""Turns: accepted once, answered whatever happens, the same from any process."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from tests.worlds import mini_services

from amazonia.domain.case import CharacterId
from amazonia.domain.errors import NotOwned, NotYet, Unknown
from amazonia.errors import NoSuchTurn
from amazonia.play.turns import Interviews
from amazonia.ports import (
    Accepted,
    Asked,
    Deadline,
    Finished,
    Json,
    Opening,
    Performance,
    Said,
    StreamEvent,
    Team,
    Turns,
)
from amazonia.services import Services
from amazonia.voice.speak import authored_reply

CAKE = "o que aconteceu com o bolo?"
OVEN = "a que horas saiu do forno?"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with mini_services(tmp_path / "data") as services:
        yield services


@pytest.fixture
async def team(services: Services) -> Team:
    return (await services.sessions.start(None, None, "Botos", None)).team


class SlowVoice:
    """Speaks a sentence each time that it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Semaphore(0)
        self.spoken = 0

    async def speak(self, performance: Performance, deadline: Deadline) -> AsyncGenerator[Said]:
        for sentence in authored_reply(performance):
            await self.go.acquire()
            self.spoken += 1
            yield Said(sentence, "model")

    def hurry(self) -> None:
        for _ in range(50):
            self.go.release()

    def view(self) -> list[Json]:
        return []


class BrokenVoice:
    """Says one sentence and breaks off."""

    async def speak(self, performance: Performance, deadline: Deadline) -> AsyncGenerator[Said]:
        yield Said("Olhe só o que aconteceu.", "model")
        raise RuntimeError("the line is cut")

    def view(self) -> list[Json]:
        return []


async def ask(
    interviews: Interviews,
    team: Team,
    message: str,
    character: str = "cida",
    show: str | None = None,
) -> Json:
    accepted = await interviews.ask(team, character, message, show)
    reply = await interviews.reply(team, accepted.turn)
    return {**reply, "duplicate": accepted.how == "duplicate"}


async def newest(services: Services, team: Team) -> Team:
    found = await services.game.teams.get(team.id)
    assert found is not None
    return found


async def test_a_question_is_answered(services: Services, team: Team) -> None:
    """The authored line is spoken and the state moves."""
    reply = await ask(services.interviews, team, CAKE)
    assert reply["reply"] == "Deixei o bolo ali. Virei as costas, e sumiu."
    assert (reply["source"], reply["kind"], reply["emotion"]) == ("scripted", "answer", "brava")
    assert (await newest(services, team)).state.depth == {"cida.bolo": 1}


async def test_a_clue_is_found_and_opens_things(services: Services, team: Team) -> None:
    """The second step awards its clue; with the other one the riddle opens."""
    await ask(services.interviews, team, CAKE)
    reply = await ask(services.interviews, team, "cadê o bolo da festa?")
    assert [clue["id"] for clue in reply["clues"]] == ["migalhas"]
    reply = await ask(services.interviews, team, OVEN)
    assert {item["kind"] for item in reply["unlocked"]} == {"riddle", "challenge"}


async def test_the_same_question_at_once_is_one_turn(services: Services, team: Team) -> None:
    """However it was typed; it costs nothing and is answered with the same words."""
    typed = [CAKE, CAKE.upper(), f"  {CAKE} ", "o que   aconteceu com o bolo?"]
    replies = await asyncio.gather(*(ask(services.interviews, team, text) for text in typed))
    assert len({reply["turn_id"] for reply in replies}) == 1
    assert len({reply["reply"] for reply in replies}) == 1
    assert sorted(reply["duplicate"] for reply in replies) == [False, True, True, True]
    assert (await newest(services, team)).state.depth == {"cida.bolo": 1}


async def test_the_same_question_with_a_clue_is_another(services: Services, team: Team) -> None:
    """What lies on the table is part of the question."""
    plain = await ask(services.interviews, team, "o que é isso?", "beto")
    shown = await ask(services.interviews, team, "o que é isso?", "beto", "bilhete")
    assert plain["turn_id"] != shown["turn_id"]


async def test_the_window_ends(tmp_path: Path) -> None:
    """After it the same words are a new question."""
    async with mini_services(tmp_path / "data", DUPLICATE_WINDOW="0.05") as services:
        team = (await services.sessions.start(None, None, None, None)).team
        first = await ask(services.interviews, team, CAKE)
        await asyncio.sleep(0.1)
        second = await ask(services.interviews, team, CAKE)
        assert first["turn_id"] != second["turn_id"]
        assert [clue["id"] for clue in second["clues"]] == ["migalhas"]


async def test_a_character_answers_one_at_a_time(services: Services, team: Team) -> None:
    """A second question waits for the first answer; another character does not."""
    voice = SlowVoice()
    slow = replace(services.interviews, voice=voice)
    first = await slow.ask(team, "cida", CAKE, None)
    second = asyncio.ensure_future(slow.ask(team, "cida", OVEN, None))
    other = await slow.ask(team, "beto", "você viu o bolo?", None)
    await asyncio.sleep(0.05)
    assert not second.done()
    assert other.how == "new"
    voice.hurry()
    accepted = await second
    history = await slow.turns.history(team.id, first.turn.character)
    assert [turn.id for turn in history] == [first.turn.id, accepted.turn.id]
    await slow.drain()


class LateTurns:
    """Turns of a database that is slow to save replies."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.go = asyncio.Event()
        self.accepts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turns, name)

    async def accept(self, asked: Asked, rule: Callable[[Team], Opening]) -> Accepted:
        self.accepts += 1
        return await self._turns.accept(asked, rule)

    async def finish(self, *turn: Any) -> Finished:
        await self.go.wait()
        return await self._turns.finish(*turn)


async def test_a_reply_that_is_told_but_not_saved_is_waited_for(tmp_path: Path) -> None:
    """The next question does not ask the database again and again meanwhile."""
    async with mini_services(
        tmp_path / "data", TURN_DEADLINE="1", FIRST_TOKEN_TIMEOUT="0.5"
    ) as services:
        team = (await services.sessions.start(None, None, "Botos", None)).team
        late = LateTurns(services.interviews.turns)
        interviews = replace(services.interviews, turns=cast(Turns, late))
        await ask(interviews, team, CAKE)
        second = asyncio.ensure_future(interviews.ask(team, "cida", OVEN, None))
        await asyncio.sleep(0.2)
        assert not second.done()
        late.go.set()
        assert (await second).how == "new"
        assert late.accepts == 3
        await interviews.drain()


async def test_the_turn_survives_whoever_asked(services: Services, team: Team) -> None:
    """A cancelled request leaves a turn that is spoken and saved all the same."""
    asking = asyncio.ensure_future(ask(services.interviews, team, CAKE))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.sleep(0.05)
    await services.interviews.drain()
    (turn,) = await services.interviews.turns.history(team.id, "cida")  # type: ignore[arg-type]
    assert turn.status == "done"
    assert turn.reply


async def test_a_broken_voice_is_completed_by_the_authored_words(
    services: Services, team: Team
) -> None:
    """Whole sentences stay; the character takes up the thread and says it as it was written."""
    broken = replace(services.interviews, voice=BrokenVoice())
    accepted = await broken.ask(team, "cida", CAKE, None)
    events = [event async for event in broken.events(team, accepted.turn)]
    said = [event.data["text"] for event in events if event.kind == "sentence"]
    assert said[0] == "Olhe só o que aconteceu."
    assert said[1] in services.game.table(team).words.characters[CharacterId("cida")].resume
    assert said[2:] == ["Deixei o bolo ali.", "Virei as costas, e sumiu."]
    assert events[-1].data["reply"] == " ".join(said)
    assert events[-1].data["source"] == "scripted"


async def test_a_stream_resumes_after_any_event(services: Services, team: Team) -> None:
    """During the turn and after it the same events have the same ids."""
    await ask(services.interviews, team, CAKE)
    voice = SlowVoice()
    slow = replace(services.interviews, voice=voice)
    accepted = await slow.ask(team, "cida", "cadê o bolo da festa?", None)
    live = asyncio.ensure_future(_all(slow, team, accepted.turn.id, 0))
    await asyncio.sleep(0.02)
    voice.hurry()
    events = await live
    kinds = ["turn", "gesture", "sentence", "sentence", "clue", "done"]
    assert [(e.id, e.kind) for e in events] == list(enumerate(kinds, 1))
    for seen in range(len(events) + 1):
        rest = await _all(services.interviews, team, accepted.turn.id, seen)
        assert rest == events[seen:]


async def _all(interviews: Interviews, team: Team, turn_id: str, after: int) -> list[StreamEvent]:
    turn = await interviews.turn(team, turn_id)
    return [event async for event in interviews.events(team, turn, after)]


async def test_a_turn_is_rescued_once(services: Services, team: Team) -> None:
    """However many find that its speaker is dead; the log says it once."""
    voice = SlowVoice()
    slow = replace(services.interviews, voice=voice)
    accepted = await slow.ask(team, "cida", CAKE, None)
    left = replace(accepted.turn, owner="of a process that died")
    with capture_logs() as lines:
        rescued = await asyncio.gather(*(services.interviews.rescue(team, left) for _ in range(3)))
    assert {turn.reply for turn in rescued} == {"Deixei o bolo ali. Virei as costas, e sumiu."}
    (line,) = [line for line in lines if line["event"] == "turn.rescued"]
    assert (line["character"], line["shown"]) == ("cida", 0)
    voice.hurry()
    await slow.drain()


async def test_another_process_follows(tmp_path: Path) -> None:
    """The sentences of a turn reach a listener of another process while it is spoken."""
    async with mini_services(tmp_path / "data") as here, mini_services(tmp_path / "data") as there:
        team = (await here.sessions.start(None, None, None, None)).team
        voice = SlowVoice()
        slow = replace(here.interviews, voice=voice)
        accepted = await slow.ask(team, "cida", CAKE, None)
        again = await there.interviews.ask(team, "cida", CAKE, None)
        assert (again.how, again.turn.id) == ("duplicate", accepted.turn.id)
        seen: list[str] = []

        async def listen() -> None:
            events = there.interviews.events(team, again.turn)
            async for event in events:
                await asyncio.sleep(0)
                seen.append(event.kind)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.15)
        voice.go.release()
        await asyncio.sleep(0.2)
        assert seen == ["turn", "gesture", "sentence"]
        voice.hurry()
        await asyncio.wait_for(listening, 5)
        assert seen == ["turn", "gesture", "sentence", "sentence", "done"]


async def test_two_processes_accept_one_turn(tmp_path: Path) -> None:
    """The same question to two processes at once is one turn, and the state moves once."""
    async with mini_services(tmp_path / "data") as here, mini_services(tmp_path / "data") as there:
        team = (await here.sessions.start(None, None, None, None)).team
        replies = await asyncio.gather(
            *(ask(s.interviews, team, CAKE) for s in (here, there, here, there))
        )
        assert len({reply["turn_id"] for reply in replies}) == 1
        assert len({reply["reply"] for reply in replies}) == 1
        assert (await newest(there, team)).state.depth == {"cida.bolo": 1}


@pytest.mark.parametrize(
    ("character", "show", "error"),
    [
        ("ninguem", None, Unknown),
        ("lia", None, NotYet),
        ("cida", "migalhas", NotOwned),
        ("cida", "nada", NotOwned),
    ],
)
async def test_what_is_refused_changes_nothing(
    services: Services, team: Team, character: str, show: str | None, error: type[Exception]
) -> None:
    """Nobody, somebody locked, a clue not found."""
    with pytest.raises(error):
        await services.interviews.ask(team, character, CAKE, show)
    assert await newest(services, team) == team


async def test_a_turn_belongs_to_its_team(services: Services, team: Team) -> None:
    """Another team cannot see it."""
    reply = await ask(services.interviews, team, CAKE)
    other = (await services.sessions.start(None, None, None, None)).team
    with pytest.raises(NoSuchTurn):
        await services.interviews.turn(other, reply["turn_id"])


async def test_the_state_is_the_same_whoever_spoke(tmp_path: Path) -> None:
    """With a voice that breaks, one that is slow and the authored one."""
    states = []
    for number, voice in enumerate((None, BrokenVoice(), SlowVoice())):
        async with mini_services(tmp_path / f"data{number}") as services:
            team = (await services.sessions.start(None, None, None, None)).team
            interviews = services.interviews
            if voice is not None:
                interviews = replace(interviews, voice=voice)
            if isinstance(voice, SlowVoice):
                voice.hurry()
            for message in (CAKE, OVEN):
                await ask(interviews, team, message)
            states.append((await newest(services, team)).state)
    assert states[0] == states[1] == states[2]
