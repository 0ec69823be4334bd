"""The newsroom's own pieces: people pinned to the map, and what is new on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amazonia.web.drawings import Pin
from amazonia.web.phrases import Phrases
from amazonia.web.visit import Desk, waiting

Json = dict[str, Any]


def pins(desk: Desk, t: Phrases, people: Sequence[Json]) -> list[Pin]:
    """Everybody on the map, at their place; those who cannot be reached yet say why."""
    spots = desk.art.places(list(desk.book.places))
    found = []
    for person in people:
        x, y = spots[person["place"]]
        where = desk.book.places[person["place"]]["name"]
        if person["locked"]:
            label = t("newsroom.shut", name=person["short"], place=where, reason=person["reason"])
            found.append(Pin(x, y, person["short"], label))
        else:
            label = t("newsroom.open", name=person["short"], place=where)
            href, picture = f"/interview/{person['id']}", desk.art.url(f"portrait-{person['id']}")
            found.append(Pin(x, y, person["short"], label, href, picture, not person["met"]))
    return found


def news(desk: Desk, t: Phrases) -> list[Json]:
    """What lies on the newsroom's desk, most pressing first; by `key` a page knows what is new."""
    view = desk.view
    names = {p["id"]: p["short"] for p in view["characters"]}
    found: list[Json] = []

    def add(kind: str, mark: str, href: str, text: str, key: str = "") -> None:
        found.append({"kind": kind, "icon": mark, "href": href, "text": text, "key": key})

    if view["counter"]:
        by = view["counter"]["by"]
        add("counter", "radio", f"/interview/{by}", t("newsroom.counter", name=names[by]))
    for item in view["riddles"]:
        if not item["solved"]:
            text = t("newsroom.riddle", title=item["title"])
            add("riddle", "riddle", f"/riddle/{item['id']}", text, item["id"])
    for item in view["confrontations"]:
        if not item["won"]:
            text = t("newsroom.confront", title=item["title"])
            add("confront", "radio", f"/confront/{item['id']}", text, item["id"])
    for who, name in names.items():
        n = waiting([c for c in view["challenges"] if c["by"] == who])
        if n:
            text = t("newsroom.challenges" if n > 1 else "newsroom.challenge", name=name, n=n)
            add("challenge", "challenge", f"/challenges#by-{who}", text, f"{who}{n}")
    if view["slips"]:
        n = len(view["slips"])
        add("slips", "challenge", "/challenges", t("newsroom.slips", n=n), f"slips{n}")
    if view["ending"]:
        add("ending", "publish", "/ending", t("newsroom.ending"))
    elif view["publication"]:
        add("publish", "publish", "/publish", t("newsroom.publish"), "publish")
    return found
