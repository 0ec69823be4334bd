"""`amazonia graph`: a case as a drawing. From left to right: what is open first, what comes after.

A thing stands in the column of the wave in which it can be had first. Who is open from the start
gives clues without a line: dots in their colour say who. Rows are put in order by where their
neighbours stand, so that few lines cross. A shortest way to the best ending is drawn in red.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from amazonia.domain.case import Case, CharacterId, Lang
from amazonia.domain.gates import OPEN, Gate
from amazonia.domain.moves import Move, model, start_atoms
from amazonia.domain.session import begin
from amazonia.domain.solve import plan

Kind = Literal["character", "clue", "riddle", "confrontation", "ending"]

WIDTH, HEIGHT, COLUMN, ROW, MARGIN = 168, 40, 236, 58, 40
COLOURS = ("#2f6f62", "#a65a3a", "#5b6ea8", "#8a6d1d", "#7d4a86", "#3f7d3a", "#9a4655", "#4d6670")
LOOKS: Mapping[str, tuple[str, str]] = {
    "character": ("#f6f1e4", "#1d2b2a"),
    "clue": ("#ffffff", "#7b8483"),
    "riddle": ("#dcebe7", "#2f6f62"),
    "confrontation": ("#f6dcd6", "#c23b22"),
    "ending": ("#1d2b2a", "#1d2b2a"),
}
SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Node:
    """A box. `people` are those who give a clue; `note` stands under the name."""

    id: str
    kind: Kind
    name: str
    note: str = ""
    people: tuple[CharacterId, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from what is waited for; `choice`: other ways do as well."""

    start: str
    end: str
    choice: bool


def draw(case: Case, lang: Lang) -> str:
    """The drawing as SVG, with a description for who does not see it."""
    nodes = {node.id: node for node in _nodes(case, lang)}
    level = _levels(case, nodes)
    edges = [e for e in _edges(case) if e.start in nodes and level[e.start] < level[e.end]]
    columns = _columns(nodes, edges, level)
    return _svg(case, lang, nodes, edges, columns, _critical(case, plan(case)))


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────


def _nodes(case: Case, lang: Lang) -> Iterator[Node]:
    words = case.words[lang]
    for character in case.characters.values():
        topics = len(character.topics)
        yield Node(
            f"{character.id}.", "character", words.characters[character.id].short, f"{topics}"
        )
    for clue in case.clues.values():
        people = tuple(dict.fromkeys(t.character for t in case.topics() if clue.id in t.clues))
        mark = {"required": "●", "optional": "○", "false": "✕"}[clue.weight]
        yield Node(clue.id, "clue", words.clues[clue.id].title, f"{mark} {clue.id}", people)
    for riddle in case.riddles.values():
        yield Node(
            riddle.id, "riddle", words.riddles[riddle.id].title, f"{riddle.id} · {riddle.type}"
        )
    for scene in case.confrontations.values():
        title = words.confrontations[scene.id].title
        yield Node(scene.id, "confrontation", title, scene.id)
    for ending in case.publication.endings:
        yield Node(ending.id, "ending", words.publication.endings[ending.id].headline, ending.id)


def _edges(case: Case) -> Iterator[Edge]:
    for character in case.characters.values():
        yield from _lines(character.when, f"{character.id}.")
    for clue in case.clues.values():
        givers = [topic for topic in case.topics() if clue.id in topic.clues]
        gates = {atom: topic for topic in givers for atom in _waits(case, topic.when)}
        for topic in givers:
            if case.characters[topic.character].when != OPEN:
                yield Edge(f"{topic.character}.", clue.id, len(givers) > 1)
        for atom, topic in gates.items():
            alone = all(atom in _waits(case, other.when) for other in givers)
            yield Edge(atom, clue.id, not alone or len(topic.when.ways) > 1)
    for riddle in case.riddles.values():
        yield from _lines(riddle.when, riddle.id)
    for scene in case.confrontations.values():
        yield from _lines(scene.when, scene.id)
    for ending in case.publication.endings:
        if ending.claims is None:
            yield from _lines(case.publication.when, ending.id)
            continue
        for claim in ending.claims.atoms():
            yield from _lines(case.publication.claims[claim].needs, ending.id)


def _waits(case: Case, gate: Gate) -> list[str]:
    return [_thing(atom) for atom in sorted(gate.atoms())]


def _lines(gate: Gate, end: str) -> Iterator[Edge]:
    for atom in sorted(gate.atoms()):
        choice = not all(atom in way for way in gate.ways)
        yield Edge(_thing(atom), end, choice)


def _thing(atom: str) -> str:
    """What an atom is drawn as: a topic as its character, an answer or a shown clue not at all."""
    if "." in atom:
        return atom.split(".", maxsplit=1)[0] + "."
    return atom.rpartition(":")[2]


def _critical(case: Case, way: Sequence[Move]) -> set[str]:
    """The things that a shortest way comes through."""
    seen = {case.publication.best}
    for move in way:
        seen.update(move.clues)
        if move.do == "chat":
            topic = case.topic(move.subject)
            seen.add(f"{topic.character}.")
            seen.update(filter(None, [topic.steps[int(move.detail) - 1].clue]))
        elif move.do in ("riddle", "confront"):
            seen.add(move.subject)
    return seen


# ── where it stands ─────────────────────────────────────────────────────────────────────────────


def _columns(
    nodes: Mapping[str, Node], edges: Sequence[Edge], level: Mapping[str, int]
) -> list[list[str]]:
    columns = [[n for n in nodes if level[n] == i] for i in range(max(level.values()) + 1)]
    columns = [column for column in columns if column]
    near: dict[str, list[str]] = {name: [] for name in nodes}
    for edge in edges:
        near[edge.start].append(edge.end)
        near[edge.end].append(edge.start)
    for sweep in range(SWEEPS):
        order = columns if sweep % 2 == 0 else columns[::-1]
        place = {n: (i + 0.5) / len(column) for column in columns for i, n in enumerate(column)}
        for column in order:
            column.sort(
                key=lambda n: (
                    sum(place[other] for other in near[n]) / len(near[n]) if near[n] else place[n]
                )
            )
            place |= {n: (i + 0.5) / len(column) for i, n in enumerate(column)}
    return columns


def _levels(case: Case, nodes: Mapping[str, Node]) -> dict[str, int]:
    """In which wave a thing can be had at the earliest, everything before it being done."""
    world, have = model(case), set(start_atoms(case, begin(case)))
    quiet = [a for a in world.actions if not a.gives & nodes.keys()]
    level = dict.fromkeys(have & nodes.keys(), 0)
    for wave in range(1, len(nodes)):
        while more := [a for a in quiet if a.needs <= have and not a.gives <= have]:
            have.update(*(action.gives for action in more))
        for character in case.characters.values():
            if character.when.open(have.__contains__):
                level.setdefault(f"{character.id}.", wave - 1)
        now = [a for a in world.actions if a.needs <= have and not a.gives <= have]
        if not now:
            break
        have.update(*(action.gives for action in now))
        for name in have & nodes.keys():
            level.setdefault(name, wave)
    last = 1 + max(level.values())
    return {name: level.get(name, last) for name in nodes}


# ── how it looks ────────────────────────────────────────────────────────────────────────────────


def _svg(
    case: Case,
    lang: Lang,
    nodes: Mapping[str, Node],
    edges: Sequence[Edge],
    columns: Sequence[Sequence[str]],
    critical: set[str],
) -> str:
    tallest = max(len(column) for column in columns)
    height = MARGIN * 2 + tallest * ROW + 40
    width = MARGIN * 2 + (len(columns) - 1) * COLUMN + WIDTH
    at: dict[str, tuple[float, float]] = {}
    for i, column in enumerate(columns):
        gap = (tallest * ROW) / len(column)
        for j, name in enumerate(column):
            at[name] = (MARGIN + i * COLUMN, MARGIN + gap * (j + 0.5) - HEIGHT / 2)
    colour = {c: COLOURS[i % len(COLOURS)] for i, c in enumerate(case.characters)}
    title = case.words[lang].title
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        f'width="{width}" height="{height}" role="img" font-family="system-ui, sans-serif">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(_told(nodes, edges))}</desc>",
        f'<rect width="{width}" height="{height}" fill="#fbf9f3"/>',
    ]
    heavy = [e for e in edges if e.start in critical and e.end in critical]
    light = [e for e in edges if e not in heavy]
    parts += [_line(at, edge, strong=False) for edge in light]
    parts += [_line(at, edge, strong=True) for edge in heavy]
    parts += [_box(nodes[name], *at[name], colour, name in critical) for name in nodes]
    parts += [_legend(lang, height - 26), "</svg>"]
    return "\n".join(parts) + "\n"


def _line(at: Mapping[str, tuple[float, float]], edge: Edge, *, strong: bool) -> str:
    (x1, y1), (x2, y2) = at[edge.start], at[edge.end]
    x1, y1, y2 = x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2
    bend = max(40.0, abs(x2 - x1) / 2)
    look = 'stroke="#c23b22" stroke-width="2"' if strong else 'stroke="#aab2b0" stroke-width="1"'
    dash = ' stroke-dasharray="5 4"' if edge.choice else ""
    path = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return f'<path d="{path}" fill="none" {look}{dash}/>'


def _box(node: Node, x: float, y: float, colour: Mapping[CharacterId, str], strong: bool) -> str:
    fill, stroke = LOOKS[node.kind]
    if node.kind == "character":
        fill = stroke = colour[CharacterId(node.id[:-1])]
    ink = "#ffffff" if node.kind in {"character", "ending"} else "#1d2b2a"
    edge = 'stroke="#c23b22" stroke-width="2.5"' if strong else f'stroke="{stroke}"'
    round_ = {"character": 20, "clue": 4, "riddle": 4, "confrontation": 4, "ending": 0}[node.kind]
    dots = "".join(
        f'<circle cx="{x + WIDTH - 10 - 11 * i:.0f}" cy="{y + HEIGHT - 10:.0f}" r="4" '
        f'fill="{colour[who]}"/>'
        for i, who in enumerate(node.people)
    )
    note = node.note if node.kind != "character" else ""
    line = y + (17 if note else HEIGHT / 2 + 4)
    return (
        f"<g><title>{escape(f'{node.name} ({node.id})')}</title>"
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="{round_}" '
        f'fill="{fill}" {edge}/>'
        f'<text x="{x + 10:.0f}" y="{line:.0f}" font-size="13" fill="{ink}">'
        f"{escape(_short(node.name, 22))}</text>"
        f'<text x="{x + 10:.0f}" y="{y + 32:.0f}" font-size="10" fill="{ink}" opacity=".75">'
        f"{escape(_short(note, 24))}</text>{dots}</g>"
    )


def _legend(lang: Lang, y: float) -> str:
    told = (
        "● necessária  ○ opcional  ✕ falsa · tracejado: uma de várias · pontos: quem dá a pista · "
        "vermelho: um caminho mais curto até o melhor final"
        if lang.startswith("pt")
        else "● required  ○ optional  ✕ false · dashed: one of several · dots: who gives it · "
        "red: a shortest way to the best ending"
    )
    return f'<text x="{MARGIN}" y="{y:.0f}" font-size="12" fill="#4c5a58">{escape(told)}</text>'


def _told(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> str:
    """The drawing in words: what each thing waits for."""
    lines = []
    for name, node in nodes.items():
        waits = [nodes[e.start].name for e in edges if e.end == name]
        lines.append(f"{node.name} ← {', '.join(dict.fromkeys(waits)) or '–'}")
    return "; ".join(lines)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
