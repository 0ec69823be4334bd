"""Turns, in any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from amazonia.domain.case import CharacterId
from amazonia.errors import NoSession, NoSuchTurn
from amazonia.ports import (
    Accepted,
    Asked,
    Finished,
    Listening,
    Opening,
    Spoke,
    StreamEvent,
    Team,
    Turn,
)
from amazonia.store import statements as sql
from amazonia.store.database import Database, Overtaken, Query, Tx, hopefully
from amazonia.store.rows import beat_json, dump, said_of, said_row, team_of, turn_of
from amazonia.store.teams import save_events


@dataclass(frozen=True, slots=True)
class StoredTurns:
    """The `Turns` port.

    Attributes:
        changed: is told of each team whose state a new turn moved.
    """

    database: Database
    changed: Callable[[str], None] = lambda _: None

    async def accept(self, asked: Asked, rule: Callable[[Team], Opening]) -> Accepted:
        """In one transaction find the turn of this question or direct and store a new one."""

        def job(tx: Tx, lock: bool) -> Accepted:
            return _accept(tx, asked, rule, lock=lock)

        accepted = await hopefully(self.database, job)
        if accepted.how == "new":
            self.changed(asked.team_id)
        return accepted

    async def say(self, turn_id: str, said: Sequence[StreamEvent]) -> None:
        """Let other processes see what was said so far."""

        def job(tx: Tx) -> None:
            for event in said:
                tx.put(sql.add_turn_event_while_speaking, said_row(turn_id, event))

        await self.database.write(job)

    async def finish(
        self, turn: Turn, said: Sequence[StreamEvent], reply: str, source: str, at: float
    ) -> Finished:
        """Store the reply. A turn that is done already stays as it is and is returned."""

        def job(tx: Tx, lock: bool) -> Finished:
            if lock:
                row = tx.row(sql.turn_to_change, {"turn_id": turn.id})
                if row is None:
                    raise NoSuchTurn(turn.id)
                if (now := turn_of(row)).status == "done":
                    return Finished(now, first=False)
            elapsed = max(0, round((at - turn.accepted_at) * 1000))
            values = {
                "turn_id": turn.id,
                "new_reply": reply,
                "new_source": source,
                "now": at,
                "new_elapsed_ms": elapsed,
            }
            tx.put(sql.finish_turn, values, must=True)
            tx.put(sql.forget_listeners, {"turn_id": turn.id})
            for event in said:
                tx.put(sql.add_turn_event_if_new, said_row(turn.id, event))
            done = replace(turn, status="done", reply=reply, source=source, elapsed_ms=elapsed)
            return Finished(done, first=True)

        return await hopefully(self.database, job)

    async def get(self, team_id: str, turn_id: str) -> Turn | None:
        """A turn of the team."""
        values = {"team_id": team_id, "turn_id": turn_id}
        row = await self.database.read(lambda tx: tx.row(sql.team_turn, values))
        return turn_of(row) if row else None

    async def spoke(self, places: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Spoke]:
        """For pairs (turn, last event id seen): how far each turn is."""

        def job(tx: Tx) -> dict[tuple[str, int], Spoke]:
            found: dict[tuple[str, int], Spoke] = {}
            for start in range(0, len(places), sql.MANY):
                found |= _spoke(tx, places[start : start + sql.MANY])
            return found

        return await self.database.read(job)

    async def history(self, team_id: str, character: CharacterId) -> list[Turn]:
        """The conversation with a character, oldest first."""
        values = {"team_id": team_id, "character": character}
        rows = await self.database.read(lambda tx: tx.rows(sql.history, values))
        return [turn_of(row) for row in rows]

    async def recent(self, team_id: str, character: CharacterId, most: int) -> list[Turn]:
        """The newest `most` finished turns with a character, oldest first."""
        values = {"team_id": team_id, "character": character, "most": most}
        rows = await self.database.read(lambda tx: tx.rows(sql.recent, values))
        return [turn_of(row) for row in reversed(rows)]

    async def speaking(self, team_id: str | None = None) -> list[Turn]:
        """The turns that are not finished, of one team or of all."""

        def job(tx: Tx) -> list[Turn]:
            if team_id is None:
                return [turn_of(row) for row in tx.rows(sql.speaking, {})]
            return [turn_of(r) for r in tx.rows(sql.speaking_of_team, {"team_id": team_id})]

        return await self.database.read(job)

    async def report(self, turn_id: str, team_id: str, reason: str, at: float) -> None:
        """Note that a team objects to a turn."""
        values = {"turn_id": turn_id, "team_id": team_id, "reason": reason, "at": at}
        await self.database.write(lambda tx: tx.put(sql.add_report, values))

    async def forget_questions(self, since: float) -> int:
        """Let no question repeat a finished turn that was accepted after `since`; how many.

        The turns are found by a reader, so that the writer is held up for the changes alone.
        """
        recent = await self.database.read(lambda tx: tx.rows(sql.repeatable, {"since": since}))

        def job(tx: Tx) -> int:
            return sum(tx.run(sql.forget_question, {"turn_id": id_}) for (id_,) in recent)

        return await self.database.write(job)

    async def listen(self, turn_id: str, owner: str) -> None:
        """Somebody in a process listens to a turn; nothing is kept once the turn is done."""

        values = {"turn_id": turn_id, "process": owner, "new_left_at": None}

        def job(tx: Tx) -> None:
            tx.put(sql.add_listener_while_speaking, values)
            tx.put(sql.change_listener, values)

        await self.database.write(job)

    async def leave(self, turn_id: str, owner: str, at: float) -> None:
        """Nobody in that process listens any more."""
        values = {"turn_id": turn_id, "process": owner, "new_left_at": at}
        await self.database.write(lambda tx: tx.put(sql.change_listener, values))

    async def listeners(self, turn_ids: Sequence[str]) -> Mapping[str, tuple[Listening, ...]]:
        """Who listens or listened to turns. One that is done or had no listener is absent."""

        def job(tx: Tx) -> dict[str, tuple[Listening, ...]]:
            found = {id_: tx.rows(sql.turn_listeners, {"turn_id": id_}) for id_ in turn_ids}
            return {
                id_: tuple(Listening(*row) for row in rows) for id_, rows in found.items() if rows
            }

        return await self.database.read(job)


def _spoke(tx: Tx, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Spoke]:
    """How far some turns are, with one look for all of them."""
    ids = [turn_id for turn_id, _ in places]
    named = dict(zip_longest(sql.MANY_NAMES, ids, fillvalue=ids[0]))
    after_all = {**named, "after": min(after for _, after in places)}
    statuses, rows = tx.rows_of((sql.turn_statuses, named), (sql.turns_said, after_all))
    status: dict[str, Any] = dict(statuses)
    said: dict[str, list[StreamEvent]] = {}
    for turn_id, *row in rows:
        said.setdefault(turn_id, []).append(said_of(tuple(row)))
    return {
        (id_, after): Spoke(status[id_], tuple(e for e in said.get(id_, ()) if e.id > after))
        for id_, after in places
        if id_ in status
    }


def _talk(asked: Asked) -> dict[str, object]:
    return {"team_id": asked.team_id, "character": asked.character}


def _accept(tx: Tx, asked: Asked, rule: Callable[[Team], Opening], *, lock: bool) -> Accepted:
    """Find the turn of a question or store a new one. Without a lock, the team's version says
    whether anything else was accepted meanwhile."""
    team_of_it = {"team_id": asked.team_id}
    found, same, running = tx.rows_of(  # the team first: of two at once, the second waits there
        (sql.team_to_change if lock else sql.team, team_of_it),
        _same_question(asked),
        (sql.running_turn, _talk(asked)),
    )
    if not found:
        raise NoSession(f"no team '{asked.team_id}'")
    if same:
        return Accepted(turn_of(same[0]), "duplicate")
    if running:
        return Accepted(turn_of(running[0]), "busy")
    team = team_of(found[0])
    opening = rule(team)
    if not opening.beat.events and not lock:
        raise Overtaken("nothing would move the version")
    after = save_events(tx, team, opening.beat.events, opening.at)
    return Accepted(_add(tx, asked, opening, after.version), "new")


def _same_question(asked: Asked) -> Query:
    values = {**_talk(asked), "key": asked.key, "since": asked.since}
    if asked.shown is None:
        return sql.same_question, values
    return sql.same_question_with_clue, {**values, "shown": asked.shown}


def _add(tx: Tx, asked: Asked, opening: Opening, version: int) -> Turn:
    beat = dump(beat_json(opening.beat))
    answer = dump(opening.answer)
    row = {
        "id": opening.id,
        "team_id": asked.team_id,
        "version": version,
        "character": asked.character,
        "message": asked.message,
        "key": asked.key,
        "shown": asked.shown,
        "status": "speaking",
        "seed": opening.seed,
        "beat": beat,
        "answer": answer,
        "reply": "",
        "source": "",
        "accepted_at": opening.at,
        "finished_at": None,
        "elapsed_ms": 0,
        "owner": opening.owner,
    }
    tx.put(sql.add_turn, row)
    fields = (column.name for column in sql.TURN_FIELDS)
    return turn_of(tuple(row[name] for name in fields))
