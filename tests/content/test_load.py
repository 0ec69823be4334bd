"""A good case: every part of its files arrives where it belongs."""

import shutil
from pathlib import Path

import pytest
from tests.domain.world import MINI, PT, World, lama, mini, papel
from tests.learned import SharedLibrary

from amazonia.content.check import check_case
from amazonia.content.files import case_names
from amazonia.content.library import bundled_cases
from amazonia.content.load import load_case
from amazonia.domain.case import ChallengeId, CharacterId, ClueId, RiddleId, TopicId
from amazonia.domain.gates import OPEN, parse
from amazonia.errors import UnknownCase

CASE = mini().case


def test_the_frame() -> None:
    """Hours, lesson, acts and the first clues."""
    assert (CASE.id, CASE.minutes, CASE.clock) == ("mini", 20, (540, 660))
    assert CASE.start == ("bilhete",)
    assert CASE.acts == (("w0", OPEN), ("w1", parse("r_relogio")))
    assert list(CASE.words) == [PT]


def test_a_character() -> None:
    """A character with place, topics, steps and what clues lead to."""
    cida = CASE.characters[CharacterId("cida")]
    assert (cida.place, cida.when) == ("cozinha", OPEN)
    assert dict(cida.emotions) == {"calma": "calm", "brava": "hard"}
    assert dict(cida.shows) == {"migalhas": "porta", "hora_forno": "forno"}
    porta = cida.topics[TopicId("porta")]
    assert (porta.key, porta.clues) == ("cida.porta", ("pegadas",))
    assert CASE.topic("cida.porta") is porta


def test_evidence_is_laid_on_the_character_s_own_table() -> None:
    """`mostra:` inside a character means this character."""
    porta = CASE.topic("cida.porta")
    assert porta.steps[0].when == parse("mostra:cida:migalhas")


def test_what_is_collected_and_solved() -> None:
    """Clues, a riddle, a challenge, a round."""
    assert CASE.clues[ClueId("assobio")].falls == parse("r_relogio")
    assert CASE.clues[ClueId("pelos")].falls is None
    assert CASE.riddles[RiddleId("r_relogio")].answer == ("recreio",)
    assert CASE.challenges[ChallengeId("D1")].answer == "vapor"
    (scene,) = CASE.confrontations.values()
    assert [(r.id, r.right) for r in scene.rounds["gato"].reasons] == [
        ("pelo", True),
        ("fome", False),
    ]
    assert CASE.guarded_clues == {"migalhas", "hora_forno", "pelos"}


def test_words_come_from_one_file_or_from_parts() -> None:
    """A file of the text folder is a part of the words or a character."""
    assert CASE.words[PT].challenges[ChallengeId("D1")].signed == "Cida"
    assert CASE.words[PT].characters[CharacterId("beto")].name == "Roberto Lima"
    assert CASE.words[PT].title == "O Bolo da Cida"


def test_cases_are_found_by_name(tmp_path: Path) -> None:
    """A folder with a `case.yaml` is a case; anything else in the folder is none."""
    shutil.copytree(MINI / "mini", tmp_path / "mini")
    (tmp_path / "notes").mkdir()
    assert case_names(tmp_path) == ["mini"]
    with pytest.raises(UnknownCase, match="no case 'notes'; there are: mini"):
        load_case(tmp_path / "notes")


def test_the_bundled_cases_are_found() -> None:
    """The real cases ship with the package."""
    assert case_names(bundled_cases()) == ["bezerro_de_papel", "lama_sem_ouro"]


@pytest.mark.parametrize("world", [lama(), papel()], ids=["lama", "papel"])
def test_every_fact_has_its_source(world: World) -> None:
    """What a real case teaches says where it was read, and every document is drawn or typed."""
    facts = {fact for topic in world.case.topics() for fact in topic.facts}
    facts |= {fact for riddle in world.case.riddles.values() for fact in riddle.facts}
    assert facts <= set(world.case.sources)
    assert all(source.source and source.statement for source in world.case.sources.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", case_names(bundled_cases()))
def test_the_real_cases_are_clean(name: str) -> None:
    """Every proof about a real case holds, with every ending really played."""
    assert check_case(SharedLibrary(bundled_cases()), name) == []


def test_check_names_what_a_case_hangs_on() -> None:
    """The mini case has one way only: each of its topics and people is named."""
    found = check_case(SharedLibrary(MINI), "mini")
    needed = {f.message.partition(" there is no way")[0] for f in found if f.code == "P02"}
    assert needed == {
        "without topic cida.bolo",
        "without topic cida.forno",
        "without topic lia.gato",
        "without talking to cida",
        "without talking to lia",
    }
    assert {f.code for f in found} <= {"L12", "P01", "P02", "P07", "P09", "P10"}
