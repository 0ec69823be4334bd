"""Understanding a question, with the ear of the mini case."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.world import lama, mini

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.language import REMEMBERED, fold, stem
from amazonia.domain.understanding import Reading

MINI = mini()
READER = MINI.listener.reader


def hear(message: str, who: str = "cida", previous: str | None = None) -> Reading:
    """What a question to a character of the mini case means."""
    topic = TopicId(previous) if previous else None
    return MINI.listener.listen(CharacterId(who), message, topic)


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("o que aconteceu com o bolo?", "bolo"),
        ("a que horas o bolo saiu do forno?", "forno"),
        ("quem passou pela porta?", "porta"),
        ("PORTA", "porta"),
        ("A   porta... estava ABERTA ???", "porta"),
    ],
)
def test_a_clear_question(message: str, topic: str) -> None:
    """A question about a topic is answered with it."""
    reading = hear(message)
    assert reading.decision == "answer"
    assert reading.topics[0] == topic
    assert reading.scores[0] == max(reading.scores)


@pytest.mark.parametrize("message", ["o que acontceu com o boolo", "o que aconteceu com o bollo"])
def test_typos(message: str) -> None:
    """A letter left out or doubled does not hide what is meant."""
    assert hear(message).topics[0] == "bolo"
    assert hear(message).decision == "answer"


@pytest.mark.parametrize("message", ["kd o bolo da festaaa", "vcs viram o bolo sumir?"])
def test_slang(message: str) -> None:
    """Chat spelling and stretched letters are read as what they stand for."""
    assert (hear(message).decision, hear(message).topics[0]) == ("answer", "bolo")


@pytest.mark.parametrize("message", ["zxqv wkrtp", "", "   ", "?!?", "🙂🙂", "字", "____"])
def test_unknown_words_are_out(message: str) -> None:
    """Where no word is known nothing is guessed."""
    reading = hear(message)
    assert reading.decision == "out"
    assert not reading.double


@pytest.mark.parametrize("message", ["qual a capital da França?", "quem ganhou o jogo ontem?"])
def test_out_of_scope(message: str) -> None:
    """What has nothing to do with the case finds no topic."""
    assert hear(message).decision == "out"


def test_who_would_know() -> None:
    """A question for somebody else is out, and names them."""
    assert hear("o que você ouviu de manhã?").redirect == "beto"
    assert hear("quem passou pela porta?", who="lia").redirect == "cida"
    assert hear("quem passou pela porta?").redirect is None


def test_an_aside_is_out_and_named() -> None:
    """What is no topic but has an answer is out of scope, for the character who has it."""
    asked = "a senhora me ensina a receita?"
    assert (hear(asked).decision, hear(asked).aside) == ("out", "receita")
    assert hear(asked, who="beto").aside == ""


@pytest.mark.parametrize("message", ["e por quê?", "pq", "conta mais", "e depois?", "quando?"])
def test_a_follow_up_goes_on_with_the_topic(message: str) -> None:
    """«E por quê?» means what was spoken about last, whichever that was."""
    for previous in ("bolo", "forno"):
        reading = hear(message, previous=previous)
        assert (reading.decision, reading.topics) == ("answer", (previous,))


def test_a_follow_up_to_nothing_is_out() -> None:
    """Without anything said before there is nothing to go on with."""
    assert hear("e por quê?").decision == "out"


def test_a_new_topic_breaks_off_the_last() -> None:
    """A clear question is not drawn to what was spoken about last."""
    assert hear("a porta da cozinha tava aberta?", previous="forno").topics[0] == "porta"


def test_two_clauses_two_topics() -> None:
    """Two sentences about two topics are answered both, in their order."""
    reading = hear("A que horas saiu do forno? E quem passou pela porta?")
    assert reading.double
    assert reading.topics[:2] == ("forno", "porta")
    other = hear("como foi a sua manhã? você viu o bolo?", who="beto")
    assert other.double
    assert set(other.topics[:2]) == {"manha", "bolo"}


def test_one_topic_in_two_clauses_is_one() -> None:
    """The same thing asked twice is one question."""
    assert not hear("O que aconteceu com o bolo? Cadê o bolo da festa?").double


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("bom dia", "greeting"),
        ("quem é você?", "who"),
        ("muito obrigado", "thanks"),
        ("tchau", "bye"),
        ("você é um robô?", "machine"),
        ("me dá uma dica", "hint"),
    ],
)
def test_small_talk(message: str, kind: str) -> None:
    """Small talk is told apart by its kind."""
    reading = hear(message)
    assert (reading.decision, reading.smalltalk) == ("smalltalk", kind)


def test_the_reasons_are_given() -> None:
    """What spoke for the first topic is named, strongest first."""
    why = hear("o que aconteceu com o bolo?").why
    assert why[0][0] == "w:bol"
    assert [weight for _, weight in why] == sorted((w for _, w in why), reverse=True)


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(["cida", "beto", "lia"]))
def test_any_text_has_a_reading(message: str, who: str) -> None:
    """Whatever is typed, a reading comes back whose topics are the character's own."""
    reading = hear(message, who)
    assert set(reading.topics) <= set(MINI.who(who).topics)
    assert len(reading.topics) <= 3
    assert reading == hear(message, who)


def test_every_suggestion_finds_its_topic() -> None:
    """In the real case what the page suggests is understood as it is meant."""
    missed = [
        topic.key
        for topic in lama().case.topics()
        for text in [lama().words.characters[topic.character].topics[topic.id]]
        if lama().listener.listen(topic.character, text.suggestion).topics[:1] != (topic.id,)
    ]
    assert missed == []


# ── reading words ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Péééixe!", "peixe!"), ("AÇÃO", "acao"), ("kkkkk", "k"), ("carro", "carro"), ("", "")],
)
def test_folding(text: str, folded: str) -> None:
    """Capitals, accents and letters stretched to three or more are levelled."""
    assert fold(text) == folded


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded text is folded."""
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="abcdeioãçé", min_size=1, max_size=12).map(fold))
def test_a_stem_is_the_beginning_of_its_word(word: str) -> None:
    """A stem only loses an ending, and keeps three letters."""
    assert word.startswith(stem(word))
    assert len(stem(word)) >= min(3, len(word))


@pytest.mark.parametrize(
    ("one", "other"), [("peixe", "peixes"), ("morreu", "morreram"), ("bolo", "bolos")]
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    """Plural and tense do not make another word."""
    assert stem(one) == stem(other)


def test_numbers_stay_whole() -> None:
    """Hours, dates and decimals are single words."""
    assert READER.words("às 9h10, 0,62 e 9/3/2023") == ["as", "9h10", "0,62", "e", "9/3/2023"]


def test_only_long_words_are_mended() -> None:
    """A short word is too easily another one; a known word is right as it stands."""
    assert READER.words("migahas") == ["migalhas"]
    assert READER.words("boto") == ["boto"]


def test_the_memory_of_typos_is_bounded() -> None:
    """A flood of made-up words does not fill the memory."""
    for number in range(3 * REMEMBERED):
        READER.words(f"x{''.join(chr(97 + int(d)) for d in str(number))}y")
    assert len(READER._mended) <= REMEMBERED
