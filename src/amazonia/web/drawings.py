"""A case's drawings, put into pages as inline SVG so that they follow its colours and its state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from markupsafe import Markup

from amazonia.web.sketches import as_address, sheet, sketch, spots

STATIC = Path(__file__).parent / "static"
_SYMBOL = re.compile(
    r'<symbol[^>]*?id="i-([a-z-]+)"[^>]*?viewBox="([^"]+)"[^>]*>(.*?)</symbol>', re.DOTALL
)
_ROOT = re.compile(r"<svg\b[^>]*>")
_NAMED = re.compile(r' (?:role|aria-label|aria-labelledby)="[^"]*"')
_TITLE = re.compile(r"<title\b[^>]*>.*?</title>", re.DOTALL)
_MARK = re.compile(r'<g id="mark-([^"]+)" display="none">')
_CAPTION = re.compile(r"(?<=>)[^<>\n]+(?=<)")
_PLACE = re.compile(r'\n?<g id="place-[^"]+" transform="[^"]+"/>')


@dataclass(frozen=True, slots=True)
class Drawings:
    """The drawings of a case.

    Attributes:
        folder: where its SVG files are.
        captions: what stands in a drawing → how the language of the page says it.
        address: file name → URL, for drawings that are linked and not put into the page.
    """

    folder: Path
    address: Callable[[str], str]
    captions: Mapping[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Where the browser finds a drawing."""
        return self.address(f"{name}.svg") if self.has(name) else as_address(sketch(name))

    def svg(self, name: str, *, hidden: bool = False) -> Markup:
        """A drawing to put into the page, a plain one if the case has none of that name.

        Args:
            hidden: its name is told elsewhere on the page.
        """
        drawn = self._told(name) if self.has(name) else sketch(name)
        return _hide(drawn) if hidden else Markup(drawn)  # noqa: S704

    def has(self, name: str) -> bool:
        """Whether there is a drawing of that name."""
        return (self.folder / f"{name}.svg").is_file()

    def places(self, names: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Where each place is on the map."""
        file = self.folder / "map.json"
        told = places(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
        return {**spots(names), **told}

    def map(self, marks: Collection[str], pins: Sequence[Pin]) -> Markup:
        """The map with the marks earned so far and no other, and people pinned to it."""
        drawn = self._told("map") if self.has("map") else sheet()
        source = _PLACE.sub("", drawn)
        kept = [line for line in source.split("\n") if _shown(line, marks)]
        drawn = _MARK.sub(r'<g id="mark-\1">', "\n".join(kept))
        body = "".join(pin.svg() for pin in pins)
        drawn = drawn.replace(' role="img"', ' role="group"', 1)
        return Markup(drawn.rstrip().removesuffix("</svg>") + body + "</svg>")  # noqa: S704

    def _told(self, name: str) -> str:
        """A drawing with its captions in the language of the page."""
        drawn = _read(self.folder / f"{name}.svg")
        if not self.captions:
            return drawn
        told = {text: escape(caption) for text, caption in self.captions.items()}
        return _CAPTION.sub(lambda found: told.get(found[0], found[0]), drawn)


@dataclass(frozen=True, slots=True)
class Pin:
    """Somebody's place on the map. Without `href` they cannot be reached yet.

    Attributes:
        label: what a screen reader says.
    """

    x: float
    y: float
    name: str
    label: str
    href: str = ""
    picture: str = ""
    fresh: bool = False

    def svg(self) -> str:
        """The pin as SVG: a portrait that is a link, or an outline with a lock."""
        label = escape(self.label)
        at = f'transform="translate({self.x:g} {self.y:g})"'
        ribbon = _ribbon(self.name)
        if not self.href:
            return (
                f'<g {at} class="pin-shut" role="img" aria-label="{label}"><title>{label}</title>'
                f'<circle r="34"/><path d="M-9-10h18v14H-9ZM-5-10v-6a5 5 0 0 1 10 0v6"/>'
                f"{ribbon}</g>"
            )
        fresh = '<circle class="pin-new" cx="28" cy="-28" r="9"/>' if self.fresh else ""
        return (
            f'<a {at} class="pin" href="{escape(self.href)}" aria-label="{label}">'
            f'<title>{label}</title><circle r="42" class="pin-ring"/>'
            f'<image href="{escape(self.picture)}" x="-38" y="-38" width="76" height="76"/>'
            f"{fresh}{ribbon}</a>"
        )


def _ribbon(name: str) -> str:
    """A name on a ribbon across a pin; long ones reach to the left, away from the buildings."""
    width = 16 + 9 * len(name)
    right = min(width / 2, 40)
    return (
        f'<rect class="pin-ribbon" x="{right - width:g}" y="23" width="{width}" height="23"/>'
        f'<text class="pin-name" x="{right - width / 2:g}" y="40" text-anchor="middle" '
        f'textLength="{width - 14}" lengthAdjust="spacingAndGlyphs">{escape(name)}</text>'
    )


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _hide(svg: str) -> Markup:
    """A drawing that screen readers pass over."""
    root = _ROOT.search(svg)
    if root is None:
        return Markup(svg)  # noqa: S704
    quiet = _NAMED.sub("", root.group()).replace("<svg", '<svg aria-hidden="true"', 1)
    return Markup(_TITLE.sub("", quiet + svg[root.end() :]))  # noqa: S704


def _shown(line: str, marks: Collection[str]) -> bool:
    mark = _MARK.search(line)
    return mark is None or mark.group(1) in marks


@cache
def _symbols() -> Mapping[str, tuple[str, str]]:
    source = _read(STATIC / "art" / "icons.svg")
    return {name: (box, body.strip()) for name, box, body in _SYMBOL.findall(source)}


@cache
def icon(name: str) -> Markup:
    """A small drawing of the interface; the words beside it say what it means.

    Raises:
        KeyError: there is no such icon.
    """
    box, body = _symbols()[name]
    return Markup(  # noqa: S704
        f'<svg class="icon" viewBox="{box}" aria-hidden="true" focusable="false">{body}</svg>'
    )


@cache
def logo() -> Markup:
    """The game's name."""
    return Markup(_read(STATIC / "art" / "logo.svg"))  # noqa: S704


def qr_code(text: str) -> Markup:
    """A QR code, in the colour of the text around it."""
    import segno  # here: most processes never draw one

    rows = [bytes(row) for row in segno.make(text, error="m").matrix]
    cells = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    edge = len(rows) + 4
    box = f"-2 -2 {edge} {edge}"
    path = f'<path fill="currentColor" d="{cells}"/>'
    return Markup(  # noqa: S704
        f'<svg viewBox="{box}" shape-rendering="crispEdges" aria-hidden="true">{path}</svg>'
    )


def places(map_json: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Place → where it is on the map."""
    return {name: (spot["x"], spot["y"]) for name, spot in map_json["places"].items()}
