"""The format of a case as JSON Schema and as a reference, both made from the models.

`python -m amazonia.content.schema` writes docs/schema/*.json and docs/format.md anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from amazonia.content.models import CaseFile, QuestionsFile, SourceFile
from amazonia.domain.words import CaseWords, CharacterWords

Json = dict[str, Any]
FILES = ("case", "text", "character", "sources", "tests")
"""The schemas: of case.yaml, text.<lang>.yaml, text.<lang>/<character>.yaml, sources and tests."""


def schemas() -> dict[str, Json]:
    """The JSON Schema of each kind of file, by the names of `FILES`."""
    text = _schema(TypeAdapter(CaseWords))
    text["required"] = []  # parts of the words may stand in files of their own
    found = {
        "case": _schema(TypeAdapter(CaseFile)),
        "text": text,
        "character": _schema(TypeAdapter(CharacterWords)),
        "sources": _schema(TypeAdapter(dict[str, SourceFile])),
        "tests": _schema(TypeAdapter(dict[str, QuestionsFile])),
    }
    for name, schema in found.items():
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["title"] = f"Amazonia: {name} (format 1)"
    return found


def write_schemas(folder: Path) -> None:
    """Write a file for each schema."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


def reference() -> str:
    """docs/format.md: every key of every file, with what it means."""
    lines = [HEAD]
    parts = {
        "case.yaml": _models(schemas()["case"]),
        "text.<language>.yaml and text.<language>/<part>.yaml": _models(schemas()["text"]),
        "sources.yaml": _models(schemas()["sources"]),
        "tests.yaml": _models(schemas()["tests"]),
    }
    for file, models in parts.items():
        lines.append(f"\n## {file}\n")
        for name, model in models:
            lines += _table(name, model)
    return "\n".join(lines) + "\n"


HEAD = """# The format of a case

Format 1. Made from the models by `python -m amazonia.content.schema`; for a way in, read
[author.md](author.md). Editors complete and check the files by the schemas in [schema/](schema);
`amazonia new-case` sets that up.

A case is a folder: `case.yaml` holds ids and logic, `text.<language>.yaml` every word. Parts of the
words may stand in `text.<language>/`: a file named as a character holds that character, one named
as a part (`challenges.yaml`, `glossary.yaml`) that part. Files are UTF-8, YAML without tags and
anchors.

**Gates** are conditions: `+` is AND, `/` is OR, parentheses group; there is no NOT, so what is open
stays open. They name

| atom | holds when |
| --- | --- |
| `folhas` | the clue was found |
| `r_caminho` | the riddle was solved |
| `conf_lia` | the confrontation was won |
| `cp1_a` | the counter-question `cp1` was answered with `a` |
| `mostra:folhas` | the clue was laid on this character's table; on Rosa's: `mostra:rosa:folhas` |
| `rosa.filo`, `rosa.filo@2` | the topic was heard, to its second step |
| `t1`, `nome:dito`, `e1` | in an epilogue: claim published, decision taken, ending reached |"""


def _schema(adapter: TypeAdapter[Any]) -> Json:
    schema = adapter.json_schema(by_alias=True)
    _tidy(schema)
    return schema


def _tidy(node: Any) -> None:
    """Without the titles that Pydantic makes of names, and without line breaks in descriptions."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        if isinstance(node.get("description"), str):
            node["description"] = " ".join(node["description"].split("Attributes:")[0].split())
        for child in node.values():
            _tidy(child)
    elif isinstance(node, list):
        for child in node:
            _tidy(child)


def _models(schema: Json) -> Iterator[tuple[str, Json]]:
    """The whole first, then its parts in the order in which they are met."""
    definitions: Mapping[str, Json] = schema.get("$defs", {})
    todo, seen = list(_refs(schema)), set[str]()
    if "properties" in schema:
        yield "The file", schema
    while todo:
        name = todo.pop(0)
        if name not in seen:
            seen.add(name)
            yield name.removesuffix("File").removesuffix("Words"), definitions[name]
            todo += _refs(definitions[name])


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, child in node.items():
            if key == "$ref":
                yield child.rpartition("/")[2]
            elif key != "$defs":
                yield from _refs(child)
    elif isinstance(node, list):
        for child in node:
            yield from _refs(child)


def _table(name: str, model: Json) -> Iterator[str]:
    yield f"\n### {name}\n"
    if model.get("description"):
        yield f"{model['description']}\n"
    yield "| key | is | means |"
    yield "| --- | --- | --- |"
    required = set(model.get("required", ()))
    for key, value in model["properties"].items():
        must = " **needed**" if key in required else ""
        means = value.get("description", "").replace("|", "\\|")
        yield f"| `{key}` | {_kind(value)}{must} | {means} |"


def _kind(value: Json) -> str:
    """The type of a key, in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2].removesuffix("File").removesuffix("Words")
        return f"[{name}](#{name.lower()})"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if "anyOf" in value:
        kinds = [_kind(one) for one in value["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    match value.get("type"):
        case "array":
            if "prefixItems" in value:
                return "two names"
            return f"list of {_kind(value['items'])}"
        case "object":
            return f"names → {_kind(value['additionalProperties'])}"
        case "string":
            return "gate" if "examples" in value else "text"
        case "boolean":
            return "true or false"
        case "integer":
            return "number"
    return "anything"


def _root() -> Path:
    return Path(__file__).parents[3] / "docs"


if __name__ == "__main__":
    write_schemas(_root() / "schema")
    (_root() / "format.md").write_text(reference(), encoding="utf-8", newline="\n")
