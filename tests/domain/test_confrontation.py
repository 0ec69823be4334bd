"""Confrontations and counter-questions."""

import pytest
from tests.domain.walks import finished
from tests.domain.world import lama, mini

from amazonia.domain.case import ClueId, Confrontation, ConfrontationId, CounterId
from amazonia.domain.confrontation import (
    Confronted,
    answer_counter,
    confront,
    open_confrontation,
    open_rounds,
    pending_counter,
)
from amazonia.domain.errors import BadAnswer, NotOwned, Unknown
from amazonia.domain.gates import parse
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    CounterAsked,
    RoundTried,
    State,
    begin,
    opens,
    play,
)

MINI, LAMA = mini(), lama()
LIA, GRACA, JOSUE = (ConfrontationId(f"conf_{n}") for n in ("lia", "graca", "josue"))
READY = play(
    begin(MINI.case), [ClueFound(ClueId(c), "test") for c in ("pelos", "migalhas", "pegadas")]
)
TEXT = MINI.words.confrontations[LIA].rounds["gato"]


def lia(clues: list[str], reason: str, state: State = READY) -> Confronted:
    """A try at the only round of the mini case."""
    scene = MINI.case.confrontations[LIA]
    return confront(MINI.case, MINI.words, state, scene, "gato", clues, reason)


def graca(state: State, round_: str, clues: str, reason: str) -> Confronted:
    """A try at a round of the real case's confrontation."""
    scene = LAMA.case.confrontations[GRACA]
    return confront(LAMA.case, LAMA.words, state, scene, round_, clues.split(), reason)


def unfought() -> State:
    """The real case with everything found and no round won."""
    full = finished(LAMA)
    rounds = {key: tries for key, tries in full.rounds.items() if not key.startswith(GRACA)}
    return State(clues=full.clues, riddles=full.riddles, rounds=rounds)


def test_the_right_clues_and_reason_win() -> None:
    """Both together defeat the statement; the last round won also closes the confrontation."""
    tried = lia(["pelos", "migalhas"], "pelo")
    assert tried.accepted
    assert not tried.partial
    assert tried.reply == f"{TEXT.won} {MINI.words.confrontations[LIA].won}"
    assert tried.next is None
    assert tried.events == (RoundTried(LIA, "gato", True),)
    assert opens(MINI.case, play(READY, tried.events), parse("conf_lia"))


@pytest.mark.parametrize(
    ("clues", "reason", "partial", "reply"),
    [
        (["pelos", "migalhas"], "fome", True, TEXT.wrong_reason["fome"]),
        (["pelos"], "pelo", True, TEXT.partial),
        (["pelos", "bilhete"], "fome", True, TEXT.partial),
        (["bilhete"], "pelo", False, TEXT.wrong_clues[0]),
        (["migalhas", "bilhete"], "fome", False, TEXT.wrong_clues[0]),
    ],
)
def test_half_credit(clues: list[str], reason: str, partial: bool, reply: str) -> None:
    """Right clues with a wrong reason, or some of the clues, are worth a nudge; the rest none."""
    tried = lia(clues, reason)
    assert not tried.accepted
    assert (tried.partial, tried.reply, tried.next) == (partial, reply, "gato")
    assert tried.events == (RoundTried(LIA, "gato", False),)


def test_after_two_failures_something_true_is_told() -> None:
    """The second and every later failure ends with the character's tell; refusals vary."""
    state, replies = READY, []
    for _ in range(3):
        tried = lia(["bilhete"], "pelo", state)
        state = play(state, tried.events)
        replies.append(tried.reply)
    first, second = TEXT.wrong_clues
    assert replies == [first, f"{second} {TEXT.tell}", f"{first} {TEXT.tell}"]
    assert lia(["pelos", "migalhas"], "pelo", state).accepted


@pytest.mark.parametrize(
    ("clues", "reason", "error"),
    [
        ([], "pelo", BadAnswer),
        (["pelos", "migalhas", "pegadas"], "pelo", BadAnswer),
        (["pelos", "hora_forno"], "pelo", NotOwned),
        (["pelos"], "ciume", Unknown),
    ],
)
def test_what_is_refused(clues: list[str], reason: str, error: type[Exception]) -> None:
    """Too few or too many clues, clues not found and unknown reasons are no tries."""
    with pytest.raises(error):
        lia(clues, reason)


def test_a_confrontation_opens_with_its_gate() -> None:
    """A closed confrontation is as unknown as one that does not exist."""
    for name in ("conf_lia", "conf_boto"):
        with pytest.raises(Unknown):
            open_confrontation(MINI.case, begin(MINI.case), name)
    assert open_confrontation(MINI.case, READY, "conf_lia").id == LIA


def test_rounds_and_reasons_are_listed_one_by_one() -> None:
    """A round or a reason whose gate is closed cannot be tried."""
    scene = LAMA.case.confrontations[GRACA]
    full = unfought()
    some = State(clues=tuple(c for c in full.clues if c != "nota_2024"), riddles=full.riddles)
    listed = [r.id for r in open_rounds(LAMA.case, some, scene)]
    assert listed == ["amostra", "proveito"]
    with pytest.raises(Unknown):
        graca(some, "papel", "obito procuracao", "depois_de_morto")
    with pytest.raises(Unknown):
        graca(full, "amostra", "relato_josue caixa_passeou", "josue_quis_muito")


def test_two_of_three_rounds_win() -> None:
    """The confrontation is won with the second round; the third is still offered."""
    state = unfought()
    first = graca(state, "papel", "obito nota_2024 procuracao", "depois_de_morto")
    state = play(state, first.events)
    assert (first.accepted, first.next) == (True, "amostra")
    assert not opens(LAMA.case, state, parse(GRACA))
    second = graca(state, "proveito", "remanso_registro vale_motor patrocinio", "telefone")
    state = play(state, second.events)
    assert second.next == "amostra"
    assert second.reply.endswith(LAMA.words.confrontations[GRACA].won)
    assert opens(LAMA.case, state, parse(GRACA))
    third = graca(state, "amostra", "relato_josue luz_lago", "devia")
    assert third.next is None
    assert not third.reply.endswith(LAMA.words.confrontations[GRACA].won)


def test_rounds_won_stay_won() -> None:
    """A failure in a round that was won takes nothing away."""
    state = play(READY, lia(["pelos", "migalhas"], "pelo").events)
    state = play(state, lia(["bilhete"], "fome", state).events)
    assert state.won_rounds(LIA) == {"gato"}


def test_winning_may_ask_something_back() -> None:
    """A confrontation that is won asks its counter-question, once."""
    state = play(begin(LAMA.case), [ClueFound(ClueId(c), "") for c in LAMA.case.clues])
    scene = LAMA.case.confrontations[JOSUE]
    clues = ["frascos_lama", "ficha_campo"]
    asked = []
    for _ in range(2):
        tried = confront(LAMA.case, LAMA.words, state, scene, "caixas", clues, "lacre")
        state = play(state, tried.events)
        asked.append(CounterAsked(CounterId("cp2")) in tried.events)
    assert asked == [True, False]


@pytest.mark.parametrize("scene", LAMA.case.confrontations.values(), ids=lambda scene: scene.id)
def test_every_accepted_set_of_the_real_case_wins(scene: Confrontation) -> None:
    """Each way of each round is accepted with the right reason and half-accepted with another."""
    state = finished(LAMA)
    for round_ in scene.rounds.values():
        for way in round_.accepts.ways:
            for reason in round_.reasons:
                tried = confront(
                    LAMA.case, LAMA.words, state, scene, round_.id, sorted(way), reason.id
                )
                assert tried.accepted == reason.right
                assert tried.partial != reason.right


# ── counter-questions ───────────────────────────────────────────────────────────────────────────


def test_the_first_answer_stands() -> None:
    """A second, other answer gets the reply to the first and changes nothing."""
    counter = MINI.case.counters[CounterId("cp1")]
    state = play(begin(MINI.case), [CounterAsked(counter.id)])
    reply, events = answer_counter(MINI.words, state, counter, "a")
    state = play(state, events)
    again, nothing = answer_counter(MINI.words, state, counter, "b")
    assert events == (CounterAnswered(counter.id, "a"),)
    assert (again, nothing) == (reply, ())


def test_an_answer_must_be_an_option() -> None:
    """Anything but an option's id is no answer."""
    counter = MINI.case.counters[CounterId("cp1")]
    state = play(begin(MINI.case), [CounterAsked(counter.id)])
    with pytest.raises(BadAnswer):
        answer_counter(MINI.words, state, counter, "quente")


def test_a_question_that_was_not_asked_is_unknown() -> None:
    """Nobody answers what nobody asked."""
    for name in ("cp1", "cp9"):
        with pytest.raises(Unknown):
            pending_counter(MINI.case, begin(MINI.case), name)
    state = play(begin(MINI.case), [CounterAsked(CounterId("cp1"))])
    assert pending_counter(MINI.case, state, "cp1").id == "cp1"
