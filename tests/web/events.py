"""Reading server-sent events."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Event(NamedTuple):
    """An event as a browser sees it."""

    id: int
    kind: str
    data: Any


def events_of(text: str) -> list[Event]:
    """The events of a stream that was read to its end."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "event" in fields:
            found.append(Event(int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found
