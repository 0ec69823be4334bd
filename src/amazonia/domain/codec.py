"""Events and states as JSON: `load_state(dump_state(state)) == state`, likewise for events."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from amazonia.domain.case import ClueId
from amazonia.domain.session import Event, Published, State, Tries

Json = dict[str, Any]

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}


def dump_event(event: Event) -> Json:
    """An event as JSON; `kind` is its class."""
    return {"kind": type(event).__name__, **asdict(event)}


def load_event(data: Json) -> Event:
    """The event of `dump_event`, also after a trip through JSON text.

    Raises:
        KeyError: there is no such kind of event.
    """
    fields = {name: _tuples(value) for name, value in data.items() if name != "kind"}
    event: Event = _EVENTS[data["kind"]](**fields)
    return event


def dump_state(state: State) -> Json:
    """A state as JSON."""
    data = asdict(state)
    data["shown"] = sorted(state.shown)
    data["links"] = sorted(sorted(pair) for pair in state.links)
    return data


def load_state(data: Json) -> State:
    """The state of `dump_state`, also after a trip through JSON text."""
    fields = dict(data)
    fields["clues"] = tuple(data["clues"])
    fields["shown"] = frozenset((who, clue) for who, clue in data["shown"])
    fields["links"] = frozenset(frozenset(ClueId(c) for c in pair) for pair in data["links"])
    fields["said"] = {who: _tuples(turns) for who, turns in data["said"].items()}
    for name in ("riddles", "challenges", "rounds"):
        fields[name] = {key: Tries(**tries) for key, tries in data[name].items()}
    fields["editions"] = tuple(
        Published(**{name: _tuples(value) for name, value in edition.items()})
        for edition in data["editions"]
    )
    return State(**fields)


def _tuples(value: Any) -> Any:
    """Lists, as JSON gives them, back into tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
