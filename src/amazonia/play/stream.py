"""A turn as events: what comes before the voice, what after it, and the text that stands."""

from __future__ import annotations

import json
from collections.abc import Sequence

from amazonia.ports import Json, Spoke, StreamEvent, Turn


def opening_events(turn: Turn) -> list[StreamEvent]:
    """What comes before the voice: `turn`, and the `gesture`."""
    events = [StreamEvent(1, "turn", {"turn_id": turn.id, "duplicate": False})]
    if turn.answer["gesture"]:
        events.append(StreamEvent(2, "gesture", {"text": turn.answer["gesture"]}))
    return events


def closing_events(turn: Turn, last: int) -> list[StreamEvent]:
    """What comes after the voice: `clue`, `counter`, `unlock`, and `done`.

    Args:
        last: the id of the last event before them.
    """
    answer = turn.answer
    pairs: list[tuple[str, Json]] = [("clue", clue) for clue in answer["clues"]]
    if answer["counter"]:
        pairs.append(("counter", answer["counter"]))
    pairs += [("unlock", item) for item in answer["unlocked"]]
    pairs.append(("done", done_data(turn)))
    return [StreamEvent(last + i, kind, data) for i, (kind, data) in enumerate(pairs, 1)]


def done_data(turn: Turn) -> Json:
    """The whole reply of a finished turn."""
    return {
        "turn_id": turn.id,
        "entity_id": turn.character,
        "reply": turn.reply,
        "source": turn.source,
        **turn.answer,
        "elapsed_ms": turn.elapsed_ms,
        "duplicate": False,
    }


def reply_of(said: Sequence[StreamEvent]) -> str:
    """The text that stands after everything was said."""
    texts: list[str] = []
    for event in said:
        if event.kind == "replace":
            texts = []
        texts.append(event.data["text"])
    return " ".join(texts)


def told_of(said: Sequence[StreamEvent]) -> str:
    """Everything that was said so far, for other processes."""
    return json.dumps([[event.id, event.kind, event.data] for event in said])


def heard_of(place: tuple[str, int], told: str) -> Spoke | None:
    """What another process told of a turn after some event; None if that is nothing."""
    _, after = place
    events = tuple(StreamEvent(*event) for event in json.loads(told))
    new = tuple(event for event in events if event.id > after)
    return Spoke("speaking", new) if new else None
