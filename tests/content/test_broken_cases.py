"""Every rule and proof: the case that `amazonia new-case` writes, broken in one place.

Each file of `broken` edits it (`edit`: file → pairs of what stands there and what comes instead)
and says what is then found: code, file and a piece of the line (`#2`: the second such line), parts
of both messages, the moves that show it. Nothing else may be found.
"""

import gzip
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from amazonia.content.check import check_case
from amazonia.content.library import Library
from amazonia.content.lint import lint, read_draft
from amazonia.content.lint.translations import note_translation
from amazonia.content.load import load_case
from amazonia.content.new import new_case
from amazonia.errors import Finding

BROKEN = Path(__file__).parent / "broken"
NAMES = sorted(path.stem for path in BROKEN.glob("[A-Z]*.yaml"))


def described(name: str) -> dict[str, Any]:
    """A file of the folder."""
    data: dict[str, Any] = yaml.safe_load((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))
    return data


def fresh(folder: Path) -> Path:
    """A new case, in Portuguese only."""
    case = new_case(folder, "filo")
    path = case / "case.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"languages: \[.*\]", "languages: [pt-BR]", text), encoding="utf-8")
    return case


def edit(case: Path, edits: dict[str, list[list[str]]]) -> None:
    """Change the files of a case; each text must be there."""
    for file, pairs in edits.items():
        path = case / file
        path.parent.mkdir(exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for old, new in pairs:
            assert old in text, (file, old)
            before, _, after = text.partition(old) if old else ("", "", "")
            indent = re.sub(r"\S.*", "", old.split("\n")[0])
            text = before + indent * new.startswith("__") + new.removeprefix("__").rstrip("\n")
            text += after
        path.write_text(text, encoding="utf-8")


def place(case: Path, at: str) -> tuple[str, int]:
    """File and line of «file: piece of a line#2»."""
    file, _, piece = at.partition(": ")
    piece, _, times = piece.partition("#")
    lines = (case / file).read_text(encoding="utf-8").splitlines()
    found = [n for n, line in enumerate(lines, 1) if piece in line]
    return file, found[int(times or 1) - 1]


def findings(case: Path, learned: Path) -> list[Finding]:
    """What checking a case finds."""
    return check_case(Library(case.parent, learned), case.name)


def test_a_new_case_has_nothing_to_mend(tmp_path: Path) -> None:
    """What `new-case` writes is proven at once, in every language that it is written in."""
    assert findings(new_case(tmp_path, "filo"), tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_found(name: str, tmp_path: Path) -> None:
    """A broken case is found where it is broken, with its code and no other."""
    case, broken = fresh(tmp_path), described(name)
    for part in (*([described(broken["after"])] if "after" in broken else []), broken):
        edit(case, part["edit"])
    found = findings(case, tmp_path)
    wanted = broken["finds"]
    assert name[:3] in {one["code"] for one in wanted}
    where = [(f.code, Path(f.file).relative_to(case).as_posix(), f.line) for f in found]
    assert sorted(where) == sorted((w["code"], *place(case, w["at"])) for w in wanted)
    for want in wanted:
        at = (want["code"], *place(case, want["at"]))
        one = found[where.index(at)]
        assert want["en"] in one.text("en")
        assert want["pt"] in one.text("pt-BR")
        assert one.steps == tuple(want.get("steps", ()))


def test_a_stale_translation(tmp_path: Path) -> None:
    """L14: a text that changed since it was translated is named until it is translated again."""
    case = fresh(tmp_path)
    source = Path(new_case.__code__.co_filename).parent / "template"
    for file in (source / "text.en.yaml", *(source / "text.en").iterdir()):
        target = case / file.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    edit(case, {"case.yaml": [["languages: [pt-BR]", "languages: [pt-BR, en]"]]})
    draft = read_draft(load_case(case), case)
    note_translation(draft, "en")
    assert list(lint(draft)) == []
    edit(case, {"text.pt-BR/rosa.yaml": [["Dei a couve dela às nove.", "Dei alface às nove."]]})
    (stale,) = lint(read_draft(load_case(case), case))
    at = place(case, "text.en/rosa.yaml:   filo:")
    assert (stale.code, Path(stale.file).relative_to(case).as_posix(), stale.line) == ("L14", *at)
    assert "'characters.rosa.topics.filo' changed in pt-BR" in stale.text("en")
    edit(case, {"text.en/rosa.yaml": [["I gave her the kale at nine.", "I gave her lettuce."]]})
    assert list(lint(read_draft(load_case(case), case))) == []


def test_a_translation_of_another_length(tmp_path: Path) -> None:
    """L14: the opening has as many lines in each language."""
    case = new_case(tmp_path, "filo")
    source = Path(new_case.__code__.co_filename).parent / "template"
    for file in (source / "text.en.yaml", *(source / "text.en").iterdir()):
        target = case / file.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    path = case / "case.yaml"
    text = re.sub(r"languages: \[.*\]", "languages: [pt-BR, en]", path.read_text())
    path.write_text(text)
    edit(case, {"text.en.yaml": [["  - The school radio goes on air at ten.\n", ""]]})
    (found,) = lint(read_draft(load_case(case), case))
    assert (found.code, found.line) == ("L14", place(case, "text.en.yaml: opening:")[1])


def test_a_drawing_over_budget(tmp_path: Path) -> None:
    """L17: a drawing that a school's network would feel is named, and so are all together."""
    case = fresh(tmp_path)
    (case / "art").mkdir()
    noise = os.urandom(40_000).hex()
    assert len(gzip.compress(noise.encode())) < 60 * 1024
    for number in range(5):
        label = (
            f'<svg xmlns="http://www.w3.org/2000/svg" aria-label="x"><!--{noise}{number}--></svg>'
        )
        (case / "art" / f"portrait-{number}.svg").write_text(label)
    (whole,) = findings(case, tmp_path)
    assert (whole.code, Path(whole.file)) == ("L17", case / "art")
    (case / "art" / "map.png").write_bytes(os.urandom(61 * 1024))
    one, _ = findings(case, tmp_path)
    assert one.file.endswith("map.png")
    assert "at most 60 KB" in one.text("en")
    assert "no máximo 60 KB" in one.text("pt-BR")


def test_a_language_without_data(tmp_path: Path) -> None:
    """L18: a case in a language that nobody taught the game says so at once."""
    case = fresh(tmp_path)
    (case / "text.qu.yaml").write_bytes((case / "text.pt-BR.yaml").read_bytes())
    (case / "text.qu").mkdir()
    for file in (case / "text.pt-BR").iterdir():
        (case / "text.qu" / file.name).write_bytes(file.read_bytes())
    edit(case, {"case.yaml": [["languages: [pt-BR]", "languages: [pt-BR, qu]"]]})
    (found,) = findings(case, tmp_path)
    assert found.code == "L18"
    assert "content/languages/qu.yaml" in found.text("en")
