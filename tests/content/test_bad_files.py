"""Every diagnostic: a small bad file is found by code, file, line and a message that helps.

Each folder of `bad` holds the files that replace those of `bad/base`. In them a comment says what
is found there: ``#! CODE [file:line] part of the message``; without a place, on its own line.
"""

import re
import shutil
from pathlib import Path
from time import process_time

import pytest

from amazonia.content.check import check_case
from amazonia.content.files import MAX_BYTES, read_sheet
from amazonia.content.library import Library
from amazonia.content.load import load_case
from amazonia.errors import BadCase, Finding, UnknownCase

BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.name for path in BAD.iterdir() if path.name != "base")
SOURCE = Path(__file__).parents[2] / "src" / "amazonia" / "content"
MARK = re.compile(r"#! (?P<code>[A-Z]\d\d) (?:(?P<file>[\w./-]+):(?P<line>\d+) )?(?P<part>.+)")


def lay_out(name: str, folder: Path) -> Path:
    """The base case with the files of a bad one in their places."""
    case = folder / "base"
    shutil.copytree(BAD / "base", case)
    shutil.copytree(BAD / name, case, dirs_exist_ok=True)
    return case


def expected(name: str) -> list[tuple[str, str, int, str]]:
    """What the comments say: code, file, line, part of the message."""
    found = []
    for path in sorted((BAD / name).rglob("*.yaml")):
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if mark := MARK.search(line.decode(errors="replace")):
                own = path.relative_to(BAD / name).as_posix()
                file = (mark["file"] or own).removeprefix("base/")
                found.append((mark["code"], file, int(mark["line"] or number), mark["part"]))
    return found


def findings(case: Path, cache: Path) -> list[Finding]:
    """What checking a case finds."""
    return check_case(Library(case.parent, cache), case.name)


def test_the_base_is_good(tmp_path: Path) -> None:
    """Without a bad file nothing is found but that a case of one topic hangs on it."""
    shutil.copytree(BAD / "base", tmp_path / "base")
    assert load_case(tmp_path / "base").id == "base"
    assert {f.code for f in findings(tmp_path / "base", tmp_path)} == {"P02"}


@pytest.mark.parametrize("name", NAMES)
def test_diagnostic(name: str, tmp_path: Path) -> None:
    """A bad file is found where it is bad, by its code, with what to write instead."""
    case = lay_out(name, tmp_path)
    found = [f for f in findings(case, tmp_path) if f.code != "P02"]
    wanted = expected(name)
    assert name[:3] in {code for code, *_ in wanted}
    assert sorted((f.code, str(Path(f.file).relative_to(case)), f.line) for f in found) == sorted(
        (code, file, line) for code, file, line, _ in wanted
    )
    for code, file, line, part in wanted:
        messages = [f.message for f in found if (f.code, f.line) == (code, line)]
        assert any(part in message for message in messages), (file, messages)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """F02: a file over the limit is not even parsed; the message names the limit."""
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadCase) as caught:
        read_sheet(path)
    (found,) = caught.value.findings
    assert (found.code, found.file, found.line) == ("F02", str(path), 1)
    assert found.message == "is 2,000,001 bytes; at most 2,000,000 are allowed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 200_000, "F06"),
        ("{a: " * 200_000, "F06"),
        ("- " * 200_000, "F06"),
        ("? " * 200_000, "F06"),
        ("[" + "[]," * 600_000 + "]", "F10"),
        ("{" + ",".join(f"k{i}: 1" for i in range(150_000)) + "}", "F10"),
        ("---\n" * 400_000, "F10"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "F05"),
    ],
)
def test_a_file_that_would_hold_the_parser_up(text: str, code: str, tmp_path: Path) -> None:
    """Brackets, documents, values and references without end are refused as they are read."""
    path = tmp_path / "bomb.yaml"
    path.write_text(text)
    began = process_time()
    with pytest.raises(BadCase) as caught:
        read_sheet(path)
    assert process_time() - began < 5
    (found,) = caught.value.findings
    assert (found.code, found.line >= 1) == (code, True)
    assert found.message != found.portuguese


def test_every_code_has_a_bad_file() -> None:
    """A diagnostic in the source without an example here fails this test.

    F02 and F10 have their tests here, F09 in test_svg.py: none fits into a folder of git.
    """
    text = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    codes = set(re.findall(r'"([FLPT]\d\d)"', text))
    broken = {path.name[:3] for path in (BAD.parent / "broken").glob("[A-Z]*")}
    tested = set(re.findall(r"L1[478]", (BAD.parent / "test_broken_cases.py").read_text()))
    assert codes - {"F02", "F09", "F10"} == {name[:3] for name in NAMES} | broken | tested
    assert codes >= {"F01", "L01", "L08", "T03"}


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """A case with several faults is refused with all of them."""
    case = lay_out("L04_best", tmp_path)
    path = case / "case.yaml"
    path.write_text(path.read_text().replace("id: base", "id: other"))
    with pytest.raises(BadCase) as caught:
        load_case(case)
    assert sorted(f.code for f in caught.value.findings) == ["L01", "L04"]
    assert str(caught.value).count("\n") == 1


def test_a_finding_reads_as_a_line() -> None:
    """A finding is printed as editors expect it: file, line, code, message."""
    assert str(Finding("L01", "case.yaml", 2, "is wrong")) == "case.yaml:2: L01 is wrong"


def test_an_unknown_case_names_the_others(tmp_path: Path) -> None:
    """A name that is no case's is refused with those that are, and so is a path."""
    shutil.copytree(BAD / "base", tmp_path / "base")
    library = Library(tmp_path, tmp_path)
    for name in ("bolo", "../base", "", "base/"):
        with pytest.raises(UnknownCase, match="there are: base"):
            library.case(name)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", {}),
        ("a: 12:00", {"a": "12:00"}),
        ("a: 0x1F", {"a": "0x1F"}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 1.0e+999", {"a": "1.0e+999"}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.5", {"a": 1.5}),
        ("a: 2024-05-14", {"a": "2024-05-14"}),
        ("a: [yes, off, null, ~]", {"a": [True, False, None, None]}),
        ("a: 'yes'", {"a": "yes"}),
        ("\ufeffa: b", {"a": "b"}),
        ("1: b", {"1": "b"}),
    ],
)
def test_plain_data(text: str, data: object, tmp_path: Path) -> None:
    """Scalars come as authors mean them: hours, dates and odd numbers stay text."""
    path = tmp_path / "plain.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_sheet(path).data == data


def test_lines_of_paths(tmp_path: Path) -> None:
    """Every path knows its line; an unknown one has that of its nearest parent."""
    path = tmp_path / "lines.yaml"
    path.write_text("a:\n  b:\n    - 1\n    - 2\n")
    sheet = read_sheet(path)
    places: list[tuple[str | int, ...]] = [("a",), ("a", "b"), ("a", "b", 1), ("a", "x", "y")]
    assert [sheet.line(place) for place in places] == [1, 2, 4, 1]
    assert sheet.line(("x",)) == 1
