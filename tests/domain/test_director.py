"""The director: what a turn reveals, and what is said when it reveals nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.walks import milestones
from tests.domain.world import World, about, lama, mini

from amazonia.domain.case import CharacterId, ClueId, RiddleId, TopicId
from amazonia.domain.director import QUIET_TURNS, Beat, direct, meet, suggestions
from amazonia.domain.errors import NotOwned, NotYet, Unknown
from amazonia.domain.lines import read
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    CounterAsked,
    Event,
    EvidenceShown,
    RiddleTried,
    Spoken,
    State,
    TopicDeepened,
    begin,
    holds,
    opens,
    play,
)
from amazonia.domain.understanding import Decision, Reading


def ask(
    world: World, state: State, who: str, reading: Reading, seed: int = 0, show: str | None = None
) -> tuple[Beat, State]:
    """One turn: the beat and the state after it."""
    shown = ClueId(show) if show else None
    beat = direct(world.case, world.words, state, world.who(who), reading, seed, shown)
    return beat, play(state, beat.events)


def start(*events: Event) -> State:
    """The mini case after some events."""
    return play(begin(mini().case), events)


CRUMBS = ClueFound(ClueId("migalhas"), "cida.bolo")


def kinds(beat: Beat) -> list[type]:
    """The kinds of events of a beat."""
    return [type(event) for event in beat.events]


def test_one_step_a_question() -> None:
    """Each question about a topic tells one step of it, in order."""
    state = start()
    spoken: list[str] = []
    for _ in range(2):
        beat, state = ask(mini(), state, "cida", about("bolo"))
        assert beat.kind == "answer"
        spoken += beat.lines
    assert spoken == ["topics/bolo/steps/0/says/0", "topics/bolo/steps/1/says/0"]
    assert state.depth == {"cida.bolo": 2}


def test_a_clue_comes_exactly_with_its_step() -> None:
    """The clue of the second step is not given by the first, and not again afterwards."""
    state = start()
    first, state = ask(mini(), state, "cida", about("bolo"))
    second, state = ask(mini(), state, "cida", about("bolo"))
    third, state = ask(mini(), state, "cida", about("bolo"))
    assert [first.clues, second.clues, third.clues] == [(), ("migalhas",), ()]
    assert state.origins[ClueId("migalhas")] == "cida.bolo"
    assert third.kind == "recap"


def test_a_clue_that_is_owned_is_not_given_again() -> None:
    """A step whose clue came from somebody else is told without giving it."""
    beat, state = ask(mini(), start(CRUMBS), "cida", about("bolo"))
    beat, state = ask(mini(), state, "cida", about("bolo"))
    assert beat.kind == "answer"
    assert beat.clues == ()
    assert state.clues.count(ClueId("migalhas")) == 1


def test_a_waiting_step_nudges() -> None:
    """A step whose own condition is unmet says what is missing and does not advance."""
    beat, state = ask(mini(), start(CRUMBS), "cida", about("porta"))
    assert beat.kind == "waiting"
    assert beat.lines == ("topics/porta/steps/0/nudge/0",)
    assert kinds(beat) == [Spoken]
    assert state.depth == {}


def test_evidence_ends_the_waiting() -> None:
    """Shown what it waits for, the same step is told in the same turn."""
    beat, state = ask(mini(), start(CRUMBS), "cida", about("porta"), show="migalhas")
    assert beat.kind == "answer"
    assert beat.clues == ("pegadas",)
    assert state.shown == {("cida", "migalhas")}


def test_a_waiting_topic_never_recaps() -> None:
    """While a later step waits, nothing that sums the whole topic up is said."""
    world = lama()
    state = play(begin(world.case), [ClueFound(ClueId("ordem_mortes"), "test")])
    for seed in range(20):
        beat, state = ask(world, state, "esmerina", about("pirarucu"), seed)
        assert not any("/recap/" in line for line in beat.lines)
    assert state.depth["esmerina.pirarucu"] == 2


def test_a_locked_topic_reveals_nothing() -> None:
    """A topic that is not open answers with a `locked` line and changes nothing else."""
    beat, state = ask(mini(), start(), "cida", about("porta"))
    assert beat.kind == "locked"
    assert beat.lines == ("topics/porta/locked/0",)
    assert kinds(beat) == [Spoken]
    assert state.talk == {}


def test_another_wording_is_chosen_by_its_gate() -> None:
    """A step has other words once their gate is open, and the same effect."""
    world = lama()
    neia, uxirana = CharacterId("neia"), TopicId("uxirana")
    before = play(begin(world.case), [TopicDeepened(neia, uxirana, 2)])
    after = play(before, [RiddleTried(RiddleId("r_mapa"), True)])
    plain, _ = ask(world, before, "neia", about("uxirana"))
    other, _ = ask(world, after, "neia", about("uxirana"))
    assert plain.lines[0].startswith("topics/uxirana/steps/2/says/")
    assert other.lines[0].startswith("topics/uxirana/steps/2/instead/papel/")
    assert [e for e in plain.events if not isinstance(e, Spoken)] == [
        e for e in other.events if not isinstance(e, Spoken)
    ]


def test_two_topics_a_turn_at_most() -> None:
    """A double question moves two topics by one step each; a third is left out."""
    beat, state = ask(mini(), start(), "cida", about("bolo", "forno", "porta", double=True))
    assert beat.topics == ("bolo", "forno")
    assert state.depth == {"cida.bolo": 1, "cida.forno": 1}
    assert beat.clues == ("hora_forno",)


def test_a_plain_question_moves_only_the_first_topic() -> None:
    """The other readings of a clear question are not answered."""
    beat, state = ask(mini(), start(), "cida", about("bolo", "forno"))
    assert beat.topics == ("bolo",)
    assert state.depth == {"cida.bolo": 1}


def test_unsure_asks_back() -> None:
    """Not sure, a character awards nothing and offers the open readings only."""
    topics = (TopicId("porta"), TopicId("bolo"), TopicId("forno"))
    beat, state = ask(mini(), start(), "cida", Reading("unsure", topics))
    assert beat.kind == "unsure"
    assert beat.readings == ("bolo", "forno")
    assert kinds(beat) == [Spoken]
    assert state.depth == {}


def test_likely_is_told_at_once_where_nothing_hangs_on_it() -> None:
    """A topic that was probably meant moves on by a step without a clue, never by one with."""
    likely = Reading("unsure", (TopicId("bolo"), TopicId("forno")), likely=True)
    beat, state = ask(mini(), start(), "cida", likely)
    assert (beat.kind, beat.topics, beat.clues) == ("answer", ("bolo",), ())
    again, after = ask(mini(), state, "cida", likely)
    assert (again.kind, after.depth) == ("unsure", state.depth)


def test_an_aside_has_its_own_answer() -> None:
    """What is no topic but has lines is answered with them, until they are worn out."""
    beat, state = ask(mini(), start(), "cida", Reading("out", aside="receita"))
    assert (beat.kind, beat.lines) == ("out", ("asides/receita/0",))
    again, _ = ask(mini(), state, "cida", Reading("out", aside="receita"))
    assert again.lines[0].startswith("deflections/")
    other, _ = ask(mini(), start(), "lia", Reading("out", aside="receita"))
    assert other.lines[0].startswith("deflections/")


def test_unsure_among_closed_topics_deflects() -> None:
    """Where no reading is open there is nothing to offer."""
    beat, _ = ask(mini(), start(), "cida", Reading("unsure", (TopicId("porta"),)))
    assert beat.kind == "out"
    assert beat.readings == ()
    assert beat.lines[0].startswith("deflections/")


@pytest.mark.parametrize("kind", mini().words.characters[CharacterId("cida")].smalltalk)
def test_small_talk(kind: str) -> None:
    """Small talk of each kind has its own lines and reveals nothing."""
    beat, _ = ask(mini(), start(), "cida", Reading("smalltalk", smalltalk=kind))
    assert beat.kind == "smalltalk"
    assert beat.lines[0].startswith(f"smalltalk/{kind}/")
    assert kinds(beat) == [Spoken]


def test_asked_for_a_hint_a_character_offers_topics() -> None:
    """«What can I ask?» is answered with open topics as buttons."""
    beat, _ = ask(mini(), start(), "cida", Reading("smalltalk", smalltalk="hint"))
    assert set(beat.readings) == {"bolo", "forno"}


def test_out_of_scope_points_to_who_would_know() -> None:
    """Somebody who can be reached is named; somebody who cannot is not."""
    to_beto, _ = ask(mini(), start(), "cida", Reading("out", redirect=CharacterId("beto")))
    to_lia, _ = ask(mini(), start(), "cida", Reading("out", redirect=CharacterId("lia")))
    assert to_beto.lines == ("redirects/beto/0",)
    assert to_lia.lines[0].startswith("deflections/")


def test_shown_evidence_is_recorded_with_a_reaction() -> None:
    """A clue that leads nowhere gets the character's own reaction and is remembered."""
    beat, state = ask(mini(), start(), "cida", Reading("out"), show="bilhete")
    assert beat.kind == "shown"
    assert beat.lines == ("shown/0",)
    assert beat.events[0] == EvidenceShown(CharacterId("cida"), ClueId("bilhete"))
    assert state.shown == {("cida", "bilhete")}


def test_a_shown_clue_leads_to_its_topic() -> None:
    """Laid on the table with no clear question, a clue leads to the topic it belongs to."""
    beat, state = ask(mini(), start(), "beto", Reading("out"), show="bilhete")
    assert beat.topics == ("manha",)
    assert state.depth == {"beto.manha": 1}


def test_a_clear_question_outweighs_the_shown_clue() -> None:
    """Asked clearly about something else, a character answers that; the clue is still seen."""
    beat, state = ask(mini(), start(), "beto", about("bolo"), show="bilhete")
    assert beat.topics == ("bolo",)
    assert state.shown == {("beto", "bilhete")}


def test_a_clue_must_be_owned_to_be_shown() -> None:
    """Showing what was not found is refused and changes nothing."""
    with pytest.raises(NotOwned) as caught:
        ask(mini(), start(), "cida", about("bolo"), show="migalhas")
    assert caught.value.clue == "migalhas"


def test_a_counter_question_is_asked_once() -> None:
    """The step that ends with a counter-question asks it, and no other turn does."""
    asked = 0
    for answered in (False, True):
        state = start()
        for _ in range(4):
            beat, state = ask(mini(), state, "cida", about("forno"))
            asked += CounterAsked in kinds(beat)
            if answered and state.counters:
                state = play(state, [CounterAnswered(next(iter(state.counters)), "a")])
    assert asked == 2


def test_a_counter_question_is_spoken_with_its_step() -> None:
    """Its prompt follows the step's own line."""
    _, state = ask(mini(), start(), "cida", about("forno"))
    beat, _ = ask(mini(), state, "cida", about("forno"))
    assert beat.lines == ("topics/forno/steps/1/says/0", "counters/cp1")


def test_the_step_s_gesture_and_emotion() -> None:
    """A line's own gesture is used, else one of its emotion."""
    first, state = ask(mini(), start(), "cida", about("bolo"))
    second, _ = ask(mini(), state, "cida", about("bolo"))
    assert (first.emotion, first.gesture) == ("brava", "aponta a mesa vazia")
    assert (second.emotion, second.gesture) == ("calma", "mexe a panela")


def test_meeting_somebody() -> None:
    """Whoever is open can be met; a closed door gives its reason, a stranger is unknown."""
    case, words = mini().case, mini().words
    assert meet(case, words, start(), "cida").id == "cida"
    with pytest.raises(NotYet) as caught:
        meet(case, words, start(), "lia")
    assert caught.value.reason == words.characters[CharacterId("lia")].locked
    with pytest.raises(Unknown):
        meet(case, words, start(), "ninguem")


def test_suggestions_prefer_what_is_new() -> None:
    """A topic told to its end is not suggested, nor is one that waits, nor a locked one."""
    case, cida = mini().case, mini().who("cida")
    assert set(suggestions(case, start(), cida)) == {"bolo", "forno"}
    told = start(*(TopicDeepened(cida.id, TopicId("bolo"), d) for d in (1, 2)), CRUMBS)
    assert set(suggestions(case, told, cida)) == {"forno"}


# ── whatever is asked, wherever a team stands ───────────────────────────────────────────────────


DECISIONS: list[Decision] = ["answer", "answer", "unsure", "smalltalk", "out"]


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, Reading]:
    """A character of the real case and any reading of a question to them."""
    who = draw(st.sampled_from(list(lama().case.characters)))
    topics = st.sampled_from(list(lama().who(who).topics))
    first = tuple(draw(st.lists(topics, unique=True, min_size=1, max_size=3)))
    decision: Decision = draw(st.sampled_from(DECISIONS))
    talk = draw(st.sampled_from(list(lama().words.characters[CharacterId(who)].smalltalk)))
    other = draw(st.none() | st.sampled_from([c for c in lama().case.characters if c != who]))
    reading = Reading(decision, first, double=draw(st.booleans()), smalltalk=talk, redirect=other)
    return who, reading


places = st.integers(0, 10_000).map(lambda n: milestones(lama())[n % len(milestones(lama()))])


@settings(deadline=None, max_examples=150)
@given(places, questions(), st.integers(0, 1 << 30), st.integers(0, 1 << 30))
def test_chance_chooses_words_only(
    state: State, question: tuple[str, Reading], one: int, other: int
) -> None:
    """Whatever the seed, the same happens: only the lines spoken may differ."""
    who, reading = question
    first, _ = ask(lama(), state, who, reading, one)
    second, _ = ask(lama(), state, who, reading, other)
    assert first.events[:-1] == second.events[:-1]
    spoken, other_words = first.events[-1], second.events[-1]
    assert isinstance(spoken, Spoken)
    assert isinstance(other_words, Spoken)
    assert replace(spoken, lines=()) == replace(other_words, lines=())
    assert (first.kind, first.topics) == (second.kind, second.topics)


@settings(deadline=None, max_examples=150)
@given(places, questions(), st.integers(0, 1 << 30))
def test_a_turn_reveals_only_what_is_open(
    state: State, question: tuple[str, Reading], seed: int
) -> None:
    """Every step told was open and the next one; a clue comes with its own step only."""
    world, (who, reading) = lama(), question
    beat, after = ask(world, state, who, reading, seed)
    told = [event for event in beat.events if isinstance(event, TopicDeepened)]
    assert len(told) <= (2 if reading.double else 1)
    assert len(beat.topics) <= 2
    steps = [world.who(who).topics[event.topic].steps[event.depth - 1] for event in told]
    for event, step in zip(told, steps, strict=True):
        topic = world.who(who).topics[event.topic]
        assert event.depth == state.depth.get(topic.key, 0) + 1
        assert opens(world.case, after, topic.when)
        assert opens(world.case, after, step.when)
    assert set(beat.clues) == {s.clue for s in steps if s.clue and s.clue not in state.clues}
    have = holds(world.case, state)
    assert all(world.who(who).topics[t].when.open(have) for t in beat.readings)
    if reading.decision != "answer":
        assert told == []


@settings(deadline=None, max_examples=80)
@given(
    places,
    st.lists(st.tuples(questions(), st.integers(0, 1 << 16)), min_size=14, max_size=20),
)
def test_no_line_is_spoken_twice_within_six_turns(
    state: State, asked: list[tuple[tuple[str, Reading], int]]
) -> None:
    """Whatever one character is asked, no line returns while the talk still remembers it."""
    world = lama()
    who = asked[0][0][0]
    turns: list[set[str]] = []
    for (_, reading), seed in asked:
        known = tuple(t for t in reading.topics if t in world.who(who).topics)
        other = reading.redirect if reading.redirect != who else None
        reading = replace(reading, topics=known or tuple(world.who(who).topics)[:1], redirect=other)
        beat, state = ask(world, state, who, reading, seed)
        texts = [read(world.words, beat.character, ref).text for ref in beat.lines]
        assert len(set(texts)) == len(texts)
        assert not any(told & set(texts) for told in turns[-QUIET_TURNS:])
        turns.append(set(texts))


@settings(deadline=None, max_examples=60)
@given(
    places,
    questions(),
    st.lists(st.integers(0, 1 << 16), min_size=QUIET_TURNS + 1, max_size=QUIET_TURNS + 1),
)
def test_asking_the_same_again_gets_other_words(
    state: State, question: tuple[str, Reading], seeds: list[int]
) -> None:
    """The same question seven times in a row, with any seeds, repeats no line."""
    who, reading = question
    spoken: list[str] = []
    for seed in seeds:
        beat, state = ask(lama(), state, who, reading, seed)
        spoken += [read(lama().words, beat.character, ref).text for ref in beat.lines]
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize("who", lama().case.characters)
def test_even_closed_doors_find_other_words(who: str) -> None:
    """Two closed topics asked about again and again, then something else: no line returns."""
    world = lama()
    state = begin(world.case)
    have = holds(world.case, state)
    closed = [t.id for t in world.who(who).topics.values() if not t.when.open(have)][:2]
    spoken: list[str] = []
    for reading in [about(*closed, double=True)] * QUIET_TURNS + [Reading("out")]:
        beat, state = ask(world, state, who, reading)
        spoken += [read(world.words, beat.character, ref).text for ref in beat.lines]
    assert len(set(spoken)) == len(spoken)
