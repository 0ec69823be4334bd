"""A new case to start from: small, whole, proven, in every language that there is data for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from amazonia.content.languages import languages
from amazonia.content.schema import write_schemas
from amazonia.errors import AmazoniaError

TEMPLATE = Path(__file__).parent / "template"
NAME = re.compile(r"[a-z][a-z0-9_]*")


class BadName(AmazoniaError):
    """A case cannot be called that; nothing was written."""


def new_case(folder: Path, name: str, langs: Sequence[str] = ()) -> Path:
    """Write a new case, and beside it the schemas by which editors complete and check.

    Args:
        folder: where cases are; the new one gets a folder of its name in it.
        langs: its languages; all that the template has and that there is data for if empty.

    Returns:
        The new folder.

    Raises:
        BadName: the name is no id, or the folder is there already.
    """
    if not NAME.fullmatch(name):
        raise BadName(f"'{name}' is no name of a case: small letters, figures and _, as in bolo_2")
    case = folder / name
    if case.exists():
        raise BadName(f"'{case}' is there already; choose another name or remove it")
    known = [lang for lang in ("pt-BR", "en") if lang in languages()]
    if unknown := sorted({*langs} - {*known}):
        raise BadName(f"there is no '{unknown[0]}' to start from; there are: {', '.join(known)}")
    known = [lang for lang in known if lang in langs] if langs else known
    write_schemas(folder / ".schema")
    for source in sorted(TEMPLATE.rglob("*")):
        target = case / source.relative_to(TEMPLATE)
        if source.is_file() and _wanted(source.relative_to(TEMPLATE), known):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    path = case / "case.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("NAME", name).replace("LANGUAGES", ", ".join(known))
    path.write_text(text, encoding="utf-8", newline="\n")
    return case


def _wanted(file: Path, known: Sequence[str]) -> bool:
    """Whether a file belongs to a language that is known, or to none."""
    return file.parts[0].split(".")[0] != "text" or any(lang in file.parts[0] for lang in known)
