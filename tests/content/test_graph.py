"""The drawing of a case."""

import itertools
import re
from xml.etree import ElementTree as ET

from tests.domain.world import PT, lama, mini

from amazonia.content.graph import draw
from amazonia.domain.solve import plan

SVG = "{http://www.w3.org/2000/svg}"


def test_everything_is_drawn_once() -> None:
    """Each character, clue, riddle, confrontation and ending has one box with its name."""
    case = lama().case
    root = ET.fromstring(draw(case, PT))
    names = [box.findtext(f"{SVG}title") or "" for box in root.iter(f"{SVG}g")]
    ids = [match[1] for name in names if (match := re.search(r"\((.+?)\)$", name))]
    endings = [ending.id for ending in case.publication.endings]
    people = [f"{who}." for who in case.characters]
    assert sorted(ids) == sorted(
        [*people, *case.clues, *case.riddles, *case.confrontations, *endings]
    )


def test_what_comes_later_stands_further_right() -> None:
    """A clue that a riddle needs stands left of it, and the riddle left of what it opens."""
    root = ET.fromstring(draw(mini().case, PT))
    left = {}
    for box in root.iter(f"{SVG}g"):
        name, rect = box.findtext(f"{SVG}title") or "", box.find(f"{SVG}rect")
        assert rect is not None
        left[name.rpartition("(")[2][:-1]] = float(rect.get("x", "0"))
    assert left["migalhas"] < left["r_relogio"] < left["lia."] + 1
    assert left["r_relogio"] < left["pelos"] < left["conf_lia"] < left["e1"]


def test_no_two_boxes_overlap() -> None:
    """Boxes of a column keep apart, in the small case and in the large."""
    for world in (mini(), lama()):
        root = ET.fromstring(draw(world.case, PT))
        rects = [r for g in root.iter(f"{SVG}g") for r in g.findall(f"{SVG}rect")]
        places = sorted((float(r.get("x", "0")), float(r.get("y", "0"))) for r in rects)
        for (x, y), (next_x, next_y) in itertools.pairwise(places):
            assert x != next_x or next_y - y >= 40


def test_the_shortest_way_is_red() -> None:
    """The riddles of a shortest way have a red edge; it is also told in words."""
    case = mini().case
    drawn = draw(case, PT)
    root = ET.fromstring(drawn)
    red = {
        (box.findtext(f"{SVG}title") or "").rpartition("(")[2][:-1]
        for box in root.iter(f"{SVG}g")
        for rect in box.findall(f"{SVG}rect")
        if rect.get("stroke") == "#c23b22" and rect.get("stroke-width") == "2.5"
    }
    riddles = {move.subject for move in plan(case) if move.do == "riddle"}
    assert riddles <= red
    assert "pegadas" not in red
    assert "A hora do sumiço ← " in (root.findtext(f"{SVG}desc") or "")
