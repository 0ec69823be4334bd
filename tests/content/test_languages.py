"""The data of a language: it loads, it is normalised, and nothing in it shadows another thing."""

from collections import Counter

import pytest
import yaml
from tests.domain.world import lama, mini, papel

from amazonia.content.languages import FOLDER, language, languages
from amazonia.domain.language import fold

CODES = languages()
KINDS = "greeting who thanks insult praise bye unclear machine hint feelings".split()  # noqa: SIM905

each_language = pytest.mark.parametrize("code", CODES)


def raw(code: str) -> dict:
    """The file as it stands, every scalar as text."""
    text = (FOLDER / f"{code}.yaml").read_text(encoding="utf-8")
    data: dict = yaml.load(text, Loader=yaml.BaseLoader)
    return data


def twice(members: list[str]) -> list[str]:
    """What stands in a list more than once."""
    return sorted(member for member, times in Counter(members).items() if times > 1)


def test_portuguese_is_there() -> None:
    """Every language that a case is written in has its data."""
    assert "pt-BR" in CODES
    for world in (mini(), lama(), papel()):
        assert set(world.case.words) <= set(CODES)


@each_language
def test_a_language_loads(code: str) -> None:
    """The data loads under its own name, and every part of it holds something."""
    data = language(code)
    assert raw(code)["language"] == data.code == code
    assert data.slang
    assert data.stopwords
    assert data.questions
    assert data.concepts
    assert data.carriers
    assert data.followups
    assert len(data.offtopic) > 100


@each_language
def test_every_kind_of_small_talk(code: str) -> None:
    """The kinds of small talk that every character answers all have utterances."""
    assert sorted(language(code).smalltalk) == sorted(KINDS)
    assert all(len(lines) >= 5 for lines in language(code).smalltalk.values())


@each_language
@pytest.mark.parametrize("part", ["questions", "concepts", "smalltalk", "followups"])
def test_nothing_is_in_two_classes(code: str, part: str) -> None:
    """An expression in two classes would be found in one of them only."""
    members: dict[str, set[str]] = {}
    for name, group in raw(code)[part].items():
        for member in group:
            members.setdefault(fold(member), set()).add(name)
    assert {member: names for member, names in members.items() if len(names) > 1} == {}


@each_language
def test_no_small_talk_is_off_topic(code: str) -> None:
    """What is small talk is not an example of what has nothing to do with the case as well."""
    data = language(code)
    talk = {fold(line) for lines in data.smalltalk.values() for line in lines}
    assert talk & {fold(line) for line in data.offtopic} == set()


@each_language
def test_no_follow_up_is_small_talk(code: str) -> None:
    """What carries the talk on is not greeted, thanked or insulted for."""
    data = language(code)
    talk = {
        " ".join(fold(line).strip("?!. ").split()) for g in data.smalltalk.values() for line in g
    }
    assert talk & set(data.followups) == set()


@each_language
def test_slang_is_written_out_once(code: str) -> None:
    """Chat spelling leads to standard words, which stay what they are when read again."""
    data = language(code)
    for short, full in data.slang.items():
        assert short == fold(short)
        assert " ".join(data.slang.get(word, word) for word in full.split()) == full, short


@each_language
def test_words_are_folded(code: str) -> None:
    """Words that are looked up are in the form in which they are looked up."""
    data = language(code)
    words = (*data.slang, *data.stopwords, *data.questions, *data.concepts, *data.carriers)
    assert [word for word in words if word != fold(word) or not word.strip()] == []
    assert [line for line in data.followups if not line] == []


@each_language
def test_no_line_stands_twice(code: str) -> None:
    """Lists hold each utterance once."""
    data = raw(code)
    assert twice(data["offtopic"]) == []
    assert twice(data["stopwords"]) == []
    for lines in data["smalltalk"].values():
        assert twice(lines) == []
