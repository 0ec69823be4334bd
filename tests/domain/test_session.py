"""Events, the state that they lead to, and both of them as JSON."""

import json
from functools import reduce
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.world import mini

from amazonia.domain.case import (
    ChallengeId,
    CharacterId,
    ClueId,
    ConfrontationId,
    CounterId,
    RiddleId,
    TopicId,
)
from amazonia.domain.codec import dump_event, dump_state, load_event, load_state
from amazonia.domain.session import (
    RECENT,
    ChallengeTried,
    ClueFound,
    CounterAnswered,
    CounterAsked,
    Event,
    EvidenceShown,
    HintTaken,
    LinkDrawn,
    LinkErased,
    Published,
    RiddleTried,
    RoundTried,
    Spoken,
    State,
    TopicDeepened,
    apply,
    atoms,
    begin,
    play,
)

CASE = mini().case
people = st.sampled_from(list(CASE.characters))
clues = st.sampled_from(list(CASE.clues))
topics = st.sampled_from([topic.id for topic in CASE.topics()])
counters = st.sampled_from(list(CASE.counters))
endings = st.sampled_from([ending.id for ending in CASE.publication.endings])
words = st.text(max_size=12)
pairs = st.tuples(clues, clues)

KINDS: dict[type, st.SearchStrategy[Event]] = {
    Spoken: st.builds(Spoken, people, st.lists(words, max_size=3).map(tuple), st.none() | topics),
    TopicDeepened: st.builds(TopicDeepened, people, topics, st.integers(1, 3)),
    ClueFound: st.builds(ClueFound, clues, words),
    EvidenceShown: st.builds(EvidenceShown, people, clues),
    CounterAsked: st.builds(CounterAsked, counters),
    CounterAnswered: st.builds(CounterAnswered, counters, st.sampled_from("ab")),
    RiddleTried: st.builds(RiddleTried, st.sampled_from(list(CASE.riddles)), st.booleans()),
    HintTaken: st.builds(HintTaken, words),
    ChallengeTried: st.builds(
        ChallengeTried, st.sampled_from(list(CASE.challenges)), st.booleans()
    ),
    RoundTried: st.builds(
        RoundTried, st.sampled_from(list(CASE.confrontations)), st.just("gato"), st.booleans()
    ),
    LinkDrawn: st.builds(LinkDrawn, pairs),
    LinkErased: st.builds(LinkErased, pairs),
    Published: st.builds(
        Published,
        st.lists(st.sampled_from(list(CASE.publication.claims)), min_size=1).map(tuple),
        st.lists(st.tuples(words, words), max_size=2).map(tuple),
        endings,
    ),
}
events = st.lists(st.one_of(*KINDS.values()), max_size=40)


def test_every_kind_of_event_is_tried_here() -> None:
    """A new kind of event needs a strategy here, so that it is round-tripped as well."""
    assert set(KINDS) == set(get_args(Event))


def test_a_team_begins_with_the_case_s_clues() -> None:
    """At the start a team owns the clues of `start` and nothing else."""
    state = begin(CASE)
    assert state.clues == ("bilhete",)
    assert state.origins == {"bilhete": "start"}
    assert atoms(CASE, state) == {"bilhete"}


@given(events, st.integers(0, 40))
def test_replay_equals_playing_on(happened: list[Event], cut: int) -> None:
    """All events at once, one by one, or in two parts come to the same state."""
    at_once = play(begin(CASE), happened)
    assert reduce(apply, happened, begin(CASE)) == at_once
    assert play(play(begin(CASE), happened[:cut]), happened[cut:]) == at_once


@given(events)
def test_nothing_is_ever_lost(happened: list[Event]) -> None:
    """Whatever happens, every atom that held goes on holding."""
    state = begin(CASE)
    for event in happened:
        after = apply(state, event)
        assert atoms(CASE, state) <= atoms(CASE, after)
        assert after.clues[: len(state.clues)] == state.clues
        assert all(after.origins[clue] == by for clue, by in state.origins.items())
        state = after


@given(events)
def test_playing_changes_no_earlier_state(happened: list[Event]) -> None:
    """A state is a value: what happens later leaves it as it was."""
    state = begin(CASE)
    before = dump_state(state)
    play(state, happened)
    assert dump_state(state) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_events_survive_json(kind: type, data: st.DataObject) -> None:
    """An event of any kind is the same after a trip through JSON text."""
    event = data.draw(KINDS[kind])
    text = json.dumps(dump_event(event))
    assert load_event(json.loads(text)) == event
    assert load_event(dump_event(event)) == event


@given(events)
def test_states_survive_json(happened: list[Event]) -> None:
    """A state is the same after a trip through JSON text, and so is what comes after it."""
    state = play(begin(CASE), happened)
    saved = load_state(json.loads(json.dumps(dump_state(state))))
    assert saved == state
    assert list(saved.counters) == list(state.counters)
    assert play(saved, happened) == play(state, happened)


def test_an_unknown_kind_of_event_is_refused() -> None:
    """An event that this version does not know is no event."""
    with pytest.raises(KeyError):
        load_event({"kind": "Forgotten"})


def test_a_clue_is_found_once() -> None:
    """The first giver of a clue is remembered; a second changes nothing."""
    clue = ClueId("migalhas")
    once = apply(begin(CASE), ClueFound(clue, "cida.bolo"))
    assert apply(once, ClueFound(clue, "beto.bolo")) is once
    assert once.origins[clue] == "cida.bolo"


def test_a_topic_never_gets_shallower() -> None:
    """An older, lesser depth that arrives late does not undo a deeper one."""
    cida, bolo = CharacterId("cida"), TopicId("bolo")
    state = play(State(), [TopicDeepened(cida, bolo, 2), TopicDeepened(cida, bolo, 1)])
    assert state.depth == {"cida.bolo": 2}


def test_the_first_answer_stands() -> None:
    """A counter-question that is answered twice, or asked again, keeps its first answer."""
    cp1 = CounterId("cp1")
    answers: list[Event] = [CounterAnswered(cp1, "a"), CounterAnswered(cp1, "b"), CounterAsked(cp1)]
    assert play(State(), [CounterAsked(cp1), *answers]).counters == {"cp1": "a"}


def test_a_solved_riddle_stays_solved() -> None:
    """A wrong try after the right one is counted and takes nothing away."""
    riddle, challenge = RiddleId("r_relogio"), ChallengeId("D1")
    tries: list[Event] = [
        *(RiddleTried(riddle, right) for right in (False, True, False)),
        *(ChallengeTried(challenge, right) for right in (True, False)),
    ]
    state = play(State(), tries)
    assert (state.riddles[riddle].count, state.solved(riddle)) == (3, True)
    assert (state.challenges[challenge].count, state.challenges[challenge].right) == (2, True)


def test_rounds_are_counted_by_confrontation() -> None:
    """A round won in one confrontation is none in another whose name begins alike."""
    short, long = ConfrontationId("conf"), ConfrontationId("conf_lia")
    state = play(State(), [RoundTried(long, "gato", True), RoundTried(short, "porta", False)])
    assert state.won_rounds(long) == {"gato"}
    assert state.won_rounds(short) == frozenset()


def test_links_can_be_taken_off() -> None:
    """A string between two clues is the same from either end."""
    one, other = ClueId("migalhas"), ClueId("pegadas")
    tied = play(State(), [LinkDrawn((one, other)), LinkDrawn((other, one))])
    assert tied.links == {frozenset({one, other})}
    assert apply(tied, LinkErased((other, one))).links == frozenset()


def test_only_the_last_turns_are_remembered() -> None:
    """What a character said is kept for some turns; the topic spoken about for good."""
    cida, bolo = CharacterId("cida"), TopicId("bolo")
    spoken = [Spoken(cida, (f"line/{i}",), bolo if i == 0 else None) for i in range(20)]
    state = play(State(), spoken)
    assert len(state.said[cida]) == RECENT
    assert state.said[cida][-1] == ("line/19",)
    assert state.talk[cida] == bolo
