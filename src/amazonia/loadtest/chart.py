"""A chart of the figures that matter, as SVG: readable in grey, on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Case → who → figure → value; see `Result.figures`."""

WIDTH, LEFT, RIGHT = 760, 190, 90
BAR, GAP, BLOCK, TITLE = 13, 3, 12, 34
SERVERS = ("game", "relay", "old cure")
SHOWN = {"game": "Amazonia", "relay": "bare relay (the floor)", "old cure": "old cure"}
STYLE = """
.page{fill:#fff;stroke:#d0d4d9}.text{fill:#1c2126}.soft{fill:#59636e}
.game{fill:#0b6b4f}.relay{fill:#9aa4ae}.old{fill:url(#stripes);stroke:#8a5a00}
.stripe{stroke:#8a5a00}
@media (prefers-color-scheme:dark){.page{fill:#14181c;stroke:#363d45}.text{fill:#e8ecf0}
.soft{fill:#9aa5b1}.game{fill:#4cc79c}.relay{fill:#66717c}.old{stroke:#e0a848}
.stripe{stroke:#e0a848}}
text{font:12px system-ui,sans-serif}.head{font-weight:600;font-size:14px}
"""
CSS = {"game": "game", "relay": "relay", "old cure": "old"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: whose, how long (0 to 1 of the width there is), and what it says."""

    who: str
    length: float
    label: str


@dataclass(frozen=True, slots=True)
class Group:
    """Bars under one name."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Groups that are measured alike."""

    title: str
    groups: tuple[Group, ...]


def draw(figures: Figures) -> str:
    """The chart of what there is; panels without figures are left out."""
    panels = [panel for panel in (_answered(figures), *_compared(figures)) if panel.groups]
    return _svg(panels)


# ── what is shown ───────────────────────────────────────────────────────────────────────────────


def _answered(figures: Figures) -> Panel:
    groups = []
    for case, found in figures.items():
        bars = [
            Bar(who, found[who]["within"], f"{found[who]['within'] * 100:.0f} %")
            for who in SERVERS
            if "within" in found.get(who, {})
        ]
        if bars:
            groups.append(Group(f"provider: {case}", tuple(bars)))
    return Panel("Players answered within the deadline of 18 s", tuple(groups))


def _compared(figures: Figures) -> Iterable[Panel]:
    healthy = "healthy40" if "healthy40" in figures else "crowd2000"
    yield _lengths(
        "Whole reply, healthy provider: 99 of 100 within (s)",
        figures,
        {"40 players": (healthy, "whole_p99", 1.0)},
        "{:.1f} s",
    )
    yield _lengths(
        "Processor time a turn (ms)",
        figures,
        {"healthy provider": ("cost_healthy", "cpu_a_turn", 1e3)},
        "{:.1f} ms",
    )
    yield _lengths(
        "Replies a second, provider that answers at once, 64 players",
        figures,
        {"64 players": ("cost_fast", "rate", 1.0)},
        "{:.0f}/s",
    )


def _lengths(
    title: str, figures: Figures, wanted: Mapping[str, tuple[str, str, float]], form: str
) -> Panel:
    groups = []
    for name, (case, figure, scale) in wanted.items():
        values = {
            who: figures[case][who][figure] * scale
            for who in SERVERS
            if figure in figures.get(case, {}).get(who, {})
        }
        longest = max(values.values(), default=0.0) or 1.0
        bars = (Bar(who, value / longest, form.format(value)) for who, value in values.items())
        if values:
            groups.append(Group(name, tuple(bars)))
    return Panel(title, tuple(groups))


# ── drawing ─────────────────────────────────────────────────────────────────────────────────────


def _svg(panels: Sequence[Panel]) -> str:
    parts: list[str] = []
    y = 22.0
    for number, who in enumerate(SERVERS):
        x = 20 + number * 200
        parts.append(f'<rect class="{CSS[who]}" x="{x}" y="{y - 10}" width="22" height="{BAR}"/>')
        parts.append(_text(x + 30, y, SHOWN[who]))
    for panel in panels:
        y += TITLE
        parts.append(_text(20, y, panel.title, "text head"))
        y += BLOCK
        for group in panel.groups:
            parts += _group(group, y)
            y += len(group.bars) * (BAR + GAP) + BLOCK
    height = y + 8
    told = escape("; ".join(map(_told, panels)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-labelledby="title desc">\n'
        '<title id="title">Amazonia beside a bare relay and the old cure</title>\n'
        f'<desc id="desc">{told}</desc>\n'
        f"<style>{STYLE}</style>\n"
        '<defs><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="stripe" y2="6" stroke-width="4"/>'
        "</pattern></defs>\n"
        f'<rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _group(group: Group, y: float) -> Iterable[str]:
    height = len(group.bars) * (BAR + GAP)
    yield _text(LEFT - 10, y + height / 2 + 3, group.name, "text", "end")
    for number, bar in enumerate(group.bars):
        top = y + number * (BAR + GAP)
        width = max(1.0, bar.length * (WIDTH - LEFT - RIGHT))
        yield (
            f'<rect class="{CSS[bar.who]}" x="{LEFT}" y="{top:.0f}" '
            f'width="{width:.1f}" height="{BAR}"/>'
        )
        yield _text(LEFT + width + 6, top + 11, bar.label, "soft")


def _text(x: float, y: float, words: str, css: str = "text", anchor: str = "start") -> str:
    return (
        f'<text class="{css}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def _told(panel: Panel) -> str:
    """A panel for those who cannot see it."""
    groups = (
        f"{group.name}: " + ", ".join(f"{SHOWN[bar.who]} {bar.label}" for bar in group.bars)
        for group in panel.groups
    )
    return f"{panel.title}. " + "; ".join(groups)
