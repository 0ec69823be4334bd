"""Whole games: played plain, and with the state saved and loaded after every action.

A step is an action and what it `gives` (or by which error it is `refused`). Ids in the files are
the inner ones, to be read; a walkthrough's are the players' codes. The voice is the authored one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.domain.world import World, lama, mini, papel

from amazonia.domain import errors
from amazonia.domain.case import CharacterId, ClueId
from amazonia.domain.codec import dump_event, dump_state, load_event, load_state
from amazonia.domain.confrontation import (
    answer_counter,
    confront,
    open_confrontation,
    pending_counter,
)
from amazonia.domain.director import direct, meet
from amazonia.domain.lines import read
from amazonia.domain.projection import Codes, news, state_view
from amazonia.domain.publication import publish
from amazonia.domain.riddles import (
    answer_challenge,
    answer_riddle,
    open_challenge,
    open_riddle,
    take_hint,
)
from amazonia.domain.session import Event, LinkDrawn, State, begin, play

Json = dict[str, Any]
FILES = sorted(Path(__file__).parent.glob("*.yaml"))
WORLDS: dict[str, Callable[[], World]] = {"mini": mini, "lama_sem_ouro": lama}


def plain(state: State) -> State:
    """The state as it is."""
    return state


def saved(state: State) -> State:
    """The state after a trip through JSON text."""
    return load_state(json.loads(json.dumps(dump_state(state))))


each_way = pytest.mark.parametrize("keep", [plain, saved], ids=["plain", "saved"])


class Game:
    """One team at play.

    Args:
        keep: what becomes of the state after every action.
    """

    def __init__(self, world: World, keep: Callable[[State], State]) -> None:
        self.world = world
        self.case, self.words = world.case, world.words
        self.codes = Codes(world.case, "team")
        self.keep = keep
        self.state = begin(world.case)
        self.events: list[Event] = []

    def act(self, action: Json) -> Json:
        """Do one thing; what it gives.

        Raises:
            RuleError: it is not allowed now.
        """
        before = self.state
        given, events = getattr(self, f"_{action['do']}")(action)
        self.events += events
        self.state = self.keep(play(self.state, events))
        given["news"] = [n["name"] for n in news(self.case, self.words, before, self.state)]
        return dict(given)

    def seen(self) -> Json:
        """The state as the team sees it."""
        return state_view(self.case, self.words, self.state, "team")

    def _id(self, kind: str, given: str, names: Iterable[str]) -> str:
        names = list(names)
        return given if given in names else self.codes.inner(kind, given, names)

    def _chat(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        name = action.get("to") or action["entity_id"]
        who = meet(self.case, self.words, self.state, name)
        talk = self.state.talk.get(who.id)
        reading = self.world.listener.listen(who.id, action["message"], talk)
        shown = ClueId(action["show"]) if "show" in action else None
        beat = direct(self.case, self.words, self.state, who, reading, 0, shown)
        given: Json = {
            "kind": beat.kind,
            "topics": list(beat.topics),
            "clues": list(beat.clues),
            "lines": [read(self.words, CharacterId(who.id), ref).text for ref in beat.lines],
        }
        asked = [getattr(event, "counter", "") for event in beat.events]
        given["counter"] = next(filter(None, asked), "")
        return given, beat.events

    def _riddle(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        riddle = open_riddle(self.case, self.state, action["id"])
        answer = action["answer"]
        match answer:
            case str():
                answer = self._id(f"option:{riddle.id}", answer, riddle.options)
            case list():
                kind, pieces = f"piece:{riddle.id}", (*riddle.pieces, *riddle.options)
                answer = [self._id(kind, piece, pieces) for piece in answer]
            case dict():
                unions = [name for name, _ in riddle.unions]
                union = self._id(f"union:{riddle.id}", answer["union"], unions)
                answer = {"clues": answer["clues"], "union": union}
        judged = answer_riddle(self.case, self.words, self.state, riddle, answer)
        return {"correct": judged.correct, "says": judged.explanation}, judged.events

    def _hint(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        riddle = open_riddle(self.case, self.state, action["id"])
        hint, events = take_hint(self.state, riddle.id, self.words.riddles[riddle.id].hints)
        return {"says": hint}, events

    def _challenge(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        challenge = open_challenge(self.case, self.state, action["id"])
        option = self._id(f"option:{challenge.id}", action["answer"], challenge.options)
        judged = answer_challenge(self.words, self.state, challenge, option)
        return {"correct": judged.correct, "says": judged.explanation}, judged.events

    def _counter(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        counter = pending_counter(self.case, self.state, action["id"])
        option = self._id(f"option:{counter.id}", action["answer"], counter.options)
        lines, events = answer_counter(self.words, self.state, counter, option)
        return {"lines": list(lines)}, events

    def _confront(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        name = action.get("id") or action["confrontation"]
        inner = self._id("confrontation", name, self.case.confrontations)
        scene = open_confrontation(self.case, self.state, inner)
        round_ = scene.rounds[self._id(f"round:{scene.id}", action["round"], scene.rounds)]
        reasons = [reason.id for reason in round_.reasons]
        reason = self._id(f"reason:{scene.id}/{round_.id}", action["reason"], reasons)
        tried = confront(
            self.case, self.words, self.state, scene, round_.id, action["clues"], reason
        )
        given = {"accepted": tried.accepted, "partial": tried.partial, "says": tried.reply}
        return given, tried.events

    def _publish(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        claims = [self._id("claim", c, self.case.publication.claims) for c in action["claims"]]
        decisions = action.get("decisions", {})
        page = publish(self.case, self.words, self.state, claims, decisions)
        given = {
            "ending": page.ending,
            "says": page.headline,
            "missing": list(page.missing),
            "text": list(page.text),
        }
        return given, (page.event,)

    def _link(self, action: Json) -> tuple[Json, tuple[Event, ...]]:
        left, right = map(ClueId, action["clues"])
        return {}, (LinkDrawn((left, right)),)


def check_end(game: Game, ends: Json) -> None:
    """Compare where a game stands with what its transcript says."""
    view = game.seen()
    found = {
        "clues": list(game.state.clues),
        "endings": [edition.ending for edition in game.state.editions],
        "depth": dict(game.state.depth),
        "counters": dict(game.state.counters),
        "clock": view["clock"],
        "refuted": [clue["id"] for clue in view["clues"] if clue["refuted"]],
        "text": view["ending"]["text"] if view["ending"] else [],
    }
    assert {key: found[key] for key in ends} == ends


@each_way
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcript(path: Path, keep: Callable[[State], State]) -> None:
    """Every action gives what the transcript says, and the game ends as it says."""
    script = yaml.safe_load(path.read_text(encoding="utf-8"))
    game = Game(WORLDS[script["case"]](), keep)
    for number, step in enumerate(script["steps"], 1):
        if refused := step.get("refused"):
            before = game.state
            with pytest.raises(getattr(errors, refused)):
                game.act(step)
            assert game.state is before
            continue
        given, wanted = game.act(step), step.get("gives", {})
        assert {key: given[key] for key in wanted} == wanted, f"step {number}"
    check_end(game, script["ends"])
    replayed = [load_event(json.loads(json.dumps(dump_event(event)))) for event in game.events]
    assert play(begin(game.case), replayed) == game.state


def test_there_are_transcripts() -> None:
    """A won game and a lost one are played."""
    assert {path.stem for path in FILES} >= {"mini_won", "mini_lost"}


def played(world: World, actions: list[Json], keep: Callable[[State], State]) -> Game:
    """A walkthrough, every code of which stands in what the team sees before it is used."""
    game = Game(world, keep)
    for action in actions:
        seen = json.dumps(game.seen())
        for name in ("confrontation", "round", "reason", "union"):
            if name in action:
                assert f'"{action[name]}"' in seen
        for claim in action.get("claims", ()):
            assert f'"{claim}"' in seen
        given = game.act(action)
        assert given.get("correct", True)
        assert given.get("accepted", True)
        assert given.get("kind", "answer") == "answer"
    return game


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "least", "most"), [(lama(), 20, 40), (papel(), 12, 20)], ids=["lama", "papel"]
)
def test_the_walkthroughs_of_the_real_cases(world: World, least: int, most: int) -> None:
    """What `amazonia solve` prints wins, plain and saved alike, to the same state."""
    actions = world.guide.walkthrough()
    one, other = (played(world, actions, keep) for keep in (plain, saved))
    assert one.state == other.state
    assert one.events == other.events
    check_end(one, {"endings": ["e1"], "clock": "12h00"})
    assert least <= len(actions) <= most
    assert {action["do"] for action in actions} == {"chat", "riddle", "confront", "publish"}


@each_way
def test_the_walkthrough_of_the_mini_case(keep: Callable[[State], State]) -> None:
    """The shortest way of the mini case wins with three clues and what it began with."""
    game = played(mini(), mini().guide.walkthrough(), keep)
    found = {"bilhete", "migalhas", "hora_forno", "pelos"}
    assert set(game.state.clues) == found
    check_end(game, {"endings": ["e1"]})
