"""Authored lines, and how a text is cut into sentences."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import mini_library, new_team

from amazonia.domain.case import CharacterId
from amazonia.voice.scripted import Splitter, authored, is_whole, sentences

CIDA = CharacterId("cida")
BITS = [
    *("Olha", "o bolo", "Dra.", "Sr.", "A.", "9h10", "nº 5", "R$ 3.500,00", "etc.", "e", "É"),
    *(".", "!", "?", "…", "...", "?!", "«", "»", "“", "”", "(", ")", '"', "'", "–", "—", "-", ","),
    *(" ", "  ", "\n", "\n\n", "\t", "\u00a0", "\u2003"),
]
TEXTS = st.lists(st.sampled_from(BITS), max_size=40).map("".join)


def split(pieces: list[str]) -> list[str]:
    """What a splitter gives of pieces, the rest included."""
    splitter = Splitter()
    whole = [sentence for piece in pieces for sentence in splitter.feed(piece)]
    return [*whole, rest] if (rest := splitter.rest()) else whole


@given(TEXTS, st.data())
def test_a_splitter_gives_the_sentences_however_the_text_arrives(
    text: str, data: st.DataObject
) -> None:
    """Any cuts, in the middle of an abbreviation or a quotation too, make no difference."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(pieces) == list(sentences(text))


@given(TEXTS)
def test_character_by_character_too(text: str) -> None:
    """The finest cut there is."""
    assert split(list(text)) == list(sentences(text))


@given(TEXTS)
def test_sentences_are_the_text(text: str) -> None:
    """Joined by spaces they are the text again, its white space aside; none is empty."""
    cut = list(sentences(text))
    assert " ".join(cut) == " ".join(text.split())
    assert all(cut)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Olá. Entra.", ["Olá.", "Entra."]),
        ("Falei com a Dra. Graça. Ela sabe.", ["Falei com a Dra. Graça.", "Ela sabe."]),
        ("Custou R$ 3.500,00 em maio.", ["Custou R$ 3.500,00 em maio."]),
        ("Ele disse «Não. Nunca.» Saiu.", ["Ele disse «Não. Nunca.»", "Saiu."]),
        ("Será?! – Será.", ["Será?!", "– Será."]),
        ("Pois é... e foi assim.", ["Pois é... e foi assim."]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    """Neither at abbreviations nor at numbers nor inside a quotation."""
    assert list(sentences(text)) == expected


def test_a_sentence_waits_for_the_next_to_begin() -> None:
    """A full stop at the end of what arrived may yet be an abbreviation's."""
    splitter = Splitter()
    assert list(splitter.feed("Deixei o bolo ali.")) == []
    assert list(splitter.feed(" ")) == []
    assert list(splitter.feed("Vi")) == ["Deixei o bolo ali."]
    assert splitter.rest() == "Vi"


@pytest.mark.parametrize("whole", ["Sumiu.", "Sumiu?!", "Sumiu…", "«Sumiu.»", "(Sumiu!)"])
def test_a_whole_sentence_has_an_end(whole: str) -> None:
    """Quotes and brackets may follow the full stop."""
    assert is_whole(whole)


@pytest.mark.parametrize("broken", ["", "Sumi", "Sumiu,", "Sumiu. E", "«Sumiu»"])
def test_a_broken_one_has_none(broken: str) -> None:
    """Whatever was cut off in the middle."""
    assert not is_whole(broken)


def test_a_line_that_is_gone_is_left_out() -> None:
    """The rest is said, or that one does not know: a revision of the texts breaks no turn."""
    words = mini_library().case("mini").words[new_team().lang]
    lines = ("deflections/0", "deflections/99", "topics/nada/steps/0/says/0", "repeat/0")
    assert authored(words, CIDA, lines) == "Disso eu não sei. Já disse isso."
    assert authored(words, CIDA, ("nonsense",)) == "Disso eu não sei."


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


def test_a_text_that_never_begins_another_sentence_costs_little() -> None:
    """A provider that writes no capitals must not hold up the loop: a thousand characters."""
    text, splitter = "bolo. " * 170, Splitter()
    began = time.process_time()
    for at in range(0, len(text), 4):
        assert list(splitter.feed(text[at : at + 4])) == []
    assert time.process_time() - began < 0.2
