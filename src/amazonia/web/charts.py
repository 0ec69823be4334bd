"""The report's charts, drawn as SVG: readable in greyscale, their colours from the page's style.

Each is a picture with a name; the page puts a table with the same figures behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from markupsafe import Markup, escape

from amazonia.classroom.labels import Labels
from amazonia.classroom.path import TeamReport
from amazonia.classroom.questionnaire import Outcome
from amazonia.classroom.report import Hard, Report

WIDTH, NAMES, RIGHT = 760, 190, 14
WIDE_NAMES, FIGURES = 320, 165
ROW = 24
STEPS = (5, 10, 15, 20, 30, 60, 120, 240, 480, 1440)
LETTER = 7.5
"""The width of a letter of a name, as good as always less."""


def lines(report: Report, labels: Labels) -> Markup:
    """A line for each team over its active time, darker from act to act."""
    teams = report.teams
    longest = max((team.minutes for team in teams), default=0.0) or 1.0
    scale = (WIDTH - NAMES - RIGHT) / longest
    height = ROW * len(teams) + 30
    parts = [*_minutes(longest, scale, height, labels)]
    for number, team in enumerate(teams):
        parts += _line(team, report, number * ROW, scale)
    return _svg(height, labels("lines_alt", n=len(teams)), parts)


def _minutes(longest: float, scale: float, height: int, labels: Labels) -> Iterable[str]:
    step = next((s for s in STEPS if longest / s <= 8), STEPS[-1])
    for minute in range(0, ceil(longest) + 1, step):
        x = NAMES + minute * scale
        if x <= WIDTH - RIGHT + 1:
            text = labels("minutes_n", n=minute)
            yield f'<path class="grid" d="M{x:.1f} 0V{height - 22}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{height - 8}">{escape(text)}</text>'


def _line(team: TeamReport, report: Report, top: int, scale: float) -> Iterable[str]:
    yield _name(team.name, top)
    opened = [(0.0, 1)]
    opened += [(s.minute, n) for n, s in enumerate((s for s in team.steps if s.kind == "act"), 2)]
    ends = [minute for minute, _ in opened[1:]] + [team.minutes]
    for (minute, act), end in zip(opened, ends, strict=True):
        x, width = NAMES + minute * scale, max(0.0, (end - minute) * scale)
        shade = min(act, 4)
        place = f'x="{x:.1f}" y="{top + 5}" width="{width:.1f}" height="12"'
        yield f'<rect class="act act-{shade}" {place}/>'
    for clue in team.clues:
        yield f'<path class="mark" d="M{NAMES + clue.minute * scale:.1f} {top + 3}v16"/>'
    for issue in team.issues:
        kind = "best" if issue.ending == report.best else "other"
        x = NAMES + issue.minute * scale
        yield f'<circle class="edition {kind}" cx="{x:.1f}" cy="{top + 11}" r="5"/>'


def bars(items: Sequence[Hard], of: int, title: str, labels: Labels) -> Markup:
    """A bar for each thing: who got there, who tried, and out of how many."""
    width = WIDTH - WIDE_NAMES - FIGURES
    scale = width / max(of, 1)
    height = ROW * len(items) + 4
    parts = []
    for number, item in enumerate(items):
        top = number * ROW
        there, tried = item.reached * scale, max(item.tried, item.reached) * scale
        figures = labels("of", n=item.reached, of=of)
        if item.tries is not None:
            tries = 1 if item.tries == 1 else labels.half(item.tries)
            figures += f" · {labels('tries', n=tries)}"
        place = f'x="{WIDE_NAMES}" y="{top + 4}" height="14"'
        x, y = WIDE_NAMES + width + 8, top + 16
        parts += [
            _name(item.name, top, WIDE_NAMES),
            f'<rect class="blank" {place} width="{width}"/>',
            f'<rect class="tried" {place} width="{tried:.1f}"/>',
            f'<rect class="there" {place} width="{there:.1f}"/>',
            f'<text class="figure" x="{x}" y="{y}">{escape(figures)}</text>',
        ]
    return _svg(height, labels("hard_alt", title=title, n=of), parts)


def dumbbells(outcome: Outcome, labels: Labels) -> Markup:
    """For each team a mark before (empty) and after (filled), from −4 to 4."""
    scale = (WIDTH - NAMES - RIGHT - 10) / 8
    height = ROW * outcome.n + 30
    middle = NAMES + 10 + 4 * scale
    parts = []
    for value in range(-4, 5):
        x, kind = middle + value * scale, "axis" if value == 0 else "grid"
        parts += [
            f'<path class="{kind}" d="M{x:.1f} 0V{height - 22}"/>',
            f'<text class="tick" x="{x:.1f}" y="{height - 8}">{labels.number(value, 0)}</text>',
        ]
    for number, pair in enumerate(outcome.pairs):
        top, y = number * ROW, number * ROW + 11
        before, after = middle + pair.before * scale, middle + pair.after * scale
        parts += [
            _name(pair.name, top),
            f'<path class="way" d="M{before:.1f} {y}H{after:.1f}"/>',
            f'<circle class="before" cx="{before:.1f}" cy="{y}" r="5"/>',
            f'<circle class="after" cx="{after:.1f}" cy="{y}" r="5"/>',
        ]
    return _svg(height, labels("judging_alt", n=outcome.n), parts)


def _name(name: str, top: int, room: int = NAMES) -> str:
    fits = int(room / LETTER)
    short = name if len(name) <= fits else name[: fits - 1].rstrip() + "…"
    return f'<text class="name" x="0" y="{top + 16}">{escape(short)}</text>'


def _svg(height: int, name: str, parts: Iterable[str]) -> Markup:
    """The picture; its parts are ours, and what came from outside is escaped in them."""
    stripes = (
        '<defs><pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path class="stripe" d="M0 0V5"/></pattern></defs>'
    )
    return Markup(  # noqa: S704
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="{escape(name)}">{stripes}{"".join(parts)}</svg>'
    )
