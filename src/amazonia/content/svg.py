"""Drawings are data: what an SVG of a case may hold, before it stands in a page.

A list of what is allowed, not of what is not: shapes, text and references within the drawing.
Nothing that runs, loads, links, animates or brings styles of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.parsers import expat

MAX_BYTES: Final = 400_000
MAX_DEPTH: Final = 32

_WORD = re.compile(r"\S+")

ELEMENTS: Final = frozenset(
    _WORD.findall("""
    svg g defs symbol use title desc path circle ellipse rect line polyline polygon text tspan
    textPath clipPath mask linearGradient radialGradient stop pattern marker
    """)
)
ATTRIBUTES: Final = frozenset(
    _WORD.findall("""
    id class xmlns viewBox preserveAspectRatio width height x y x1 x2 y1 y2 dx dy cx cy r rx ry fx
    fy d points transform href fill fill-opacity fill-rule stroke stroke-width stroke-opacity
    stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset color
    opacity display visibility paint-order clip-path clip-rule clipPathUnits mask maskUnits
    maskContentUnits gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity
    patternUnits patternContentUnits patternTransform markerWidth markerHeight markerUnits refX
    refY orient marker-start marker-mid marker-end font-family font-size font-style font-weight
    letter-spacing word-spacing text-anchor dominant-baseline startOffset textLength lengthAdjust
    rotate role lang focusable vector-effect
    """)
)
OPEN: Final = re.compile(r"(aria|data)-[a-z-]+")
"""Attributes that say something and do nothing."""
INSIDE: Final = re.compile(r"#[\w.-]+")
REFERENCES: Final = re.compile(r"url\(\s*(?P<to>[^)]*)\)?", re.IGNORECASE)
SVG: Final = "http://www.w3.org/2000/svg"


def faults(data: bytes) -> Iterator[tuple[int, str]]:
    """What a drawing holds that it may not: pairs of a line and what is wrong there.

    The order is that of the file; a drawing that cannot be read ends with the reason.
    """
    if len(data) > MAX_BYTES:
        yield 1, f"is {len(data):,} bytes; at most {MAX_BYTES:,} are allowed"
        return
    reader = _Reader()
    failure = reader.read(data)
    yield from reader.found
    if failure is not None:
        yield failure


class _Reader:
    """Walks through a drawing and notes what is not allowed."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self._depth = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser

    def read(self, data: bytes) -> tuple[int, str] | None:
        """Walk; where and why it could not go on."""
        try:
            self._parser.Parse(data, True)
        except _Enough as exc:
            return self._parser.CurrentLineNumber, str(exc)
        except expat.ExpatError as exc:
            return exc.lineno, f"is no valid XML: {expat.ErrorString(exc.code)}"
        except (UnicodeError, ValueError):
            return 1, "is no valid XML: an encoding that cannot be read"
        return None

    def _say(self, fault: str) -> None:
        self.found.append((self._parser.CurrentLineNumber, fault))

    def _doctype(self, *_: object) -> None:
        raise _Enough("a document type is not used in drawings; remove it")

    def _instruction(self, target: str, _: str) -> None:
        self._say(f"the instruction <?{target}?> is not used in drawings; remove it")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Enough(f"is nested over {MAX_DEPTH} levels deep")
        space, _, local = name.rpartition(" ")
        if space != SVG or local not in ELEMENTS or (self._depth == 1) != (local == "svg"):
            self._say(f"<{local}> is not allowed here; only shapes, text and groups are")
        for attribute, value in attributes.items():
            self._attribute(local, attribute.rpartition(" ")[2], value)

    def _attribute(self, element: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES and not OPEN.fullmatch(name):
            self._say(f"{name}= of <{element}> is not allowed; remove it")
        elif name == "href" and not INSIDE.fullmatch(value):
            self._say(f"href of <{element}> may only lead to an id of this drawing: #id")
        elif not all(INSIDE.fullmatch(found["to"]) for found in REFERENCES.finditer(value)):
            self._say(f"{name}= of <{element}> may only refer to this drawing: url(#id)")

    def _end(self, _: str) -> None:
        self._depth -= 1


class _Enough(Exception):
    """There is no point in reading on."""
