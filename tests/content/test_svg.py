"""What a drawing may hold, and that a case's files stay in its folder."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazonia.content.load import load_case
from amazonia.content.svg import MAX_BYTES, faults
from amazonia.errors import BadCase

ROOT = Path(__file__).parents[2]
DRAWINGS = sorted([*ROOT.glob("cases/*/art/*.svg"), *ROOT.glob("tests/cases/*/art/*.svg")])


def drawing(inside: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>\n{inside}\n</svg>'.encode()


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.name)
def test_our_drawings_are_allowed(path: Path) -> None:
    """Nothing in the drawings of the cases here is refused."""
    assert list(faults(path.read_bytes())) == []


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<script href="https://evil.example/x.js"/>',
        '<a href="https://evil.example"><text>clique</text></a>',
        '<image href="https://evil.example/see.png"/>',
        '<image href="file:///etc/passwd"/>',
        '<use href="https://evil.example/x.svg#a"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="//evil.example/x#a"/>',
        '<use href="data:image/svg+xml;base64,AAAA#a"/>',
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">oi</p></foreignObject>',
        '<p xmlns="http://www.w3.org/1999/xhtml">oi</p>',
        '<iframe src="/"/>',
        "<style>@import url(https://evil.example/x.css);</style>",
        '<rect style="fill:url(https://evil.example/x)"/>',
        '<rect fill="url(https://evil.example/x#a)"/>',
        '<rect fill="URL( //evil.example/x )"/>',
        '<rect fill="url(&#106;avascript:alert(1))"/>',
        '<rect onload="alert(1)"/>',
        '<rect ONCLICK="alert(1)"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onmouseover" to="alert(1)"/>',
        '<use href="javascript:alert(1)"/>',
        '<use href="&#x6A;avascript:alert(1)"/>',
        "<svg><script/></svg>",
        "<?xml-stylesheet href='https://evil.example/x.xsl'?>",
        "<g>" * 40 + "</g>" * 40,
        "<g>",
    ],
)
def test_what_runs_or_loads_is_refused(inside: str) -> None:
    """The fault stands on the second line, where it was put."""
    found = list(faults(drawing(inside)))
    assert found
    assert {line for line, *_ in found} <= {2, 3}


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
        b"<svg/>",
        b"",
        b"GIF89a",
        b'<?xml version="1.0" encoding="utf-7"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        drawing("", 'onload="alert(1)"'),
        drawing(" " * MAX_BYTES),
    ],
)
def test_what_is_no_drawing_is_refused(data: bytes) -> None:
    """Entities, other documents, other encodings, and what is too large."""
    assert list(faults(data))


def test_references_within_a_drawing_are_allowed() -> None:
    """A clip, a gradient and a use of what is drawn once."""
    inside = (
        '<defs><clipPath id="a"><path d="M0 0h9"/></clipPath></defs>'
        '<use href="#a" x="1"/><g clip-path="url(#a)" data-expression="calm" aria-label="url"/>'
    )
    assert list(faults(drawing(inside))) == []


@given(st.binary(max_size=300))
def test_whatever_it_is_it_is_read_to_an_end(data: bytes) -> None:
    """Bytes of any kind are found fault with, never failed on."""
    assert list(faults(data))


def test_a_file_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    """F09: a case cannot show what lies elsewhere on the machine."""
    case, secret = tmp_path / "base", tmp_path / "secret.yaml"
    shutil.copytree(ROOT / "tests" / "content" / "bad" / "base", case)
    secret.write_text("x: y", encoding="utf-8")
    (case / "sources.yaml").symlink_to(secret)
    with pytest.raises(BadCase) as refused:
        load_case(case)
    assert ("F09", str(case / "sources.yaml")) in {(f.code, f.file) for f in refused.value.findings}
