"""Riddles of every type and challenges: right, wrong and of the wrong shape."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from tests.domain.walks import finished
from tests.domain.world import World, lama, mini

from amazonia.domain.case import CharacterId, ClueId, Riddle, RiddleId
from amazonia.domain.errors import BadAnswer, NotOwned, Unknown
from amazonia.domain.projection import Codes, riddle_answer
from amazonia.domain.riddles import (
    Answer,
    Judged,
    answer_challenge,
    answer_riddle,
    explanation,
    is_listed,
    open_challenge,
    open_riddle,
    take_hint,
)
from amazonia.domain.session import (
    ChallengeTried,
    ClueFound,
    HintTaken,
    RiddleTried,
    State,
    begin,
    holds,
    play,
)

LAMA = lama().case
RICH = finished(lama())


def riddle(name: str) -> Riddle:
    """A riddle of the real case."""
    return LAMA.riddles[RiddleId(name)]


def judge(name: str, answer: Answer, state: State = RICH) -> Judged:
    """The verdict on an answer."""
    return answer_riddle(LAMA, lama().words, state, riddle(name), answer)


def owning(*clues: str, world: World | None = None) -> State:
    """A state with these clues."""
    world = world or lama()
    return play(begin(world.case), [ClueFound(ClueId(clue), "test") for clue in clues])


def answers() -> Iterator[tuple[str, Answer]]:
    """Every riddle with its right answers."""
    for one in LAMA.riddles.values():
        match one.type:
            case "order":
                yield one.id, one.answer
            case "link":
                for accepted in one.accepts:
                    for way in accepted.clues.ways:
                        yield one.id, {"clues": sorted(way), "union": accepted.union}
            case _:
                yield one.id, one.answer[0]
                if one.parts:
                    yield one.id, sorted(one.parts[one.answer[0]])


def test_every_type_of_riddle_is_tried_here() -> None:
    """The real case has a riddle of each type."""
    types = {one.type for one in LAMA.riddles.values()}
    assert types == {"order", "choice", "measure", "map", "timeline", "link"}


@pytest.mark.parametrize(("name", "answer"), list(answers()))
def test_right_answers(name: str, answer: Answer) -> None:
    """Every right answer solves its riddle and teaches why."""
    judged = judge(name, answer)
    assert judged.correct
    assert judged.explanation == explanation(LAMA, lama().words, RICH, riddle(name))
    assert judged.events == (RiddleTried(RiddleId(name), True),)
    assert judged.hint == ""


@pytest.mark.parametrize(
    ("name", "option"),
    [(r.id, o) for r in LAMA.riddles.values() for o in r.options if o not in r.answer],
)
def test_a_wrong_option_explains_itself(name: str, option: str) -> None:
    """Each wrong option has its own feedback, and costs nothing."""
    judged = judge(name, option)
    text = lama().words.riddles[RiddleId(name)]
    assert not judged.correct
    assert judged.explanation == text.feedback[option]
    assert judged.events == (RiddleTried(RiddleId(name), False),)
    parts = riddle(name).parts.get(option)
    if parts:
        assert judge(name, sorted(parts)).explanation == text.feedback[option]


def test_parts_that_name_no_option() -> None:
    """Layers that belong to no option get the riddle's general line."""
    judged = judge("r_mapa", ["ti", "pipa"])
    assert not judged.correct
    assert judged.explanation == lama().words.riddles[RiddleId("r_mapa")].wrong_default


def test_each_wrong_order_has_its_own_explanation() -> None:
    """Of all orders one is right; each other is explained by the first rule that it breaks."""
    one, text = riddle("r_ordem"), lama().words.riddles[RiddleId("r_ordem")]
    told: dict[str, int] = {}
    for order in permutations(one.pieces):
        judged = judge("r_ordem", order)
        assert judged.correct == (order == one.answer)
        if not judged.correct:
            broken = (
                rule.id for rule in one.wrong if order.index(rule.first) < order.index(rule.then)
            )
            rule = next(broken, None)
            expected = text.wrong[rule] if rule else text.wrong_default
            assert judged.explanation == expected
            told[expected] = told.get(expected, 0) + 1
    assert set(text.wrong.values()) <= set(told)
    assert len(set(text.wrong.values())) == len(one.wrong)


@pytest.mark.parametrize(
    ("clues", "union", "expected"),
    [
        (["obito", "nota_2024", "aiu"], "morto", "wrong_clues"),
        (["remanso_registro", "aiu", "procuracao"], "telefone", "wrong_clues"),
        (["obito", "nota_2024", "procuracao"], "estilo", "feedback"),
        (["obito", "nota_2024", "procuracao"], "telefone", "wrong_clues"),
    ],
)
def test_wrong_links(clues: list[str], union: str, expected: str) -> None:
    """A wrong union is explained; a right one with other clues asks for other clues."""
    text = lama().words.riddles[RiddleId("r_elo")]
    judged = judge("r_elo", {"clues": clues, "union": union})
    assert not judged.correct
    wanted = text.feedback[union] if expected == "feedback" else text.wrong_clues
    assert judged.explanation == wanted


BAD: list[tuple[str, Answer]] = [
    ("r_ordem", "aiu"),
    ("r_ordem", ["aiu", "pescada", "tucunare"]),
    ("r_ordem", ["aiu", "aiu", "pescada", "tucunare", "traira"]),
    ("r_ordem", ["aiu", "pescada", "tucunare", "boto"]),
    ("r_ordem", {"clues": [], "union": ""}),
    ("r_auritama", "atlantida"),
    ("r_auritama", ["conta_e_foto"]),
    ("r_frasco", ["outra_agua", "rio_limpou"]),
    ("r_mapa", ["poligono", "lua"]),
    ("r_mapa", {"clues": [], "union": ""}),
    ("r_noite", "meio_dia"),
    ("r_elo", "telefone"),
    ("r_elo", ["obito", "nota_2024", "procuracao"]),
    ("r_elo", {"clues": ["obito", "nota_2024"], "union": "morto"}),
    ("r_elo", {"clues": ["obito", "obito", "nota_2024"], "union": "morto"}),
    ("r_elo", {"clues": ["obito", "nota_2024", "procuracao"], "union": "amor"}),
    ("r_elo", {"clues": "obito", "union": "morto"}),
]


@pytest.mark.parametrize(("name", "answer"), BAD)
def test_a_bad_shape_is_refused(name: str, answer: Answer) -> None:
    """An answer that does not fit its riddle is no try; the message says what would fit."""
    with pytest.raises(BadAnswer) as caught:
        judge(name, answer)
    assert caught.value.allowed.startswith("answer must ")


def test_a_link_needs_owned_clues() -> None:
    """Clues that were not found cannot be linked."""
    state = owning("obito", "nota_2024")
    with pytest.raises(NotOwned) as caught:
        judge("r_elo", {"clues": ["obito", "nota_2024", "procuracao"], "union": "morto"}, state)
    assert caught.value.clue == "procuracao"


def test_a_union_that_is_not_listed_is_refused() -> None:
    """A union whose gate is closed cannot be guessed."""
    state = owning("remanso_registro", "vale_motor", "procuracao")
    with pytest.raises(BadAnswer):
        judge(
            "r_elo",
            {"clues": ["remanso_registro", "vale_motor", "procuracao"], "union": "morto"},
            state,
        )


def test_a_remark_on_what_was_not_measured() -> None:
    """Solved without its measurement, a riddle says what is still missing; with it, no more."""
    text = lama().words.riddles[RiddleId("r_ordem")]
    right = riddle("r_ordem").answer
    guessed = judge("r_ordem", right, owning("ordem_mortes", "aiu"))
    measured = judge("r_ordem", right, owning("ordem_mortes", "aiu", "oxigenio"))
    assert guessed.explanation == f"{text.explanation} {text.remark['falta_ar']}"
    assert measured.explanation == text.explanation


def test_the_last_hint_comes_with_a_wrong_answer() -> None:
    """A team that has taken a hint is reminded of it when it errs, not when it is right."""
    hints = lama().words.riddles[RiddleId("r_auritama")].hints
    state = play(RICH, [HintTaken("r_auritama")])
    assert judge("r_auritama", "nunca_houve", state).hint == hints[0]
    assert judge("r_auritama", "nunca_houve").hint == ""
    assert judge("r_auritama", "conta_e_foto", state).hint == ""


def test_the_ladder_of_hints() -> None:
    """Each hint comes once, in order; after the last one it is repeated without an event."""
    state, hints = begin(mini().case), ("one", "two")
    given = []
    for _ in range(4):
        hint, events = take_hint(state, "r_relogio", hints)
        state = play(state, events)
        given.append((hint, len(events)))
    assert given == [("one", 1), ("two", 1), ("two", 0), ("two", 0)]
    assert take_hint(state, "other", ()) == ("", ())


def test_a_riddle_opens_with_its_gate() -> None:
    """A riddle that is not open is as unknown as one that does not exist."""
    for name in ("r_frasco", "r_sumido"):
        with pytest.raises(Unknown):
            open_riddle(LAMA, begin(LAMA), name)
    assert open_riddle(LAMA, RICH, "r_frasco").id == "r_frasco"


def test_a_challenge_opens_with_its_gate_and_its_asker() -> None:
    """A challenge without a gate still waits for the character who asks it."""
    with pytest.raises(Unknown):
        open_challenge(LAMA, begin(LAMA), "D16")
    state = play(begin(LAMA), [RiddleTried(RiddleId("r_auritama"), True)])
    assert open_challenge(LAMA, state, "D16").by == "quintela"
    assert not is_listed(
        LAMA, holds(LAMA, state), LAMA.challenges[open_challenge(LAMA, RICH, "D17").id]
    )


@pytest.mark.parametrize("name", LAMA.challenges)
def test_challenges(name: str) -> None:
    """The right option explains, every other has its own feedback, and all can be tried again."""
    one = open_challenge(LAMA, RICH, name)
    text = lama().words.challenges[one.id]
    for option in one.options:
        judged = answer_challenge(lama().words, RICH, one, option)
        assert judged.correct == (option == one.answer)
        expected = text.explanation if judged.correct else text.feedback[option]
        assert judged.explanation == expected
        assert judged.events == (ChallengeTried(one.id, judged.correct),)
    with pytest.raises(BadAnswer):
        answer_challenge(lama().words, RICH, one, "none_of_them")
    with pytest.raises(BadAnswer):
        answer_challenge(lama().words, RICH, one, [one.answer])


def test_a_challenge_s_hints_climb() -> None:
    """Each wrong try brings the next hint, the last one again and again."""
    one = mini().case.challenges[next(iter(mini().case.challenges))]
    state = begin(mini().case)
    hints = []
    for _ in range(3):
        judged = answer_challenge(mini().words, state, one, "ar")
        state = play(state, judged.events)
        hints.append(judged.hint)
    assert hints == ["O que sai da panela?"] * 3
    assert answer_challenge(mini().words, state, one, one.answer).hint == ""


@pytest.mark.parametrize(("name", "answer"), list(answers()))
def test_codes_of_answers(name: str, answer: Answer) -> None:
    """An answer in the players' codes is the same answer in inner ids."""
    codes = Codes(LAMA, "team")

    def code(kind: str, inner: object) -> str:
        return LAMA.code(f"{kind}:{name}", str(inner))

    match answer:
        case str():
            outer: object = code("option", answer)
        case {"clues": clues, "union": union}:
            outer = {"clues": clues, "union": code("union", union)}
        case _:
            outer = [code("piece", piece) for piece in answer]
            answer = list(answer)
    assert riddle_answer(codes, riddle(name), outer) == answer


@pytest.mark.parametrize("answer", ["t1", ["agostos"], 7, None, {"clues": []}, {"a": 1}])
def test_inner_ids_are_no_answers(answer: object) -> None:
    """Only codes are understood; an inner id or an unknown shape is a bad answer."""
    with pytest.raises(BadAnswer):
        riddle_answer(Codes(LAMA, "team"), riddle("r_mapa"), answer)


def test_who_asks_is_in_the_case() -> None:
    """Every challenge of the real case is asked by somebody who can be met in the end."""
    people = {one.by for one in LAMA.challenges.values()}
    assert people == {CharacterId(name) for name in LAMA.characters}
