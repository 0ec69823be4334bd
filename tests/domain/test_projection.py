"""What a team may see: everything of its own, nothing that is locked, no telling id."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.spoilers import Secrets, texts
from tests.domain.walks import Walk, finished, milestones
from tests.domain.world import World, lama, mini, papel

from amazonia.domain.case import Case, CharacterId, ClueId
from amazonia.domain.errors import Unknown
from amazonia.domain.projection import Codes, clock, counter_view, edition_view, news, state_view
from amazonia.domain.session import (
    ClueFound,
    CounterAsked,
    LinkDrawn,
    RiddleTried,
    State,
    begin,
    holds,
    play,
)
from amazonia.domain.solve import start_atoms

LAMA, MINI = lama(), mini()


def view(state: State, world: World = LAMA, team: str = "team") -> dict[str, Any]:
    """The state as a team sees it, after a trip through JSON text."""
    data = json.dumps(state_view(world.case, world.words, state, team), ensure_ascii=False)
    loaded: dict[str, Any] = json.loads(data)
    return loaded


def strings(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string of a JSON value, keys included, with the names of the fields that lead to it."""
    match value:
        case str():
            yield at, value
        case list():
            for item in value:
                yield from strings(item, at)
        case dict():
            for key, item in value.items():
                yield (*at, "key"), key
                yield from strings(item, (*at, key))


def inner_ids(case: Case) -> set[str]:
    """The ids that would tell something, and so must stay inside."""
    found: set[str] = {*case.publication.claims, *case.publication.decisions, *case.confrontations}
    found |= {ending.id for ending in case.publication.endings}
    for decision in case.publication.decisions.values():
        found |= set(decision.options)
    for riddle in case.riddles.values():
        found |= {*riddle.options, *(name for name, _ in riddle.unions), *riddle.answer}
    for challenge in case.challenges.values():
        found |= set(challenge.options)
    for scene in case.confrontations.values():
        found |= set(scene.rounds)
        found |= {reason.id for round_ in scene.rounds.values() for reason in round_.reasons}
    return found


OPEN_IDS = {
    ("case",),
    ("characters", "id"),
    ("characters", "place"),
    ("clues", "id"),
    ("clues", "shown_to"),
    ("clues", "document", "type"),
    ("clues", "document", "rows"),  # cells of a table: «sim» is a word there
    ("links", "clues"),
    ("riddles", "id"),
    ("riddles", "type"),
    ("riddles", "layers", "layer"),
    ("challenges", "id"),
    ("challenges", "by"),
    ("slips", "id"),
    ("counter", "id"),
    ("counter", "by"),
    ("confrontations", "with"),
    ("marks",),
}
"""Where the names of things that players know anyway, or that are drawn, stand."""


@cache
def sample(world: World) -> list[State]:
    """States of random teams, early and late."""
    return list(_sample(world))


def _sample(world: World) -> Iterator[State]:
    states = milestones(world)
    for seed in range(12):
        walk = Walk(world, seed, start=states[seed * len(states) // 12])
        for number, turn in enumerate(walk.turns(90)):
            if number % 6 == 0:
                yield turn.after


@pytest.mark.parametrize("world", [MINI, LAMA, papel()], ids=["mini", "lama", "papel"])
def test_no_inner_id_is_shown(world: World) -> None:
    """No id of a claim, option, round, reason, ending or confrontation stands anywhere."""
    secret = inner_ids(world.case)
    for state in (*sample(world), finished(world)):
        for at, text in strings(view(state, world)):
            if at not in OPEN_IDS and at[-1] != "key":
                assert text not in secret, at
        for riddle in view(state, world)["riddles"]:
            assert not secret & set(riddle.get("parts", ()))


@pytest.mark.parametrize("world", [MINI, LAMA, papel()], ids=["mini", "lama", "papel"])
def test_no_closed_text_is_shown(world: World) -> None:
    """No text of anything that is not open yet stands anywhere."""
    everything = [t for t in texts(world.case, world.words) if len(t.text) > 12]
    for state in sample(world):
        won = {key for key, tries in state.rounds.items() if tries.right}
        shown = {f"mostra:{who}:{clue}" for who, clue in state.shown}
        have = {*start_atoms(world.case, state), *won, *shown}
        if state.editions:  # the page that was printed is theirs, with all that stands on it
            last = state.editions[-1]
            have |= {*last.claims, *(f"{d}:{o}" for d, o in last.decisions)}
        opened = {t.text for t in everything if t.gate.open(have.__contains__)}
        closed = {t.text for t in everything} - opened
        read = {text for _, text in strings(view(state, world))}
        assert not read & closed


def test_no_secret_is_shown_before_its_gate() -> None:
    """Of every string of the projection: no word of a secret whose gate is closed."""
    secrets = Secrets(LAMA.case, LAMA.words)
    for state in (*sample(LAMA), *milestones(LAMA)):
        have = holds(LAMA.case, state)
        for at, text in strings(view(state)):
            assert secrets.leaks(have, text) == [], at


def test_locked_characters_show_their_reason_only() -> None:
    """A locked character has a card and a reason, and nothing to say yet."""
    cards = {card["id"]: card for card in view(begin(LAMA.case))["characters"]}
    assert [name for name, card in cards.items() if card["locked"]] == [
        "kelvin",
        "faisca",
        "quintela",
        "neia",
    ]
    for name, card in cards.items():
        text = LAMA.words.characters[CharacterId(name)]
        assert card["reason"] == (text.locked if card["locked"] else "")
        assert bool(card["about"]) != card["locked"]
        assert bool(card["suggestions"]) != card["locked"]


def test_the_beginning_shows_almost_nothing() -> None:
    """At the start there are the first clues and nothing to solve, win or publish."""
    seen = view(begin(LAMA.case))
    assert [clue["id"] for clue in seen["clues"]] == ["patrocinio"]
    assert seen["riddles"] == seen["confrontations"] == seen["slips"] == seen["marks"] == []
    assert seen["publication"] is None
    assert seen["counter"] is None
    assert seen["ending"] is None
    assert seen["act"]["id"] == "w0"


def test_hints_are_shown_once_taken() -> None:
    """Of a riddle's hints only those that were taken stand in the view."""
    for state in sample(LAMA):
        for riddle in view(state)["riddles"]:
            hints = LAMA.words.riddles[riddle["id"]].hints
            taken = state.hints.get(riddle["id"], 0)
            assert riddle["hints"] == list(hints[:taken])
            assert riddle["hints_left"] == len(hints) - taken


def test_answers_are_shown_once_given() -> None:
    """What solves a riddle or challenge, and the slip it drops, comes with the solution only."""
    for state in sample(LAMA):
        seen = view(state)
        for item in (*seen["riddles"], *seen["challenges"]):
            assert bool(item["explanation"]) == item["solved"]
        solved = [c["id"] for c in seen["challenges"] if c["solved"]]
        assert sorted(slip["id"] for slip in seen["slips"]) == sorted(solved)


def test_a_rumour_is_unsigned() -> None:
    """Slips of challenges marked as rumours carry no name; all others do."""
    for name, challenge in LAMA.case.challenges.items():
        assert bool(LAMA.words.challenges[name].signed) != challenge.rumour


def test_a_false_clue_is_refuted_in_time() -> None:
    """A false clue stands as any other until its gate holds; then it falls, with the reason."""
    beto = [ClueFound(ClueId("assobio"), "beto.manha")]
    before = play(begin(MINI.case), beto)
    after = play(before, [RiddleTried(next(iter(MINI.case.riddles)), True)])
    for state, refuted in ((before, False), (after, True)):
        clue = next(c for c in view(state, MINI)["clues"] if c["id"] == "assobio")
        assert clue["refuted"] == refuted
        assert bool(clue["falls"]) == refuted


def test_links_that_mean_something_are_firm() -> None:
    """A string between two clues that the authors linked has a text; another has none."""
    clues = [ClueFound(ClueId(c), "") for c in ("migalhas", "pegadas")]
    pegadas, migalhas, bilhete = map(ClueId, ("pegadas", "migalhas", "bilhete"))
    state = play(
        begin(MINI.case),
        [*clues, LinkDrawn((pegadas, migalhas)), LinkDrawn((bilhete, migalhas))],
    )
    firm = {tuple(link["clues"]): link["firm"] for link in view(state, MINI)["links"]}
    assert firm == {("migalhas", "pegadas"): True, ("bilhete", "migalhas"): False}


def test_a_counter_question_waits_in_the_view() -> None:
    """The pending counter-question is shown until it is answered."""
    cp1 = next(iter(MINI.case.counters))
    state = play(begin(MINI.case), [CounterAsked(cp1)])
    seen = counter_view(MINI.case, MINI.words, state, "team")
    assert seen is not None
    assert {option["text"] for option in seen["options"]} == {"Quente", "Frio"}
    assert counter_view(MINI.case, MINI.words, begin(MINI.case), "team") is None


# ── codes ───────────────────────────────────────────────────────────────────────────────────────


def test_codes_are_unique() -> None:
    """Among the things of one list no two have the same code, and each leads back to its own."""
    for world in (MINI, LAMA):
        codes = Codes(world.case, "team")
        lists = {"claim": list(world.case.publication.claims)}
        lists |= {f"option:{r.id}": list(r.options) for r in world.case.riddles.values()}
        lists |= {f"option:{c.id}": list(c.options) for c in world.case.challenges.values()}
        lists["confrontation"] = list(world.case.confrontations)
        for kind, names in lists.items():
            listed = codes.listing(kind, names)
            assert sorted(name for _, name in listed) == sorted(names)
            for code, name in listed:
                assert codes.inner(kind, code, names) == name
                assert name not in code


def test_an_unknown_code_is_refused() -> None:
    """An inner id, or a code of another list, is no code here."""
    codes = Codes(LAMA.case, "team")
    for code in ("t1", LAMA.case.code("option:r_mapa", "t1"), ""):
        with pytest.raises(Unknown):
            codes.inner("claim", code, LAMA.case.publication.claims)


@settings(deadline=None)
@given(st.text(max_size=8))
def test_options_have_the_team_s_own_order(team: str) -> None:
    """The order of options is stable for a team and the same things whatever the team."""
    names = list(LAMA.case.publication.claims)
    listed = Codes(LAMA.case, team).listing("claim", names)
    assert listed == Codes(LAMA.case, team).listing("claim", reversed(names))
    assert set(listed) == set(Codes(LAMA.case, "other").listing("claim", names))


def test_the_right_option_is_not_always_first() -> None:
    """Over many teams the right option of a riddle stands in every place about equally often."""
    riddle = LAMA.case.riddles[next(r for r in LAMA.case.riddles if r == "r_frasco")]
    places = [0] * len(riddle.options)
    for team in range(400):
        listed = Codes(LAMA.case, str(team)).listing(f"option:{riddle.id}", riddle.options)
        places[[name for _, name in listed].index(riddle.answer[0])] += 1
    assert min(places) > 60


# ── news, the clock, the page ───────────────────────────────────────────────────────────────────


def test_news_are_what_opened() -> None:
    """Along the whole way each riddle, confrontation and character is news exactly once."""
    states = milestones(LAMA)
    told = [
        (item["kind"], item["name"])
        for before, after in pairwise(states)
        for item in news(LAMA.case, LAMA.words, before, after)
    ]
    assert len(set(told) - {t for t in told if t[0] == "challenge"}) == len(
        [t for t in told if t[0] != "challenge"]
    )
    opened = {kind for kind, _ in told}
    assert opened == {"character", "riddle", "challenge", "confrontation", "publication"}
    assert news(LAMA.case, LAMA.words, states[-1], states[-1]) == []


def test_news_tell_no_inner_id_and_no_secret() -> None:
    """News name nothing by a telling id."""
    secret = inner_ids(LAMA.case) - set(LAMA.case.characters)
    states = milestones(LAMA)
    for before, after in pairwise(states):
        for item in news(LAMA.case, LAMA.words, before, after):
            assert item["id"] not in secret


def minutes(hour: str) -> int:
    """«8h40» as minutes."""
    hours, rest = hour.split("h")
    return int(hours) * 60 + int(rest)


@pytest.mark.parametrize("world", [MINI, LAMA, papel()], ids=["mini", "lama", "papel"])
def test_the_clock_only_goes_forward(world: World) -> None:
    """From the start to the broadcast, never back, and at the broadcast once published."""
    hours = [minutes(clock(world.case, state)) for state in milestones(world)]
    assert hours == sorted(hours)
    assert hours[0] == world.case.clock[0]
    assert hours[-1] == world.case.clock[1]
    assert max(hours[:-1]) <= world.case.clock[1] - 10


def test_the_front_page() -> None:
    """After an edition the page stands in the view, with the best ending marked as such."""
    last = milestones(LAMA)[-1]
    page = edition_view(LAMA.case, LAMA.words, last)
    assert view(last)["ending"] == page
    assert page["best"]
    assert page["headline"] == LAMA.words.publication.endings["e1"].headline
    assert page["missing"] == []
    assert [claim["verdict"] for claim in page["claims"]] == ["proved"] * 4
