"""Whole games, once with the authored voice, once with a model, once from the cache.

After every move the state and everything in the reply but its words, its source and the times must
be the same: whoever speaks, nothing that counts is different.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.domain.spoilers import Secrets
from tests.domain.world import PT, World, lama, mini, papel

from amazonia.devprovider.server import Provider, serving
from amazonia.domain.case import CounterId, RiddleId
from amazonia.domain.codec import dump_state
from amazonia.domain.errors import RuleError
from amazonia.domain.session import State, holds
from amazonia.errors import AmazoniaError
from amazonia.groundwork import migrate
from amazonia.play.confront import answer_question, try_round
from amazonia.play.notebook import link_clues
from amazonia.play.publish import publish_edition
from amazonia.play.riddles import riddle_hint, try_challenge, try_riddle
from amazonia.ports import Team
from amazonia.services import Services, open_services
from amazonia.settings import read_settings

Json = dict[str, Any]
WORLDS = {"mini": mini, "lama_sem_ouro": lama}
REAL = pytest.mark.parametrize("world", [lama(), papel()], ids=["lama", "papel"])
FILES = sorted(Path(__file__).parent.glob("*.yaml"))
SCRIPTS = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES}
SPEED = 50.0
SPOKEN = frozenset({"turn_id", "reply", "source", "elapsed_ms", "duplicate"})
"""What may differ from voice to voice."""


@dataclass
class Played:
    """A game.

    Attributes:
        moves: of each the hash of the state, and of the reply without what the voice made of it.
        sources: who spoke in the turns.
        states: before each turn and after the last one.
    """

    moves: list[tuple[str, str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    states: list[State] = field(default_factory=list)


@asynccontextmanager
async def services_of(world: World, data: Path, url: str = "") -> AsyncIterator[Services]:
    """Services over a case; a provider at `url` speaks, if there is one."""
    environ = {"AMAZONIA_DATA": str(data), "AMAZONIA_CASES": str(world.library.folder)}
    settings = read_settings({**environ, "OPENAI_BASE_URL": url, "DUPLICATE_WINDOW": "0"})
    migrate(settings)
    async with open_services(settings, world.library) as services:
        yield services


async def play(services: Services, world: World, actions: list[Json]) -> Played:
    """Play a game with a new team; refused moves are moves too."""
    team = (await services.sessions.start(world.case.id, PT, "Botos", 3)).team
    played = Played()
    for action in actions:
        team = await _newest(services, team)
        played.states.append(team.state)
        try:
            answer = await _act(services, world, team, action)
        except (RuleError, AmazoniaError) as exc:
            answer = {"refused": type(exc).__name__}
        if action["do"] == "chat" and "source" in answer:
            played.sources.append(answer["source"])
            answer = {key: value for key, value in answer.items() if key not in SPOKEN}
            answer["counter"] = _in_one_order(answer["counter"])
        team = await _newest(services, team)
        played.moves.append((_hash(dump_state(team.state)), _hash(answer)))
    played.states.append(team.state)
    return played


def _in_one_order(counter: Json | None) -> Json | None:
    """A counter-question, whose options each team sees in an order of its own."""
    if counter is None:
        return None
    return {**counter, "options": sorted(counter["options"], key=lambda option: option["id"])}


async def _newest(services: Services, team: Team) -> Team:
    newest = await services.game.teams.get(team.id)
    assert newest is not None
    return newest


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


async def _act(services: Services, world: World, team: Team, action: Json) -> Json:
    """One move, by inner ids or by players' codes."""
    game = services.game
    match action["do"]:
        case "chat":
            who = action.get("to") or action["entity_id"]
            asked = await services.interviews.ask(team, who, action["message"], action.get("show"))
            return await services.interviews.reply(team, asked.turn)
        case "riddle":
            answer = _riddle_codes(world, action["id"], action["answer"])
            return await try_riddle(game, team, action["id"], answer)
        case "hint":
            return await riddle_hint(game, team, action["id"])
        case "challenge":
            kind, names = f"option:{action['id']}", world.case.challenges[action["id"]].options
            code = _code(world, kind, action["answer"], names)
            return await try_challenge(game, team, action["id"], code)
        case "counter":
            options = world.case.counters[CounterId(action["id"])].options
            code = _code(world, f"option:{action['id']}", action["answer"], options)
            return await answer_question(game, team, action["id"], code)
        case "confront":
            return await _confront(services, world, team, action)
        case "publish":
            claims = world.case.publication.claims
            named = [_code(world, "claim", claim, claims) for claim in action["claims"]]
            chosen = _decision_codes(world, action.get("decisions", {}))
            return await publish_edition(game, team, named, chosen)
        case "link":
            return await link_clues(game, team, action["clues"], erase=False)
    raise AssertionError(action)


async def _confront(services: Services, world: World, team: Team, action: Json) -> Json:
    scenes = world.case.confrontations
    inner = action.get("id")
    if inner is None:
        codes = (action["confrontation"], action["round"], action["reason"])
    else:
        codes = (
            world.case.code("confrontation", inner),
            world.case.code(f"round:{inner}", action["round"]),
            world.case.code(f"reason:{inner}/{action['round']}", action["reason"]),
        )
        assert inner in scenes
    name, round_, reason = codes
    return await try_round(services.game, team, name, round_, action["clues"], reason)


def _code(world: World, kind: str, given: str, names: Any) -> str:
    """The players' code of an inner id; what is a code already stays."""
    return world.case.code(kind, given) if given in names else given


def _riddle_codes(world: World, riddle_id: str, answer: Any) -> Any:
    riddle = world.case.riddles[RiddleId(riddle_id)]
    if isinstance(answer, str):
        return _code(world, f"option:{riddle_id}", answer, riddle.options)
    if isinstance(answer, list):
        return [_code(world, f"piece:{riddle_id}", piece, riddle.pieces) for piece in answer]
    unions = [name for name, _ in riddle.unions]
    return {**answer, "union": _code(world, f"union:{riddle_id}", answer["union"], unions)}


def _decision_codes(world: World, decisions: Mapping[str, str]) -> dict[str, str]:
    known = world.case.publication.decisions
    return {
        _code(world, "decision", name, known): _code(
            world, f"decision:{name}", option, known[name].options if name in known else ()
        )
        for name, option in decisions.items()
    }


async def three_voices(world: World, actions: list[Json], data: Path) -> tuple[Played, ...]:
    """A game by the authored voice, by a model, and a second time by what was kept of it."""
    world.library.open()
    async with services_of(world, data / "scripted") as services:
        scripted = await play(services, world, actions)
    async with (
        serving(Provider("fast", speed=SPEED)) as url,
        services_of(world, data / "model", f"{url}/v1") as services,
    ):
        model = await play(services, world, actions)
        again = await play(services, world, actions)
    return scripted, model, again


def check_same(scripted: Played, model: Played, again: Played) -> None:
    """The same states and replies after every move; each voice did speak."""
    assert model.moves == scripted.moves
    assert again.moves == scripted.moves
    assert set(scripted.sources) == {"scripted"}
    assert "model" in model.sources
    assert "cache" in again.sources


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_transcript_by_every_voice(name: str, tmp_path: Path) -> None:
    """Won or lost, a game is the same game whoever spoke."""
    script = SCRIPTS[name]
    world = WORLDS[script["case"]]()
    scripted, model, again = await three_voices(world, script["steps"], tmp_path)
    check_same(scripted, model, again)
    assert len(scripted.moves) == len(script["steps"])
    assert list(scripted.states[-1].clues) == script["ends"]["clues"]


async def test_the_walkthrough_of_the_mini_case_by_every_voice(tmp_path: Path) -> None:
    """The shortest way wins by each of them."""
    world = mini()
    played = await three_voices(world, world.guide.walkthrough(), tmp_path)
    check_same(*played)
    assert [edition.ending for edition in played[1].states[-1].editions] == ["e1"]


@REAL
@pytest.mark.slow
async def test_the_walkthrough_of_a_real_case_by_every_voice(world: World, tmp_path: Path) -> None:
    """The shortest way wins by each of them."""
    world.library.open()
    played = await three_voices(world, world.guide.walkthrough(), tmp_path)
    check_same(*played)
    assert [edition.ending for edition in played[1].states[-1].editions] == ["e1"]


@REAL
@pytest.mark.slow
async def test_no_prompt_holds_what_is_locked(world: World, tmp_path: Path) -> None:
    """No name of a secret whose gate was shut, no title of a clue or topic that was locked."""
    upstream = Provider("fast", speed=SPEED)
    world.library.open()
    actions = world.guide.walkthrough()
    async with (
        serving(upstream) as url,
        services_of(world, tmp_path / "model", f"{url}/v1") as services,
    ):
        played = await play(services, world, actions)
    chats = [at for at, action in enumerate(actions) if action["do"] == "chat"]
    prompts = [_prompt(call) for call in upstream.book.last(2000) if call["kind"] == "chat"]
    asked = {action["message"]: at for at, action in enumerate(actions) if action["do"] == "chat"}
    secrets = Secrets(world.case, world.words)
    assert len(prompts) >= len(chats) // 2
    for question, instructions in prompts:
        after = played.states[asked[question] + 1]  # a beat's lines may hold what it reveals
        assert secrets.leaks(holds(world.case, after), instructions) == []
        titles = [world.words.clues[clue].title for clue in _locked_clues(world, after)]
        assert [title for title in titles if title.lower() in instructions.lower()] == []


def _prompt(call: Json) -> tuple[str, str]:
    """The question of a call, and everything else that it says."""
    *others, last = call["body"]["messages"]
    return last["content"], "\n".join(message["content"] for message in others)


def _locked_clues(world: World, state: State) -> list[Any]:
    return [clue for clue in world.case.clues if clue not in state.clues]
