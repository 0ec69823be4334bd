"""Drawings are data: what an SVG of a case may hold, for it stands in pages as it is.

A list of what is allowed, not of what is not: shapes, text and references within the drawing.
Nothing that runs, loads, links, animates or brings styles of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat

from amazonia.errors import Finding

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


Fault = tuple[int, str, str]
"""A line, and what is wrong there in English and in Portuguese."""


def check_files(folder: Path) -> Iterator[Finding]:
    """F08: a drawing holds more than a drawing may. F09: a file leads out of the case's folder."""
    home = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if not path.resolve().is_relative_to(home):
            fault = "leads out of the case's folder; put a copy of the file here"
            falha = "leva para fora da pasta do caso; ponha aqui uma cópia do arquivo"
            yield Finding("F09", str(path), 1, fault, falha)
        elif path.suffix == ".svg":
            for line, fault, falha in faults(path.read_bytes()):
                yield Finding("F08", str(path), line, fault, falha)


def faults(data: bytes) -> Iterator[Fault]:
    """What a drawing holds that it may not, in the order of the file.

    A drawing that cannot be read to its end ends with the reason.
    """
    if len(data) > MAX_BYTES:
        fault = f"is {len(data):,} bytes; at most {MAX_BYTES:,} are allowed"
        yield 1, fault, f"tem {len(data):,} bytes; o máximo é {MAX_BYTES:,}"
        return
    reader = _Reader()
    failure = reader.read(data)
    yield from reader.found
    if failure is not None:
        yield failure


class _Reader:
    """Walks through a drawing and notes what is not allowed."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._depth = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser

    def read(self, data: bytes) -> Fault | None:
        """Walk; where and why it could not go on."""
        try:
            self._parser.Parse(data, True)
        except _Enough as exc:
            return self._parser.CurrentLineNumber, exc.fault, exc.falha
        except expat.ExpatError as exc:
            why = expat.ErrorString(exc.code)
            return exc.lineno, f"is no valid XML: {why}", f"não é XML válido: {why}"
        except (UnicodeError, ValueError):
            fault, falha = "its encoding cannot be read; save it as UTF-8", "salve como UTF-8"
            return 1, fault, f"a codificação não pode ser lida; {falha}"
        return None

    def _say(self, fault: str, falha: str) -> None:
        self.found.append((self._parser.CurrentLineNumber, fault, falha))

    def _doctype(self, *_: object) -> None:
        raise _Enough("takes no document type; remove it", "não leva tipo de documento; apague-o")

    def _instruction(self, target: str, _: str) -> None:
        self._say(f"takes no instruction <?{target}?>", f"não leva a instrução <?{target}?>")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Enough(
                f"is nested over {MAX_DEPTH} levels deep", f"tem mais de {MAX_DEPTH} níveis"
            )
        space, _, local = name.rpartition(" ")
        if space != SVG or local not in ELEMENTS or (self._depth == 1) != (local == "svg"):
            self._say(
                f"<{local}> is not allowed here; only shapes, text and groups are",
                f"<{local}> não pode ficar aqui; só formas, texto e grupos",
            )
        for attribute, value in attributes.items():
            self._attribute(local, attribute.rpartition(" ")[2], value)

    def _attribute(self, element: str, name: str, value: str) -> None:
        what = f"{name}= (<{element}>)"
        if name not in ATTRIBUTES and not OPEN.fullmatch(name):
            self._say(f"{what} is not allowed; remove it", f"{what} não é permitido; apague-o")
        elif name == "href" and not INSIDE.fullmatch(value):
            self._say(
                f"{what} may only lead to an id of this drawing: #id",
                f"{what} só pode levar a um id deste desenho: #id",
            )
        elif not all(INSIDE.fullmatch(found["to"]) for found in REFERENCES.finditer(value)):
            self._say(
                f"{what} may only refer to this drawing: url(#id)",
                f"{what} só pode se referir a este desenho: url(#id)",
            )

    def _end(self, _: str) -> None:
        self._depth -= 1


class _Enough(Exception):
    """There is no point in reading on."""

    def __init__(self, fault: str, falha: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.falha = falha
