"""What the rules of the linter read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amazonia.content.files import Sheet, read_sheet
from amazonia.content.texts import Texts, read_texts
from amazonia.domain.case import Case, Lang


@dataclass(frozen=True, slots=True)
class Draft:
    """A case as it was loaded, beside the files that it was loaded from.

    Attributes:
        sheet: case.yaml.
        sources: sources.yaml, if there is one.
        texts: the first language is the one that the others translate.
    """

    case: Case
    folder: Path
    sheet: Sheet
    sources: Sheet | None
    texts: Mapping[Lang, Texts]


def read_draft(case: Case, folder: Path) -> Draft:
    """The files of a case that loads."""
    sources = folder / "sources.yaml"
    return Draft(
        case=case,
        folder=folder,
        sheet=read_sheet(folder / "case.yaml"),
        sources=read_sheet(sources) if sources.is_file() else None,
        texts={lang: read_texts(folder, lang) for lang in case.words},
    )
