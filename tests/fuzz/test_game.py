"""A team does anything, right or wrong, from two browsers, while the server dies now and then.

Beside the real server the rules alone play the same game, on one state in memory. After every
action both must have said the same: taken it, or refused it for the same reason, and the team's
state must be the same, from whichever browser it is looked at.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.server import Server, serve
from tests.worlds import mini_library, new_team

from amazonia.domain.case import CharacterId, ClueId
from amazonia.domain.errors import NotOwned, Unknown
from amazonia.domain.projection import state_view
from amazonia.domain.session import play
from amazonia.domain.walkthrough import Guide
from amazonia.play import confront, notebook, publish, riddles
from amazonia.play.directing import hear, open_turn
from amazonia.play.game import Game
from amazonia.play.text import clean, question_key
from amazonia.ports import Asked, Change, Team
from amazonia.web.models import MESSAGE_LENGTH
from amazonia.web.problems import STATUS

Action = dict[str, Any]

WINDOW = 60.0
"""Seconds in which the same question is the same turn: the longest that can be set."""
SURE = 40.0
"""Seconds after a question in which that is certain, however slow this machine is."""
GAMES = max(4, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 10)
"""Games, each of twenty actions."""
PATHS = {"riddle": "riddles", "challenge": "challenges", "counter": "counter"}


# ── the rules alone ─────────────────────────────────────────────────────────────────────────────


@dataclass
class OneTeam:
    """The `Teams` port, as far as it is needed, for one team in memory."""

    team: Team

    async def change(self, _team_id: str, rule: Callable[[Team], Change[Any]], _at: float) -> Any:
        change = rule(self.team)
        self.add(change.events)
        return change.result

    def add(self, events: Sequence[Any]) -> None:
        state, version = play(self.team.state, events), self.team.version + len(events)
        self.team = replace(self.team, state=state, version=version)


class Clock:
    """Time, which no rule looks at."""

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Rules:
    """The game without server, database and voice."""

    store: OneTeam
    asked: dict[tuple[str, str, str | None], float] = field(default_factory=dict)

    @property
    def team(self) -> Team:
        return self.store.team

    def do(self, action: Action) -> str:
        """Perform an action; "" if it was taken, else the problem's name."""
        game: Any = Game(mini_library(), self.store, Clock())  # type: ignore[arg-type]
        body = dict(action)
        kind, id_ = body.pop("do"), body.pop("id", "")
        calls: dict[str, Callable[[], Any]] = {
            "riddle": lambda: riddles.try_riddle(game, self.team, id_, body["answer"]),
            "challenge": lambda: riddles.try_challenge(game, self.team, id_, body["answer"]),
            "counter": lambda: confront.answer_question(game, self.team, id_, body["answer"]),
            "confront": lambda: confront.try_round(
                game,
                self.team,
                body["confrontation"],
                body["round"],
                body["clues"],
                body["reason"],
            ),
            "publish": lambda: publish.publish_edition(
                game, self.team, body["claims"], body.get("decisions", {})
            ),
            "links": lambda: notebook.link_clues(game, self.team, body["clues"], body["erase"]),
            "chat": lambda: self._ask(game, body),
        }
        try:
            asyncio.run(calls[kind]())
        except tuple(STATUS) as exc:
            return STATUS[type(exc)][0]
        return ""

    async def _ask(self, game: Game, body: Action) -> None:
        case = mini_library().case("mini")
        character, shown = body["entity_id"], body.get("show")
        if character not in case.characters:
            raise Unknown("character", character)
        if shown is not None and shown not in case.clues:
            raise NotOwned(shown)
        message = clean(body["message"], MESSAGE_LENGTH)
        asked = Asked(
            self.team.id,
            CharacterId(character),
            message,
            question_key(message),
            ClueId(shown) if shown else None,
            0.0,
        )
        heard = hear(game, self.team, asked)
        if (character, asked.key, shown) in self.asked:
            return
        opening = open_turn(game, self.team, asked, heard, "turn", "owner")
        self.store.add(opening.beat.events)
        self.asked[character, asked.key, shown] = time.monotonic()

    def is_sure(self, action: Action) -> bool:
        """Whether it is certain that a question is, or is not, one that was asked just now."""
        key = (action.get("entity_id", ""), question_key(action.get("message", "")))
        at = self.asked.get((*key, action.get("show")))
        return action["do"] != "chat" or at is None or time.monotonic() - at < SURE

    def view(self) -> Action:
        """What the team may know now."""
        case = mini_library().case("mini")
        words = case.words[self.team.lang]
        return state_view(case, words, self.team.state, self.team.id)


# ── what a team may try ─────────────────────────────────────────────────────────────────────────

CASE = mini_library().case("mini")
LANG = next(iter(CASE.words))
GUIDE = Guide(CASE, CASE.words[LANG], mini_library().listener(CASE, LANG))
SENSIBLE: list[Action] = [*GUIDE.walkthrough(), *GUIDE.walkthrough("e3")]
CLUES = st.sampled_from([*CASE.clues, "nada"])
PEOPLE = st.sampled_from([*CASE.characters, "ninguem"])
EXAMPLES = [
    example
    for who in CASE.words[LANG].characters.values()
    for topic in who.topics.values()
    for example in topic.examples
]
MESSAGES = st.one_of(
    st.sampled_from(EXAMPLES),
    st.sampled_from(["oi", "qual a capital da França?", "e depois?", "?", "' OR 1=1 --"]),
    st.text("aeiourst çã?", min_size=1, max_size=30).filter(lambda text: text.strip()),
)


def _codes(key: str) -> list[str]:
    """The codes that sensible actions use for something."""
    return sorted({str(a[key]) for a in SENSIBLE if isinstance(a.get(key), str)} | {"zzzzzz"})


def _claims() -> st.SearchStrategy[list[str]]:
    named = sorted({claim for a in SENSIBLE for claim in a.get("claims", ())} | {"zzzzzz"})
    return st.lists(st.sampled_from(named), max_size=3, unique=True)


ANYTHING: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from(SENSIBLE),
    st.sampled_from(SENSIBLE),
    st.builds(
        lambda who, what: {"do": "chat", "entity_id": who, "message": what}, PEOPLE, MESSAGES
    ),
    st.builds(
        lambda who, what, clue: {"do": "chat", "entity_id": who, "message": what, "show": clue},
        PEOPLE,
        MESSAGES,
        CLUES,
    ),
    st.builds(
        lambda id_, answer: {"do": "riddle", "id": id_, "answer": answer},
        st.sampled_from([*CASE.riddles, "nada"]),
        st.one_of(
            st.sampled_from(_codes("answer")),
            st.lists(st.sampled_from(_codes("answer")), max_size=3),
            st.just({"clues": ["bilhete"], "union": "x"}),
        ),
    ),
    st.builds(
        lambda id_, answer: {"do": "challenge", "id": id_, "answer": answer},
        st.sampled_from([*CASE.challenges, "nada"]),
        st.sampled_from(_codes("answer")),
    ),
    st.builds(
        lambda confrontation, round_, clues, reason: {
            "do": "confront",
            "confrontation": confrontation,
            "round": round_,
            "clues": clues,
            "reason": reason,
        },
        st.sampled_from(_codes("confrontation")),
        st.sampled_from(_codes("round")),
        st.lists(CLUES, max_size=3),
        st.sampled_from(_codes("reason")),
    ),
    st.builds(lambda claims: {"do": "publish", "claims": claims}, _claims()),
    st.builds(
        lambda clues, erase: {"do": "links", "clues": clues, "erase": erase},
        st.lists(CLUES, min_size=2, max_size=2),
        st.booleans(),
    ),
)


# ── the real server ─────────────────────────────────────────────────────────────────────────────


class Place:
    """A server that can be killed and comes back with what it knew."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stack = ExitStack()
        self.server = self._serve()

    def _serve(self) -> Server:
        return self._stack.enter_context(serve(self._data, DUPLICATE_WINDOW=str(WINDOW)))

    def kill(self) -> None:
        """End it at once and start another."""
        self.server.kill()
        self._stack.close()
        self.server = self._serve()

    def close(self) -> None:
        """End it."""
        self._stack.close()


@dataclass
class Browser:
    """One of the team's browsers."""

    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def call(self, url: str, action: Action) -> httpx.Response:
        """Send an action."""
        body = {key: value for key, value in action.items() if key not in ("do", "id")}
        kind = action["do"]
        path = f"{PATHS[kind]}/{action['id']}" if kind in PATHS else kind
        return httpx.post(f"{url}/api/{path}", json=body, cookies=self.cookies, timeout=30)

    def state(self, url: str) -> Action:
        """What it is shown of the team's state."""
        seen: Action = httpx.get(f"{url}/api/state", cookies=self.cookies, timeout=30).json()
        return seen


def _problem(response: httpx.Response) -> str:
    """ "" if the action was taken, else the problem's name."""
    if response.status_code < 400:
        return ""
    return str(response.json()["type"]).removeprefix("/problems/")


class Playing(RuleBasedStateMachine):
    """A team with two browsers."""

    place: Place

    @initialize()
    def begin(self) -> None:
        url, self.browsers = self.place.server.url, (Browser(), Browser())
        begun = httpx.post(f"{url}/api/session", json={})
        self.browsers[0].cookies.update(begun.cookies)
        code = {"resume_code": begun.json()["resume_code"]}
        resumed = httpx.post(f"{url}/api/session/resume", json=code)
        self.browsers[1].cookies.update(resumed.cookies)
        self.alone = Rules(OneTeam(replace(new_team(), id=begun.json()["team_id"])))
        self.killed = False

    @rule(action=ANYTHING, second=st.booleans())
    def act(self, action: Action, second: bool) -> None:
        """Do something in one of the browsers."""
        if not self.alone.is_sure(action):
            return
        answer = self.browsers[second].call(self.place.server.url, action)
        assert _problem(answer) == self.alone.do(action), (action, answer.text)

    @rule(who=st.sampled_from(list(CASE.characters)), what=MESSAGES)
    def ask_twice(self, who: str, what: str) -> None:
        """Ask the same in both browsers at once: that is one turn."""
        action = {"do": "chat", "entity_id": who, "message": what}
        if not self.alone.is_sure(action):
            return
        url = self.place.server.url
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda b: b.call(url, action), self.browsers))
        said = self.alone.do(action)
        assert [_problem(answer) for answer in answers] == [said, said]
        if not said:
            turns = [answer.json() for answer in answers]
            assert len({turn["turn_id"] for turn in turns}) == 1
            assert any(turn["duplicate"] for turn in turns)

    @precondition(lambda self: not self.killed)
    @rule()
    def kill_the_server(self) -> None:
        """It dies, and another comes up."""
        self.killed = True
        self.place.kill()

    @invariant()
    def both_see_what_the_rules_say(self) -> None:
        """The state is the rules', in both browsers."""
        url, view = self.place.server.url, self.alone.view()
        for browser in self.browsers:
            seen = browser.state(url)
            assert seen["version"] == self.alone.team.version
            assert {key: seen[key] for key in view} == view


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A server for one test."""
    place = Place(tmp_path / "data")
    yield place
    place.close()


def test_a_team_does_anything(place: Place) -> None:
    """Whatever a team does, server and rules agree; a killed server knows all that it took."""
    kind = type("Here", (Playing,), {"place": place})
    how = settings(
        max_examples=GAMES,
        stateful_step_count=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(kind, settings=how)
