"""What a run found: rows with their bounds, a table for people, JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

HEAD = ("case", "what", "measured", "must", "")
MARKS = {True: "ok", False: "NO", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        must: the bound in words; "" for a figure that is only told.
        ok: whether the bound holds; None without one.
    """

    what: str
    measured: str
    must: str = ""
    ok: bool | None = None


@dataclass(slots=True)
class Result:
    """What a case found.

    Attributes:
        figures: the numbers behind the rows, by whom and what, in seconds, bytes and shares.
    """

    case: str
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tell(self, what: str, measured: str) -> None:
        """Add a figure without a bound."""
        self.rows.append(Row(what, measured))

    def hold(self, what: str, measured: str, must: str, *, ok: bool) -> None:
        """Add a figure with its bound."""
        self.rows.append(Row(what, measured, must, ok))

    def note(self, who: str, **figures: float) -> None:
        """Keep numbers for the JSON and the chart; those that are no numbers are left out."""
        kept = {name: value for name, value in figures.items() if math.isfinite(value)}
        self.figures.setdefault(who, {}).update(kept)

    @property
    def ok(self) -> bool:
        """Every bound holds."""
        return all(row.ok is not False for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        return asdict(self)


def milliseconds(seconds: float) -> str:
    """Seconds as people read them when they are short."""
    return "–" if math.isnan(seconds) else f"{seconds * 1e3:.1f} ms"


def seconds(value: float) -> str:
    """Seconds as people read them."""
    return "–" if math.isnan(value) else f"{value:.2f} s"


def share(value: float) -> str:
    """A share as a percentage that says 100 % only of all."""
    if math.isnan(value):
        return "–"
    return "100 %" if value >= 1.0 else f"{math.floor(value * 1e4) / 100:.2f} %"


def megabytes(size: float) -> str:
    """Bytes as people read them."""
    return f"{size / 1e6:.0f} MB"


def table(results: Iterable[Result]) -> str:
    """The rows of all results, in columns."""
    lines = [HEAD]
    for result in results:
        lines += [
            (result.case, row.what, row.measured, row.must, MARKS[row.ok]) for row in result.rows
        ]
    return "\n".join(_aligned(lines))


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
