"""`amazonia ask --batch`: one line in, one line out."""

import pytest
from tests.domain.world import mini

from amazonia.content.batch import Json, answer_line

CASE, LISTENER = mini().case, mini().listener


def ask(**line: object) -> Json:
    """The answer to a line."""
    return answer_line(CASE, LISTENER, {"id": "q1", "character": "cida", **line})


def test_a_question_about_a_topic() -> None:
    """The answer has the line's id, a decision, up to three topics and the clue at stake."""
    answer = ask(message="o que aconteceu com o bolo?")
    topics = answer.pop("topics")
    assert answer == {"id": "q1", "decision": "answer", "clue": "migalhas"}
    assert topics[0] == "bolo"
    assert len(set(topics)) == 3


def test_gates_are_taken_as_open() -> None:
    """A topic that is closed at the start, of a character who is, is answered."""
    assert ask(message="quem passou pela porta?")["clue"] == "pegadas"
    lia = answer_line(CASE, LISTENER, {"id": 7, "character": "lia", "message": "viu um bicho?"})
    assert (lia["id"], lia["topics"], lia["clue"]) == (7, ["gato"], "pelos")


@pytest.mark.parametrize("message", ["qual a capital da França?", "bom dia", ""])
def test_no_topic_no_clue(message: str) -> None:
    """Out of scope and small talk award nothing, whichever topics come nearest."""
    answer = ask(message=message)
    assert answer["decision"] in ("out", "smalltalk")
    assert answer["clue"] is None


def test_a_topic_without_a_clue() -> None:
    """A topic that awards nothing has no clue."""
    line = {"id": "q", "character": "beto", "message": "quem comeu o bolo da cida?"}
    assert answer_line(CASE, LISTENER, line)["clue"] is None


@pytest.mark.parametrize("topic", ["forno", "cida.forno"])
def test_a_follow_up(topic: str) -> None:
    """What came before is given as `previous`, its topic with or without the character."""
    answer = ask(message="e por quê?", previous={"message": "que horas?", "topic": topic})
    assert (answer["decision"], answer["topics"]) == ("answer", ["forno"])
    assert ask(message="e por quê?", previous=None)["decision"] == "out"


def test_faults_say_what_there_is() -> None:
    """A character or a topic that the case does not have is refused with those that it has."""
    with pytest.raises(ValueError, match="'ana' is not in the case; there are: cida, beto, lia"):
        ask(message="oi", character="ana")
    with pytest.raises(ValueError, match="'lua' is not one of: bolo, forno, porta"):
        ask(message="oi", previous={"topic": "lua"})
    with pytest.raises(KeyError, match="message"):
        ask()
