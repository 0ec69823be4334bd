"""Pictures: light enough for a school's network, and named for who does not see them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from amazonia.content.lint.draft import Draft
from amazonia.errors import Finding

ALL = 180 * 1024
"""Bytes of a case's pictures, compressed as they travel."""
ONE = 60 * 1024
_NAMED = re.compile(r"aria-label(?:ledby)?=|<title|aria-hidden=.true|role=.(?:none|presentation)")


def media_fit(draft: Draft) -> Iterator[Finding]:
    """L17: pictures fit into the budget of a first play. L15: a drawing says what it shows."""
    total = 0
    for path in sorted((draft.folder / "art").glob("*")):
        data = path.read_bytes()
        size = len(gzip.compress(data, mtime=0)) if path.suffix in {".svg", ".json"} else len(data)
        total += size
        if size > ONE:
            yield _heavy(path, size, ONE)
        if path.suffix == ".svg" and not _NAMED.search(data.decode("utf-8", "replace")):
            fault = "has no name: add aria-label or <title>, or aria-hidden if it only decorates"
            falha = "não tem nome: ponha aria-label ou <title>, ou aria-hidden se só enfeita"
            yield Finding("L15", str(path), 1, fault, falha)
    if total > ALL:
        yield _heavy(draft.folder / "art", total, ALL)


def _heavy(path: Path, size: int, most: int) -> Finding:
    fault = f"is {size // 1024} KB compressed; at most {most // 1024} KB: simplify the drawing"
    falha = f"tem {size // 1024} KB comprimido; no máximo {most // 1024} KB: simplifique o desenho"
    return Finding("L17", str(path), 1, fault, falha)
