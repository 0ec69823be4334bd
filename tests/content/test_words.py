"""What a language model needs of a character beside its lines: a manner, and a way to carry on."""

import re
import shutil
from pathlib import Path

import pytest
from tests.domain.spoilers import Secrets
from tests.domain.world import PT, World, lama, mini, papel

from amazonia.content.load import load_case
from amazonia.domain.case import CharacterId
from amazonia.domain.language import fold
from amazonia.errors import BadCase

BASE = Path(__file__).parent / "bad" / "base"
ANA = CharacterId("ana")
ALL = pytest.mark.parametrize("world", [lama(), papel(), mini()], ids=["lama", "papel", "mini"])
LONGEST = 60


def bridges(world: World) -> list[str]:
    """Every sentence of a case that leads back into a line."""
    return [line for who in world.words.characters.values() for line in who.resume]


def tokens(text: str) -> set[str]:
    """The words of a text, without accents and capitals."""
    return set(re.findall(r"\w+", fold(text)))


def base_with(line: str, folder: Path) -> Path:
    """The smallest case, with one more line in its character's file."""
    case = folder / "base"
    shutil.copytree(BASE, case)
    with (case / "text.pt-BR" / "ana.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    return case


def test_everyone_can_carry_on() -> None:
    """The real cases have four ways for each character, the mini case one or two."""
    for world in (lama(), papel()):
        real = {name: len(who.resume) for name, who in world.words.characters.items()}
        assert real == dict.fromkeys(world.case.characters, 4)
    small = {name: len(who.resume) for name, who in mini().words.characters.items()}
    assert small == {"cida": 2, "beto": 1, "lia": 1}


@ALL
def test_a_bridge_fits_before_any_line(world: World) -> None:
    """It is short, ends where a sentence may begin, and holds no figure."""
    for line in bridges(world):
        assert len(line) <= LONGEST, line
        assert line.endswith((".", ":")), line
        assert line == " ".join(line.split())
        assert not re.search(r"\d", line), line


@ALL
def test_a_bridge_names_nobody(world: World) -> None:
    """No name or short name of a character stands in it."""
    people = world.words.characters.values()
    names = {word for who in people for word in tokens(f"{who.name} {who.short}") if len(word) > 2}
    assert [line for line in bridges(world) if tokens(line) & names] == []


@ALL
def test_no_two_characters_share_a_bridge(world: World) -> None:
    """Who carries on is heard: every sentence is one character's own."""
    assert len(set(bridges(world))) == len(bridges(world))


@ALL
def test_what_enters_every_prompt_holds_no_secret(world: World) -> None:
    """Sheet and bridges tell no word of the spoiler list, not even one that opens later."""
    secrets = Secrets(world.case, world.words)
    for who in world.words.characters.values():
        sheet = (who.name, who.short, who.role, who.subject, who.place, who.about, who.manner)
        for text in (*sheet, *who.resume):
            assert secrets.told(text) == {}, text


def test_a_character_need_not_have_a_bridge(tmp_path: Path) -> None:
    """A case from before the key is still valid, and so is an empty list."""
    assert load_case(BASE).words[PT].characters[ANA].resume == ()
    empty = load_case(base_with("resume: []", tmp_path))
    assert empty.words[PT].characters[ANA].resume == ()


def test_bridges_are_a_list(tmp_path: Path) -> None:
    """A list is read as it stands; a single text is refused where it stands."""
    case = base_with('resume: ["Como eu dizia:"]', tmp_path / "good")
    assert load_case(case).words[PT].characters[ANA].resume == ("Como eu dizia:",)
    with pytest.raises(BadCase) as caught:
        load_case(base_with("resume: Como eu dizia.", tmp_path / "bad"))
    (found,) = caught.value.findings
    lines = Path(found.file).read_text(encoding="utf-8").splitlines()
    assert (found.code, lines[found.line - 1]) == ("L05", "resume: Como eu dizia.")
