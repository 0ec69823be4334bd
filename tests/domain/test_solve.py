"""The solver: shortest ways, what can be reached, and that nothing hangs on one thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.tiny import fewest, tiny
from tests.domain.walks import Walk, finished, follow, milestones
from tests.domain.world import World, lama, mini, papel

from amazonia.domain.case import Case, CharacterId, ClueId
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    CounterAsked,
    State,
    atoms,
    begin,
    play,
)
from amazonia.domain.solve import (
    Model,
    all_answers,
    can_win,
    model,
    next_move,
    plan,
    reach,
    start_atoms,
)

LAMA, MINI = lama(), mini()
ANSWERS = list(all_answers(LAMA.case))
WORLDS = [model(LAMA.case, answers) for answers in ANSWERS]
START = start_atoms(LAMA.case, begin(LAMA.case))
each_answer = pytest.mark.parametrize("world", WORLDS, ids=["".join(a.values()) for a in ANSWERS])


def played(world: World, ending: str, quick: bool) -> State:
    """The state at the end of a plan that was really played."""
    state = begin(world.case)
    for move in plan(world.case, ending=ending, quick=quick):
        before = state
        state = follow(world, move, state)
        assert state != before
    return state


@pytest.mark.parametrize("ending", ["e1", "e2", "e3", "e4"])
def test_plans_come_to_each_ending(ending: str) -> None:
    """A quick plan to each ending of the real case can be played and comes there."""
    assert played(LAMA, ending, quick=True).editions[-1].ending == ending


@pytest.mark.parametrize("ending", ["e1", "e3"])
def test_plans_of_the_mini_case(ending: str) -> None:
    """Both ways of planning come to the endings of the mini case."""
    for quick in (True, False):
        assert played(MINI, ending, quick).editions[-1].ending == ending


def test_the_mini_case_s_shortest_way() -> None:
    """Two topics of two steps and one, a riddle, a third person, a round and the edition."""
    moves = [(move.do, move.subject, move.detail) for move in plan(MINI.case)]
    assert sorted(moves) == sorted(
        [
            ("chat", "cida.bolo", "1"),
            ("chat", "cida.bolo", "2"),
            ("chat", "cida.forno", "1"),
            ("riddle", "r_relogio", ""),
            ("chat", "lia.gato", "1"),
            ("confront", "conf_lia", "gato"),
            ("publish", "mini", ""),
        ]
    )


def test_an_ending_without_a_way() -> None:
    """Where nothing leads there the plan is empty."""
    case = tiny({"a": ("x", [("", "y")]), "b": ("y", [("", "x")])}, needs="x")
    assert plan(case) == []
    assert not can_win(model(case), atoms(case, begin(case)))
    assert next_move(case, begin(case)) is None


def test_a_cheap_giver_that_needs_its_own_gift() -> None:
    """A giver that hangs on what is being looked for is no way, however near it seems."""
    case = tiny(
        {
            "slow": ("", [("", ""), ("", ""), ("", "x")]),
            "fast": ("y", [("", "x")]),
            "goal": ("x", [("", "y")]),
        },
        needs="y",
    )
    for quick in (True, False):
        assert [move.subject for move in plan(case, quick=quick)] == [
            "ana.slow",
            "ana.slow",
            "ana.slow",
            "ana.goal",
            "tiny",
        ]


def test_evidence_is_shown_with_the_question() -> None:
    """A step that waits for a clue on the table costs no move more."""
    case = tiny(
        {"a": ("", [("", "x")]), "b": ("", [("mostra:ana:x", "y")])},
        needs="y",
    )
    moves = plan(case)
    assert [(move.subject, move.show) for move in moves] == [
        ("ana.a", ""),
        ("ana.b", "x"),
        ("tiny", ""),
    ]


NAMES = ["a", "b", "c", "d"]
GIVEN = ["x", "y", "z"]


@st.composite
def tiny_cases(draw: st.DrawFn) -> Case:
    """Four topics, three clues, a riddle and a counter-question, gated at random."""
    names = [*GIVEN, "r_one", "cp_a", "cp_b", "ana.a", "ana.b@2"]

    def gate(*more: str) -> str:
        ways = st.lists(st.sampled_from([*names, *more]), min_size=1, max_size=2)
        return " / ".join(map(" + ".join, draw(st.lists(ways, min_size=1, max_size=2))))

    def maybe(*more: str) -> str:
        return gate(*more) if draw(st.booleans()) else ""

    def steps() -> list[tuple[str, str]]:
        clues = draw(st.lists(st.sampled_from(["", *GIVEN]), min_size=1, max_size=2))
        return [(maybe("mostra:ana:x") if draw(st.booleans()) else "", clue) for clue in clues]

    topics = {name: (maybe(), steps()) for name in NAMES}
    asks = {draw(st.sampled_from(NAMES)): "cp"}
    return tiny(topics, gate(), {"r_one": maybe()}, asks)


@settings(deadline=None, max_examples=150)
@given(tiny_cases())
def test_plans_are_shortest(case: Case) -> None:
    """A plan is as long as the shortest way that trying everything finds; quick is a way too."""
    expected = fewest(case)
    assert len(plan(case)) == (expected or 0)
    quick = plan(case, quick=True)
    assert bool(quick) == bool(expected)
    assert len(quick) >= (expected or 0)


def test_given_answers_stand() -> None:
    """A plan from a state keeps to the answers that were given there."""
    case = tiny(
        {"a": ("", [("", "")]), "b": ("cp_a", [("", "x")]), "c": ("cp_b", [("", ""), ("", "x")])},
        needs="x",
        asks={"a": "cp"},
    )
    (cp,) = case.counters
    asked = play(begin(case), [CounterAsked(cp)])
    answered = play(asked, [CounterAnswered(cp, "b")])
    assert "ana.b" in [move.subject for move in plan(case, asked)]
    assert [move.subject for move in plan(case, answered)][-3:-1] == ["ana.c", "ana.c"]


# ── reach ───────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=60)
@given(st.sets(st.sampled_from(sorted(LAMA.case.clues))), st.sampled_from(sorted(LAMA.case.clues)))
def test_reach_is_monotone(clues: set[str], more: str) -> None:
    """With more, nothing less can be reached; taking something away never adds."""
    world = WORLDS[0]
    less = reach(world, clues)
    assert clues <= less
    assert less <= reach(world, {*clues, more})
    assert reach(world, clues, ("josue.",)) <= less


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 16))
def test_what_a_walk_reaches_was_reachable(seed: int) -> None:
    """Whatever random teams achieve, the solver says that it can be achieved."""
    expected = reach(model(MINI.case), start_atoms(MINI.case, begin(MINI.case)))
    shown = {f"mostra:{who}:{clue}" for who in MINI.case.characters for clue in MINI.case.clues}
    endings = {ending.id for ending in MINI.case.publication.endings}
    walk = Walk(MINI, seed)
    for _ in walk.turns(60):
        pass
    assert atoms(MINI.case, walk.state) <= expected | shown | endings


@each_answer
def test_everything_of_the_real_case_can_be_reached(world: Model) -> None:
    """With any answers every clue, riddle and confrontation can be had."""
    have = reach(world, START)
    assert have >= {*LAMA.case.clues, *LAMA.case.riddles, *LAMA.case.confrontations}
    assert all(c.when.open(have.__contains__) for c in LAMA.case.characters.values())


@each_answer
def test_nothing_hangs_on_one_topic(world: Model) -> None:
    """Without any one topic the best ending and every required clue can be reached."""
    for topic in LAMA.case.topics():
        have = reach(world, START, (topic.key,))
        assert have >= LAMA.case.guarded_clues, topic.key
        assert can_win(world, START, (topic.key,)), topic.key


@each_answer
def test_nothing_hangs_on_one_character(world: Model) -> None:
    """Without talking to any one character the best ending can be reached."""
    for name in LAMA.case.characters:
        have = reach(world, START, (f"{name}.",))
        assert have >= LAMA.case.guarded_clues, name
        assert can_win(world, START, (f"{name}.",)), name


@each_answer
def test_no_optional_clue_is_needed(world: Model) -> None:
    """Without any one optional clue, whoever gives it, the best ending can be reached."""
    for clue in LAMA.case.clues.values():
        if clue.weight == "optional":
            left = tuple(a for a in world.actions if clue.id not in a.gives)
            without = Model(world.case, left, world.givers)
            assert can_win(without, START), clue.id


def test_required_clues_have_two_givers() -> None:
    """Every required clue that is not given at the start is told in two topics."""
    for clue in LAMA.case.guarded_clues - set(LAMA.case.start):
        givers = {topic.character for topic in LAMA.case.topics() if clue in topic.clues}
        assert len(givers) >= 2, clue


def test_a_broken_case_is_not_won() -> None:
    """The proof can fail: the mini case hangs on each topic of its only way."""
    world, start = model(MINI.case), start_atoms(MINI.case, begin(MINI.case))
    assert can_win(world, start)
    assert not can_win(world, start, ("cida.bolo",))
    assert not can_win(world, start, ("lia.",))
    assert can_win(world, start, ("cida.porta",))


# ── hints ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("world", [MINI, LAMA, papel()], ids=["mini", "lama", "papel"])
def test_following_hints_wins(world: World) -> None:
    """A team that only does what the hint says comes to the best ending."""
    state = begin(world.case)
    for _ in range(60):
        move = next_move(world.case, state)
        assert move is not None
        state = follow(world, move, state)
        if state.editions:
            break
    assert state.editions[-1].ending == world.case.publication.best


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1 << 16))
def test_there_is_always_a_next_move(seed: int) -> None:
    """Wherever a random team stands, whatever it answered, a quick plan wins from there."""
    states = milestones(LAMA)
    walk = Walk(LAMA, seed, start=states[seed % 20])
    for _ in walk.turns(60):
        pass
    state = walk.state
    for move in plan(LAMA.case, state, quick=True):
        state = follow(LAMA, move, state)
    assert state.editions[-1].ending == "e1"


def test_a_finished_team_needs_only_to_publish() -> None:
    """With everything found the whole plan is one move."""
    (move,) = plan(LAMA.case, finished(LAMA))
    assert (move.do, move.clues) == ("publish", ("t1", "t3", "t4", "t6"))


def test_a_found_clue_shortens_the_way() -> None:
    """A plan from a state does not ask for what is there already."""
    found = ClueFound(ClueId("migalhas"), "test")
    there = plan(MINI.case, play(begin(MINI.case), [found]))
    assert len(there) == len(plan(MINI.case)) - 2
    assert not any(move.subject == "cida.bolo" for move in there)
    assert MINI.case.characters[CharacterId("cida")].topics.keys() >= {"bolo", "forno"}
