"""Plain drawings for a case that has none of its own yet: it can be played while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import cos, pi, sin
from urllib.parse import quote

SHEET = (1200, 700)
"""The size of a map, as of one that was drawn."""
PAPER, INK, RIVER, CLAY = "#f6f1e4", "#1d2b2a", "#2f6f62", "#a65a3a"


def sketch(name: str) -> str:
    """A drawing in place of one that is missing, as SVG."""
    if name.startswith("portrait-"):
        return _portrait(name.removeprefix("portrait-"))
    return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" aria-hidden="true"></svg>'


def as_address(svg: str) -> str:
    """A drawing as an address, for where it is linked and not put into the page."""
    return f"data:image/svg+xml,{quote(svg)}"


def sheet() -> str:
    """A map without a landscape: paper with a river's line."""
    width, height = SHEET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>'
        f'<path d="M-20 520C240 420 380 600 620 500S980 380 1220 460" fill="none" '
        f'stroke="{RIVER}" stroke-width="26" opacity=".35"/></svg>'
    )


def spots(places: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Where places stand on such a map: in a ring, each with room for a name."""
    width, height = SHEET
    turn = 2 * pi / max(1, len(places))
    return {
        place: (
            round(width / 2 - cos(turn * i) * width * 0.32, 1),
            round(height / 2 - sin(turn * i) * height * 0.3, 1),
        )
        for i, place in enumerate(places)
    }


def _portrait(who: str) -> str:
    """A face that is only a letter."""
    colour = RIVER if sum(map(ord, who)) % 2 else CLAY
    letter = escape(who[:1].upper())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" data-expression="calm" '
        f'role="img" aria-label="{letter}"><circle cx="120" cy="120" r="116" fill="{PAPER}" '
        f'stroke="{INK}" stroke-width="4"/><circle cx="120" cy="96" r="40" fill="{colour}"/>'
        f'<path d="M48 206a72 66 0 0 1 144 0" fill="{colour}"/><text x="120" y="110" '
        f'text-anchor="middle" font-family="Georgia, serif" font-size="40" fill="{PAPER}">'
        f"{letter}</text></svg>"
    )
