"""A process that dies while it speaks: its turn is finished by whoever finds it, at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.worlds import mini_services

from amazonia.ports import Team, Turn
from amazonia.services import Services

ROOT = Path(__file__).resolve().parents[2]

DYING = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from amazonia import log
from tests.worlds import mini_services, mini_settings

class SilentVoice:
    async def speak(self, performance, deadline):
        await asyncio.sleep(3600)
        yield

async def main():
    log.set_up(mini_settings(Path(sys.argv[1])))
    async with mini_services(Path(sys.argv[1])) as services:
        team = (await services.sessions.resume(sys.argv[2])).team
        silent = replace(services.interviews, voice=SilentVoice())
        accepted = await silent.ask(team, "cida", "o que aconteceu com o bolo?", None)
        print(accepted.turn.id, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


def speaking_process(data: Path, team: Team) -> tuple[subprocess.Popen[str], str]:
    """A process that accepted a turn and says nothing; and the turn's id."""
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(data), team.resume_code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    turn_id = process.stdout.readline().strip()
    process.stdout.close()
    assert turn_id
    return process, turn_id


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


async def test_a_listener_is_answered_when_the_speaker_dies(tmp_path: Path) -> None:
    """It waits while the speaker lives; within moments of its death it has the reply."""
    async with mini_services(tmp_path / "data") as services:
        team = (await services.sessions.start(None, None, None, None)).team
        process, turn_id = await asyncio.to_thread(speaking_process, tmp_path / "data", team)
        turn = await services.interviews.turn(team, turn_id)
        assert turn.status == "speaking"
        waiting = asyncio.ensure_future(services.interviews.reply(team, turn))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await asyncio.to_thread(kill, process)
        died = time.monotonic()
        reply = await asyncio.wait_for(waiting, 5)
        assert time.monotonic() - died < 1
        assert reply["reply"] == "Deixei o bolo ali. Virei as costas, e sumiu."


@pytest.mark.parametrize("how", ["start", "next question", "history"])
async def test_an_orphan_is_finished_by_whoever_finds_it(tmp_path: Path, how: str) -> None:
    """A starting process, the team's next question, or a look at the conversation."""
    data = tmp_path / "data"
    async with mini_services(data) as services:
        team = (await services.sessions.start(None, None, None, None)).team
        process, turn_id = await asyncio.to_thread(speaking_process, data, team)
        await asyncio.to_thread(kill, process)
        if how == "next question":
            asked = "cadê o bolo da festa?"
            accepted = await asyncio.wait_for(services.interviews.ask(team, "cida", asked, None), 5)
            reply = await services.interviews.reply(team, accepted.turn)
            assert [clue["id"] for clue in reply["clues"]] == ["migalhas"]
        elif how == "history":
            from amazonia.play.history import conversation

            (turn,) = await conversation(services.interviews, team, "cida")
            assert turn["reply"]
    async with mini_services(data) as services:
        kept = await finished(services, team, turn_id)
        assert kept.reply == "Deixei o bolo ali. Virei as costas, e sumiu."
        assert kept.source == "scripted"


async def finished(services: Services, team: Team, turn_id: str) -> Turn:
    """The turn as it is stored, once it is done; nothing here finishes it."""
    async with asyncio.timeout(5):
        while True:
            turn = await services.interviews.turns.get(team.id, turn_id)
            if turn is not None and turn.status == "done":
                return turn
            await asyncio.sleep(0.02)
