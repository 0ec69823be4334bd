"""Events and states as JSON: `load_state(dump_state(state)) == state`, likewise for events."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from amazonia.domain.case import ClueId
from amazonia.domain.session import Event, Published, State, Tries

Json = dict[str, Any]

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}
_NAMES = {kind: tuple(f.name for f in fields(kind)) for kind in (*get_args(Event), State, Tries)}
"""The fields of every class here. (`dataclasses.asdict` copies every word of a state.)"""


def dump_event(event: Event) -> Json:
    """An event as JSON; `kind` is its class."""
    return {"kind": type(event).__name__, **_fields(event)}


def load_event(data: Json) -> Event:
    """The event of `dump_event`, also after a trip through JSON text.

    Raises:
        KeyError: there is no such kind of event.
    """
    values = {name: _tuples(value) for name, value in data.items() if name != "kind"}
    event: Event = _EVENTS[data["kind"]](**values)
    return event


def dump_state(state: State) -> Json:
    """A state as JSON."""
    data = _fields(state)
    data["shown"] = sorted(state.shown)
    data["links"] = sorted(sorted(pair) for pair in state.links)
    for name in ("riddles", "challenges", "rounds"):
        data[name] = {key: _fields(tries) for key, tries in data[name].items()}
    data["editions"] = tuple(_fields(edition) for edition in state.editions)
    return data


def load_state(data: Json) -> State:
    """The state of `dump_state`, also after a trip through JSON text."""
    values = dict(data)
    values["clues"] = tuple(data["clues"])
    values["shown"] = frozenset((who, clue) for who, clue in data["shown"])
    values["links"] = frozenset(frozenset(ClueId(c) for c in pair) for pair in data["links"])
    values["said"] = {who: tuple(map(tuple, turns)) for who, turns in data["said"].items()}
    for name in ("riddles", "challenges", "rounds"):
        values[name] = {key: Tries(**tries) for key, tries in data[name].items()}
    values["editions"] = tuple(
        Published(**{name: _tuples(value) for name, value in edition.items()})
        for edition in data["editions"]
    )
    return State(**values)


def _fields(value: Event | State | Tries) -> Json:
    """The fields of one of the classes here, as they are."""
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def _tuples(value: Any) -> Any:
    """Lists, as JSON gives them, back into tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
