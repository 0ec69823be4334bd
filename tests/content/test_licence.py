"""The content's licence: in case.yaml, beside each case, in what players read."""

from pathlib import Path

import pytest

from amazonia.content.files import case_names
from amazonia.content.library import bundled_cases
from amazonia.content.load import load_case
from amazonia.content.new import TEMPLATE, new_case

ROOT = Path(__file__).parents[2]
CODE = "creativecommons.org/licenses/by-sa/4.0"


@pytest.mark.parametrize("name", case_names(bundled_cases()))
def test_each_case_says_its_licence(name: str) -> None:
    """Every bundled case names CC BY-SA 4.0, and its folder has the notice with the address."""
    folder = bundled_cases() / name
    assert load_case(folder).licence == "CC-BY-SA-4.0"
    assert CODE in (folder / "LICENSE").read_text(encoding="utf-8")


def test_a_new_case_says_it_too(tmp_path: Path) -> None:
    """What `new-case` writes comes with the notice."""
    case = new_case(tmp_path, "filo")
    assert (case / "LICENSE").read_bytes() == (TEMPLATE / "LICENSE").read_bytes()
    assert load_case(case).licence == "CC-BY-SA-4.0"


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md"])
def test_the_front_pages_say_it(page: str) -> None:
    """Code and content have different licences, and the front pages tell which is which."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in text
    assert "MIT" in text
