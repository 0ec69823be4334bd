"""Publishing: verdicts, endings by rule order, epilogues, second editions."""

from collections import Counter
from itertools import chain, combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.walks import Walk, finished, milestones
from tests.domain.world import World, lama, mini

from amazonia.domain.case import ClueId
from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.domain.publication import edition, is_open, listed_claims, publish
from amazonia.domain.session import ClueFound, CounterAnswered, Published, State, begin, opens, play

LAMA, MINI = lama(), mini()
CLAIMS = LAMA.case.publication.claims
FULL = finished(LAMA)
LOUD = {"f1", "f2", "f3", "f4", "f5", "u3"}
UNPROVEN = {"u1", "u2"}


def ending(state: State, claims: list[str], world: World = LAMA, **decisions: str) -> str:
    """The ending that an edition comes to."""
    return publish(world.case, world.words, state, claims, decisions).ending


def by_the_rules(state: State, claims: set[str]) -> str:
    """The ending as section 10 of the story words its rules."""
    if claims & LOUD:
        return "e4"
    if claims & UNPROVEN or not all(opens(LAMA.case, state, CLAIMS[c].needs) for c in claims):
        return "e3"
    return "e1" if claims >= {"t1", "t3", "t4", "t6"} else "e2"


def some_subsets(listed: list[str]) -> list[tuple[str, ...]]:
    """Small and large subsets of the claims all, and a sample of those between."""
    sizes = [1, 2, len(listed) - 1, len(listed)]
    few = chain.from_iterable(combinations(listed, size) for size in sizes)
    chance = Random(7)
    between = (chance.sample(listed, chance.randint(3, len(listed) - 2)) for _ in range(500))
    true = [claim for claim in listed if CLAIMS[claim].truth == "true"]
    quiet = [claim for claim in listed if claim not in LOUD]
    all_true = (combinations(true, size) for size in range(1, len(true) + 1))
    all_quiet = (combinations(quiet, size) for size in range(3, len(quiet)))
    return [*few, *map(tuple, between), *chain.from_iterable(chain(all_true, all_quiet))]


def test_every_claim_is_listed_in_the_end() -> None:
    """Everything found, all fifteen claims can be published."""
    assert {claim.id for claim in listed_claims(LAMA.case, FULL)} == set(CLAIMS)
    assert len(CLAIMS) == 15


def test_endings_are_exclusive_and_exhaustive() -> None:
    """Any set of claims comes to exactly the ending that the story's rules name."""
    reached = Counter[str]()
    for claims in some_subsets(list(CLAIMS)):
        found = ending(FULL, list(claims))
        assert found == by_the_rules(FULL, set(claims)), claims
        reached[found] += 1
    assert set(reached) == {"e1", "e2", "e3", "e4"}


@settings(deadline=None, max_examples=120)
@given(st.data())
def test_endings_on_the_way(data: st.DataObject) -> None:
    """In any state in which publishing is open, any listed claims come to the ruled ending."""
    states = [state for state in milestones(LAMA) if is_open(LAMA.case, state)]
    state = data.draw(st.sampled_from(states))
    listed = [claim.id for claim in listed_claims(LAMA.case, state)]
    claims = data.draw(st.lists(st.sampled_from(listed), unique=True, min_size=1))
    assert ending(state, claims) == by_the_rules(state, set(claims))


def test_order_and_repetition_do_not_matter() -> None:
    """Claims in another order, or twice, come to the same ending."""
    claims = ["t1", "t3", "t4", "t6"]
    assert ending(FULL, claims) == ending(FULL, [*claims[::-1], "t1"]) == "e1"


@pytest.mark.parametrize("missing", ["t1", "t3", "t4", "t6"])
def test_the_best_ending_needs_all_four(missing: str) -> None:
    """Without any one of its claims the best ending is not reached."""
    claims = [claim for claim in ("t1", "t3", "t4", "t6") if claim != missing]
    assert ending(FULL, [*claims, "t2", "t5", "t7"]) == "e2"


def test_verdicts_and_what_was_missing() -> None:
    """Each claim gets its verdict, the reason for it, and a line where a proof was missing."""
    graca = {key: tries for key, tries in FULL.rounds.items() if not key.startswith("conf_graca")}
    state = State(clues=FULL.clues, riddles=FULL.riddles, rounds=graca)
    page = publish(LAMA.case, LAMA.words, state, ["t1", "t6", "u1", "u3", "f1"], {})
    assert page.verdicts == {
        "t1": "proved",
        "t6": "unsupported",
        "u1": "unproven",
        "u3": "harmful",
        "f1": "false",
    }
    words = LAMA.words.publication.claims
    assert page.missing == (words["t6"].unproved,)
    assert [why for _, _, why in page.debrief] == [
        words["t1"].proved,
        words["t6"].unproved,
        words["u1"].why,
        words["u3"].why,
        words["f1"].why,
    ]
    assert page.ending == "e4"


def test_what_is_not_listed_cannot_be_published() -> None:
    """A claim before its time, or one that never was, is unknown; so is publishing itself."""
    with pytest.raises(Unknown):
        ending(begin(LAMA.case), ["t1"])
    state = next(s for s in milestones(LAMA) if is_open(LAMA.case, s))
    for claim in ("t6", "t99"):
        with pytest.raises(Unknown):
            ending(state, [claim])


def test_an_empty_edition_is_refused() -> None:
    """An edition holds at least one claim."""
    with pytest.raises(BadAnswer):
        ending(FULL, [])


def test_decisions() -> None:
    """A decision must be listed and one of its options; it never changes the ending."""
    claims = ["t1", "t3", "t4", "t6"]
    for option in ("nomeado", "protegido"):
        assert ending(FULL, claims, josue=option) == "e1"
    with pytest.raises(BadAnswer):
        ending(FULL, claims, josue="esquecido")
    with pytest.raises(Unknown):
        ending(FULL, claims, radio="vendida")
    state = State(clues=tuple(ClueId(c) for c in FULL.clues), riddles=FULL.riddles)
    with pytest.raises(Unknown):
        ending(state, ["t1"], josue="nomeado")


@pytest.mark.parametrize(
    ("decisions", "promise", "group", "expected"),
    [
        ({"pacote": "fechado"}, "", "pacote", "fechado"),
        ({"pacote": "aberto"}, "", "pacote", "aberto"),
        ({}, "", "pacote", "esperado"),
        ({"josue": "nomeado"}, "b", "josue", "nomeado_sem_acordo"),
        ({"josue": "nomeado"}, "c", "josue", "nomeado"),
        ({"josue": "protegido"}, "b", "josue", "protegido"),
        ({"transmissor": "omitido"}, "", "transmissor", "omitido"),
    ],
)
def test_epilogues_follow_the_decisions(
    decisions: dict[str, str], promise: str, group: str, expected: str
) -> None:
    """Of each group the first paragraph that fits what was decided and promised is printed."""
    counters = dict.fromkeys(FULL.counters, "")
    state = State(clues=FULL.clues, riddles=FULL.riddles, rounds=FULL.rounds, counters=counters)
    if promise:
        cp2 = next(name for name in LAMA.case.counters if name == "cp2")
        state = play(state, [CounterAnswered(cp2, promise)])
    page = publish(LAMA.case, LAMA.words, state, ["t1", "t3", "t4", "t6"], decisions)
    texts = LAMA.words.publication.epilogue["e1"][group]
    printed = [name for name, text in texts.items() if text in page.text]
    assert printed == [expected]


def test_the_headline_needs_its_claim() -> None:
    """An ending whose headline's claim was left out prints its other headline."""
    page = LAMA.words.publication.endings["e2"]
    with_it = publish(LAMA.case, LAMA.words, FULL, ["t1"], {})
    without = publish(LAMA.case, LAMA.words, FULL, ["t2"], {})
    assert (with_it.headline, without.headline) == (page.headline, page.headline_else)


def test_a_second_edition() -> None:
    """Publishing takes nothing away; the next edition may come to the best ending."""
    state = FULL
    for claims, expected in ((["f1"], "e4"), (["t1", "t3", "t4", "t6"], "e1")):
        page = publish(LAMA.case, LAMA.words, state, claims, {})
        state = play(state, [page.event])
        assert page.ending == expected
    assert [published.ending for published in state.editions] == ["e4", "e1"]
    assert state.clues == FULL.clues


def test_an_edition_can_be_read_again() -> None:
    """The page of a published edition is the one that was shown when it went out."""
    page = publish(LAMA.case, LAMA.words, FULL, ["t1", "f2"], {"pacote": "aberto"})
    state = play(FULL, [page.event])
    assert edition(LAMA.case, LAMA.words, state, page.event) == page


@pytest.mark.parametrize("seed", range(6))
def test_every_edition_of_a_walk_has_one_ending(seed: int) -> None:
    """Whatever teams publish on their way, exactly the ruled ending comes of it."""
    for turn in Walk(LAMA, seed, start=milestones(LAMA)[20]).turns(120):
        for event in turn.events:
            if isinstance(event, Published):
                assert event.ending == by_the_rules(turn.before, set(event.claims))


def test_the_mini_case_publishes() -> None:
    """The mini case's claim is unsupported until its confrontation is won."""
    everything = finished(MINI)
    told = [ClueFound(ClueId(c), "") for c in MINI.case.clues]
    early = play(begin(MINI.case), told)
    early = State(clues=early.clues, riddles=everything.riddles)
    assert ending(early, ["t1"], MINI) == "e3"
    assert ending(everything, ["t1"], MINI) == "e1"
