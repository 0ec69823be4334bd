"""A case that plays itself, by the calls that a player would make; and lines by reference."""

from dataclasses import replace

import pytest
from tests.domain.walks import finished
from tests.domain.world import mini

from amazonia.domain.case import CharacterId, ClueId
from amazonia.domain.lines import choose, pool, read
from amazonia.domain.session import ClueFound, begin, play
from amazonia.domain.solve import Move
from amazonia.domain.walkthrough import NoWay

MINI = mini()


def test_the_mini_case_plays_itself() -> None:
    """The walkthrough is the shortest way in players' words and codes."""
    actions = MINI.guide.walkthrough()
    assert [action["do"] for action in actions].count("chat") == 4
    assert {action["do"] for action in actions} == {"chat", "riddle", "confront", "publish"}
    code = MINI.case.code
    riddle = next(action for action in actions if action["do"] == "riddle")
    assert riddle == {
        "do": "riddle",
        "id": "r_relogio",
        "answer": code("option:r_relogio", "recreio"),
    }
    assert actions[-2] == {
        "do": "confront",
        "confrontation": code("confrontation", "conf_lia"),
        "round": code("round:conf_lia", "gato"),
        "clues": ["migalhas", "pelos"],
        "reason": code("reason:conf_lia/gato", "pelo"),
    }
    assert actions[-1] == {"do": "publish", "claims": [code("claim", "t1")], "decisions": {}}


def test_no_question_is_asked_twice() -> None:
    """A walkthrough repeats no message, since that would count as a duplicate."""
    messages = [a["message"] for a in MINI.guide.walkthrough() if a["do"] == "chat"]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("ending", ["e1", "e3"])
def test_each_ending_can_be_played(ending: str) -> None:
    """Walkthroughs come to the ending that was asked for."""
    state = begin(MINI.case)
    for action in MINI.guide.walkthrough(ending):
        assert action["do"]
    moves = MINI.guide.walkthrough(ending, finished(MINI))
    assert moves[-1]["do"] == "publish"
    assert state == begin(MINI.case)


def test_from_the_middle() -> None:
    """From a state with everything found there is only the edition left."""
    (only,) = MINI.guide.walkthrough(state=finished(MINI))
    assert only["do"] == "publish"


def test_evidence_is_named_in_the_action() -> None:
    """A question with a clue on the table says which, and asks what the clue asks."""
    state = play(begin(MINI.case), [ClueFound(ClueId("migalhas"), "test")])
    action, after = MINI.guide.act(Move("chat", "cida.porta", "1", show="migalhas"), state)
    assert action == {
        "do": "chat",
        "entity_id": "cida",
        "message": "De onde vêm estas migalhas?",
        "show": "migalhas",
    }
    assert "pegadas" in after.clues


def test_what_cannot_be_asked_is_no_way() -> None:
    """A move that no question of the examples makes is refused, not left out."""
    locked = Move("chat", "cida.porta", "1")
    with pytest.raises(NoWay, match=r"cida\.porta"):
        MINI.guide.act(locked, begin(MINI.case))


def test_an_unreachable_ending_is_no_way() -> None:
    """There is no walkthrough where there is no way: without Lia nobody finds the hair."""
    people = {name: who for name, who in MINI.case.characters.items() if name != "lia"}
    guide = replace(MINI.guide, case=replace(MINI.case, characters=people))
    with pytest.raises(NoWay, match="'mini' has no way to ending 'best'"):
        guide.walkthrough()


# ── lines by reference ──────────────────────────────────────────────────────────────────────────

CIDA = CharacterId("cida")


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        ("topics/bolo/steps/0/says/0", "Deixei o bolo ali. Virei as costas, e sumiu."),
        ("topics/porta/steps/0/nudge/0", "Mostrem o que acharam no chão."),
        ("topics/porta/locked/0", "Porta é porta. Achem alguma coisa no chão primeiro."),
        ("topics/forno/recap/0", "Saiu às 9h10."),
        ("smalltalk/bye/0", "Até."),
        ("redirects/beto/0", "Isso é com o Beto."),
        ("deflections/3", "Aqui só tem panela."),
        ("unsure/1", "Explica melhor."),
        ("shown/0", "E o que é que eu faço com isso?"),
        ("counters/cp1", "E vocês, gostam de bolo quente ou frio?"),
    ],
)
def test_references(ref: str, text: str) -> None:
    """Each kind of reference leads to its line."""
    assert read(MINI.words, CIDA, ref).text == text


@pytest.mark.parametrize(
    "ref",
    ["", "topics", "topics/lua/recap/0", "deflections/99", "deflections/x", "name/0", "unsure"],
)
def test_a_dead_reference_is_named(ref: str) -> None:
    """A line that the texts do not have (any more) is an error that names it."""
    with pytest.raises(KeyError, match=f"cida has no line '{ref}'"):
        read(MINI.words, CIDA, ref)


def test_choosing_among_lines() -> None:
    """A fresh line of the first pool, then of the next; where all are worn, the oldest."""
    first, second = pool("a", "xy"), pool("b", "z")
    assert first == ["a/0", "a/1"]
    assert {choose([first, second], [], seed) for seed in range(4)} == {"a/0", "a/1"}
    assert choose([first, second], ["a/0"], 5) == "a/1"
    assert choose([first, second], ["a/0", "a/1"], 5) == "b/0"
    assert choose([first, second], ["a/1", "a/0", "b/0", "a/1"], 5) == "a/0"
    assert choose([[], second], [], 3) == "b/0"
