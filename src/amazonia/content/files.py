"""YAML with line numbers.

A case is data: no tags, no anchors, bounded size and depth. Every fault names its file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from amazonia.errors import BadCase, Finding

MAX_BYTES = 2_000_000
MAX_DEPTH = 16
MAX_NODES = 60_000
"""Values, keys, lists and mappings of a file; the largest of ours has a fifth of that."""
__all__ = ["Loader", "Sheet", "case_names", "read_sheet"]

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml: slower, and stricter about «?» inside [ ]
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


def case_names(folder: Path) -> list[str]:
    """The cases of a folder, by name."""
    return sorted(path.parent.name for path in folder.glob("*/case.yaml"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A parsed file: plain data, and the line on which each path stands."""

    path: Path
    data: Any
    lines: Mapping[tuple[str | int, ...], int] = field(repr=False)

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of a path, or of its nearest ancestor that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def finding(
        self, code: str, path: tuple[str | int, ...], message: str, portuguese: str
    ) -> Finding:
        """A finding at a path of this file."""
        return Finding(code, str(self.path), self.line(path), message, portuguese)


def read_sheet(path: Path) -> Sheet:
    """Parse one file.

    Raises:
        BadCase: it is missing, too large, no UTF-8, no valid YAML, or uses what cases may not:
            tags, anchors and aliases, duplicate keys, more than `MAX_DEPTH` levels or
            `MAX_NODES` values.
    """
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise _bad("F01", path, 1, f"cannot be read: {exc.strerror}", "não pode ser lido") from exc
    if len(raw) > MAX_BYTES:
        fault = f"is {len(raw):,} bytes; at most {MAX_BYTES:,} are allowed"
        falha = f"tem {len(raw):,} bytes; o máximo é {MAX_BYTES:,}"
        raise _bad("F02", path, 1, fault, falha)
    try:
        text = raw.decode()
        _refuse_what_grows(path, text)
        root = yaml.compose(text, Loader=Loader)
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        fault = "is not UTF-8; save it as UTF-8"
        raise _bad("F03", path, line, fault, "não está em UTF-8; salve como UTF-8") from exc
    except yaml.reader.ReaderError as exc:
        line = raw[: exc.position].count(b"\n") + 1
        fault = f"holds the control character U+{exc.character:04X}; remove it"
        falha = f"contém o caractere de controle U+{exc.character:04X}; apague-o"
        raise _bad("F03", path, line, fault, falha) from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        fault = f"is not valid YAML: {exc.problem}; check quotes, colons and indentation"
        falha = f"não é YAML válido: {exc.problem}; confira aspas, dois-pontos e recuos"
        raise _bad("F04", path, line, fault, falha) from exc
    lines: dict[tuple[str | int, ...], int] = {}
    data = _build(path, root, (), lines) if root is not None else {}
    return Sheet(path, data, lines)


def _refuse_what_grows(path: Path, text: str) -> None:
    """Refuse references, deep nesting and masses of values as they are read, before anything is
    built of them: few bytes could hold the parser up for hours, or fill the memory.
    """
    depth = nodes = 0
    for event in yaml.parse(text, Loader=Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            fault = "anchors (&) and aliases (*) are not used here; write the text out, in quotes"
            falha = "âncoras (&) e apelidos (*) não se usam aqui; escreva o texto, entre aspas"
            raise _bad("F05", path, line, fault, falha)
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MAX_NODES:
            fault = f"holds more than {MAX_NODES:,} values; share them out among several files"
            falha = f"tem mais de {MAX_NODES:,} valores; reparta-os em vários arquivos"
            raise _bad("F10", path, line, fault, falha)
        if isinstance(event, yaml.NodeEvent) and depth > MAX_DEPTH:
            fault = f"is nested over {MAX_DEPTH} levels deep"
            raise _bad("F06", path, line, fault, f"tem mais de {MAX_DEPTH} níveis de recuo")
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1


def _bad(code: str, path: Path, line: int, fault: str, falha: str) -> BadCase:
    return BadCase([Finding(code, str(path), line, fault, falha)])


def _build(
    path: Path,
    node: yaml.Node,
    at: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(at, line)
    if not node.tag.startswith("tag:yaml.org,2002:"):
        fault = f"the tag {node.tag} is not used in cases; remove it"
        falha = f"a marca {node.tag} não se usa em casos; apague-a"
        raise _bad("F05", path, line, fault, falha)
    if isinstance(node, yaml.MappingNode):
        return _mapping(path, node, at, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_build(path, child, (*at, i), lines) for i, child in enumerate(node.value)]
    match node.tag:
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:bool":
            return node.value.lower() in ("true", "yes", "on")
        case "tag:yaml.org,2002:int" | "tag:yaml.org,2002:float" as tag:
            return _number(node.value, float if tag.endswith("float") else int)
    return node.value  # dates and the like stay text


def _number(text: str, kind: type[int] | type[float]) -> int | float | str:
    """A decimal number. Other ways of writing one stay text: 12:00 is an hour, not 720."""
    try:
        number = kind(text.replace("_", ""))
    except ValueError:
        return text
    return number if isfinite(number) else text


def _mapping(
    path: Path,
    node: yaml.MappingNode,
    at: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in data:
            fault = f"'{key}' is there twice; keep one"
            raise _bad("F07", path, line, fault, f"'{key}' aparece duas vezes; deixe uma só")
        lines[(*at, key)] = line
        data[key] = _build(path, value_node, (*at, key), lines)
    return data
