"""Rows to values and back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from amazonia.domain.case import CharacterId, ClueId, Lang, TopicId
from amazonia.domain.codec import dump_event, dump_state, load_state
from amazonia.domain.director import Beat
from amazonia.domain.session import Event, State
from amazonia.ports import Json, StreamEvent, Team, Turn
from amazonia.store.database import Row


def dump(value: object) -> str:
    """JSON as text."""
    return orjson.dumps(value).decode()


def team_of(row: Row) -> Team:
    """A team, from a row of `TEAM_FIELDS`."""
    id_, case_id, lang, name, members, code, version, state, class_id, removed_at = row
    return Team(
        id_,
        case_id,
        Lang(lang),
        name,
        members,
        code,
        version,
        _state(state),
        class_id or "",
        removed_at is not None,
    )


@lru_cache(maxsize=512)
def _state(text: str) -> State:
    """A state, read once however often its row is: it is the same while the team does nothing."""
    return load_state(orjson.loads(text))


def team_row(team: Team, at: float) -> Json:
    """The row of a new team."""
    return {
        "id": team.id,
        "case_id": team.case_id,
        "lang": team.lang,
        "name": team.name,
        "members": team.members,
        "resume_code": team.resume_code,
        "version": team.version,
        "state": dump(dump_state(team.state)),
        "created_at": at,
        "updated_at": at,
        "class_id": team.class_id or None,
        "removed_at": None,
    }


def event_row(team_id: str, seq: int, event: Event, at: float) -> Json:
    """The row of an event."""
    data = dump_event(event)
    return {
        "team_id": team_id,
        "seq": seq,
        "kind": data["kind"],
        "data": dump({name: value for name, value in data.items() if name != "kind"}),
        "at": at,
    }


def beat_json(beat: Beat) -> Json:
    """What is kept of a beat: enough to speak it again."""
    return {
        "kind": beat.kind,
        "emotion": beat.emotion,
        "gesture": beat.gesture,
        "lines": list(beat.lines),
        "topics": list(beat.topics),
        "readings": list(beat.readings),
        "clues": list(beat.clues),
        "follows": beat.follows,
    }


def turn_of(row: Row) -> Turn:
    """A turn, from a row of `TURN_FIELDS`."""
    (
        id_,
        team_id,
        character,
        message,
        shown,
        status,
        beat,
        answer,
        reply,
        source,
        at,
        ms,
        owner,
        seed,
    ) = row
    kept: dict[str, Any] = orjson.loads(beat)
    return Turn(
        id=id_,
        team_id=team_id,
        character=CharacterId(character),
        message=message,
        shown=ClueId(shown) if shown else None,
        status=status,
        lines=tuple(kept["lines"]),
        clues=tuple(ClueId(clue) for clue in kept["clues"]),
        answer=orjson.loads(answer),
        reply=reply,
        source=source,
        accepted_at=at,
        elapsed_ms=ms,
        owner=owner,
        topics=tuple(TopicId(topic) for topic in kept.get("topics", ())),
        follows=kept.get("follows", False),  # turns of version 0.1 do not say
        seed=seed,
    )


def said_row(turn_id: str, event: StreamEvent) -> Json:
    """The row of something said."""
    return {"turn_id": turn_id, "seq": event.id, "kind": event.kind, "data": dump(event.data)}


def said_of(row: Row) -> StreamEvent:
    """Something said, from its row."""
    seq, kind, data = row
    return StreamEvent(seq, kind, orjson.loads(data))
