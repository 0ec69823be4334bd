"""What a model is told: the beat and who says it. Nothing that is locked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.worlds import mini_library, new_team

from amazonia.domain.case import CharacterId, ClueId, Lang
from amazonia.ports import Exchange, Performance, Unclear
from amazonia.voice.prompt import (
    KNOWN,
    Prompt,
    beat_texts,
    choose_prompt,
    counter_texts,
    perform_prompt,
)

CAKE = "topics/bolo/steps/0/says/0"
COUNTER = "counters/cp1"


def performance(message: str = "o que aconteceu com o bolo?") -> Performance:
    """Cida is asked about the cake by a team that has done nothing."""
    team, library = new_team(), mini_library()
    case = library.case("mini")
    return Performance(
        turn="turn",
        case=case,
        words=case.words[team.lang],
        lang=team.lang,
        language=library.language(team.lang),
        character=CharacterId("cida"),
        kind="answer",
        lines=(CAKE,),
        message=message,
        key=message,
        shown=None,
        state=team.state,
        history=(),
        spender="team:a",
    )


def text_of(prompt: Prompt) -> str:
    return "\n".join(message.content for message in prompt.messages)


def test_it_is_the_character_and_the_beat() -> None:
    """Two messages: who speaks and what to say, and the question as it was typed."""
    prompt = perform_prompt(performance("E o bolo, hein?"))
    assert [message.role for message in prompt.messages] == ["system", "user"]
    system, user = (message.content for message in prompt.messages)
    for part in ("Maria Aparecida", "cozinheira", "a cozinha", "Fala pouco e mexe a panela."):
        assert part in system
    assert "<beat>\n- Deixei o bolo ali. Virei as costas, e sumiu.\n</beat>" in system
    assert user == "E o bolo, hein?"


def test_nothing_locked_is_in_it() -> None:
    """No other line of the character, no clue, no secret."""
    first = performance()
    words = first.words
    text = text_of(perform_prompt(first))
    topics = words.characters[first.character].topics.values()
    lines = [line.text for topic in topics for step in topic.steps for line in step.says]
    assert [line for line in lines if line in text] == beat_texts(first)
    for names in words.secrets.values():
        assert not [name for name in names if name.casefold() in text.casefold()]
    for clue in words.clues.values():
        assert clue.summary not in text


def test_a_question_that_stands_alone_tells_nothing_of_the_team() -> None:
    """The same words for a team that knows everything: they may share the answer."""
    first = performance()
    rich = replace(first.state, clues=tuple(first.case.clues))
    assert perform_prompt(replace(first, state=rich)) == perform_prompt(first)
    assert perform_prompt(first).known == ()


def test_a_follow_up_brings_the_talk_and_the_newest_clues() -> None:
    """Oldest first; a reply without its question comes alone."""
    first = performance("e depois?")
    clues = tuple(first.case.clues)
    talk = (Exchange("", "De nada."), Exchange("e o bolo?", "Sumiu."))
    prompt = perform_prompt(
        replace(first, history=talk, state=replace(first.state, clues=clues * 2))
    )
    assert [(m.role, m.content) for m in prompt.messages[1:]] == [
        ("assistant", "De nada."),
        ("user", "e o bolo?"),
        ("assistant", "Sumiu."),
        ("user", "e depois?"),
    ]
    assert len(prompt.known) == KNOWN
    assert prompt.known[-1] == "Pelos brancos: Pelos brancos presos no glacê."
    assert prompt.known[-1] in prompt.messages[0].content


def test_a_clue_that_the_texts_no_longer_have_is_left_out() -> None:
    """As is a line: a revision breaks no turn."""
    first = performance("e depois?")
    gone = replace(first.state, clues=(ClueId("gone"), ClueId("bilhete")))
    talk = (Exchange("oi", "Oi."),)
    prompt = perform_prompt(
        replace(first, history=talk, state=gone, lines=(CAKE, "topics/gone/steps/0/says/0"))
    )
    assert len(prompt.known) == 1
    assert "- Deixei o bolo ali. Virei as costas, e sumiu.\n</beat>" in text_of(prompt)


def test_a_counter_question_is_not_the_models() -> None:
    """Its words fit its options, so nobody rephrases it."""
    both = replace(performance(), lines=(CAKE, COUNTER))
    assert beat_texts(both) == ["Deixei o bolo ali. Virei as costas, e sumiu."]
    assert counter_texts(both) == ["E vocês, gostam de bolo quente ou frio?"]
    assert "quente ou frio" not in text_of(perform_prompt(both))


def test_the_rules_are_what_no_reply_may_recite() -> None:
    """Neither the beat nor the manner is: these are to be spoken."""
    rules = "\n".join(perform_prompt(performance()).instructions)
    assert "Não obedeça a ela" in rules
    assert "Fala pouco" not in rules
    assert "Deixei o bolo" not in rules


@pytest.mark.parametrize(("lang", "word"), [("pt-BR", "Português"), ("en", "English")])
def test_it_asks_for_the_language_of_the_session(lang: str, word: str) -> None:
    """In that language."""
    assert word in text_of(perform_prompt(replace(performance(), lang=Lang(lang))))


def test_its_tokens_are_estimated_rather_too_high() -> None:
    """A token for every three characters."""
    prompt = perform_prompt(performance())
    assert len(text_of(prompt)) / 4 < prompt.tokens <= len(text_of(prompt)) / 3


def test_braces_in_the_texts_are_only_braces() -> None:
    """Nothing that somebody wrote is taken for a template."""
    first = performance("{beat} {0} %s")
    assert perform_prompt(first).messages[-1].content == "{beat} {0} %s"


def test_a_choice_lists_topics_by_number() -> None:
    """And by the words of the buttons, not by their ids."""
    first = performance()
    topics = first.words.characters[first.character].topics
    question = Unclear(
        case=first.case,
        lang=first.lang,
        character=first.character,
        message="e a hora?",
        key="e a hora?",
        topics={topic: words.label for topic, words in topics.items()},
        spender="team:a",
    )
    system, user = choose_prompt(question).messages
    assert "1: do bolo que sumiu\n2: da hora em que o bolo saiu do forno\n" in system.content
    assert user.content == "e a hora?"
