"""Words and their numbers in flat arrays."""

import pickle
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazonia.domain.table import Table


@given(st.lists(st.text(max_size=6), unique=True, max_size=60), st.text(max_size=6))
def test_a_table_is_a_mapping(words: list[str], other: str) -> None:
    """It finds what a dictionary finds, and nothing else."""
    expected = {word: number for number, word in enumerate(words)}
    table = Table.of(words)
    assert dict(table) == expected
    assert table == expected
    assert list(table) == words
    assert pickle.loads(pickle.dumps(table)) == expected
    assert table.get(other) == expected.get(other)
    assert (other in table) == (other in expected)
    assert table.get(other, -1) == expected.get(other, -1)


def test_what_is_not_there_is_an_error() -> None:
    """As of any mapping, any sequence."""
    table = Table.of(["peixe", "água"])
    assert table["água"] == 1
    assert table.word(1) == "água"
    with pytest.raises(KeyError, match="rio"):
        table["rio"]
    with pytest.raises(IndexError):
        table.word(2)
    assert Table.of([]).get("") is None


def test_many_words_find_their_places() -> None:
    """Words whose hashes fall on one place do not hide each other."""
    words = [a + b + c for a in ascii_lowercase for b in ascii_lowercase for c in ascii_lowercase]
    table = Table.of(words)
    assert all(table[word] == number for number, word in enumerate(words))
    assert len(table.slots) >= 2 * len(words)
