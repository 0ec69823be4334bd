"""The files that hold a case's words in one language, as one mapping that knows its lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from amazonia.content.files import Sheet, read_sheet
from amazonia.domain.words import CaseWords
from amazonia.errors import BadCase, Finding

TextPath = tuple[str | int, ...]

PARTS = frozenset(field.name for field in fields(CaseWords)) - {"characters"}
"""Files of a text folder that hold a part of the case's words; every other one is a character."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A language's words as plain data, and the file in which each path stands."""

    data: Mapping[str, Any]
    origin: Mapping[TextPath, Sheet]

    def finding(self, code: str, path: TextPath, fault: str, falha: str) -> Finding:
        """A finding at the path's own file and line."""
        at = max((p for p in self.origin if path[: len(p)] == p), key=len)
        return self.origin[at].finding(code, path[len(at) :], fault, falha)

    def strings(self) -> Iterator[tuple[TextPath, str]]:
        """Every text with its path."""
        yield from _strings(self.data, ())


def read_texts(folder: Path, lang: str) -> Texts:
    """Read `text.<lang>.yaml` and the parts in `text.<lang>/`.

    Raises:
        BadCase: a file cannot be read, or is no mapping.
    """
    sheet = read_sheet(folder / f"text.{lang}.yaml")
    if not isinstance(sheet.data, dict):
        fault = "must be a mapping of the case's words"
        falha = "deve ser um mapa (chave: valor) com os textos do caso"
        raise BadCase([sheet.finding("L05", (), fault, falha)])
    data: dict[str, Any] = {**sheet.data}
    origin: dict[TextPath, Sheet] = {(): sheet}
    for path in sorted((folder / f"text.{lang}").glob("*.yaml")):
        part = read_sheet(path)
        at: TextPath = (path.stem,) if path.stem in PARTS else ("characters", path.stem)
        origin[at] = part
        if path.stem in PARTS:
            data[path.stem] = part.data
        else:
            data.setdefault("characters", {})[path.stem] = part.data
    data.setdefault("glossary", [])
    data.setdefault("challenges", {})
    return Texts(data, origin)


def words_of(texts: Texts) -> CaseWords:
    """The words in their shape.

    Raises:
        BadCase: with each fault at its file and line.
    """
    try:
        return TypeAdapter(CaseWords).validate_python(texts.data)
    except ValidationError as exc:
        raise BadCase([misshapen(error, texts.origin) for error in exc.errors()]) from exc


def misshapen(error: Mapping[str, Any], origin: Mapping[TextPath, Sheet]) -> Finding:
    """A Pydantic error as a finding of the file in which its value stands."""
    loc: TextPath = tuple(error["loc"])
    at: TextPath = max((p for p in origin if loc[: len(p)] == p), key=len)
    place = ".".join(str(part) for part in loc) or "the file"
    match error["type"]:
        case "missing":
            fault, falha = f"'{place}' is missing; add it", f"falta '{place}'; acrescente"
        case "extra_forbidden" | "unexpected_keyword_argument":
            fault = f"'{place}' is not a known key; remove it or check its spelling"
            falha = f"'{place}' não é uma chave conhecida; apague ou confira a grafia"
        case _:
            fault = f"'{place}': {error['msg']}"
            falha = f"'{place}': valor inválido ({error['msg']})"
    return origin[at].finding("L05", loc[len(at) :], fault, falha)


def _strings(value: object, at: TextPath) -> Iterator[tuple[TextPath, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _strings(child, (*at, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _strings(child, (*at, number))
