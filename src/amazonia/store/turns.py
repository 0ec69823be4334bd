"""Turns, in any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from amazonia.domain.case import CharacterId
from amazonia.errors import NoSuchTurn
from amazonia.ports import Accepted, Asked, Listening, Opening, Spoke, StreamEvent, Team, Turn
from amazonia.store import statements as sql
from amazonia.store.database import Database, Tx
from amazonia.store.rows import beat_json, dump, said_of, said_row, turn_of
from amazonia.store.teams import save_events, team_to_change


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

        def job(tx: Tx) -> Accepted:
            team = team_to_change(tx, asked.team_id)  # first: of two at once, the second waits here
            if same := _same_question(tx, asked):
                return Accepted(same, "duplicate")
            if running := tx.row(sql.running_turn, _talk(asked)):
                return Accepted(turn_of(running), "busy")
            opening = rule(team)
            after = save_events(tx, team, opening.beat.events, opening.at)
            return Accepted(_add(tx, asked, opening, after.version), "new")

        accepted = await self.database.write(job)
        if accepted.how == "new":
            self.changed(asked.team_id)
        return accepted

    async def say(self, turn_id: str, said: Sequence[StreamEvent]) -> None:
        """Let other processes see what was said so far."""
        rows = [said_row(turn_id, event) for event in said]

        def job(tx: Tx) -> None:
            status = tx.row(sql.turn_status_to_change, {"turn_id": turn_id})
            if status is not None and status[0] == "speaking":
                tx.run_many(sql.add_turn_event, rows)

        await self.database.write(job)

    async def finish(
        self, turn_id: str, said: Sequence[StreamEvent], reply: str, source: str, at: float
    ) -> Turn:
        """Store the reply. A turn that is done already stays as it is and is returned."""

        def job(tx: Tx) -> Turn:
            turn = _turn_to_change(tx, turn_id)
            if turn.status == "done":
                return turn
            elapsed = max(0, round((at - turn.accepted_at) * 1000))
            values = {
                "turn_id": turn_id,
                "new_reply": reply,
                "new_source": source,
                "now": at,
                "new_elapsed_ms": elapsed,
            }
            tx.run(sql.finish_turn, values)
            tx.run(sql.forget_listeners, {"turn_id": turn_id})
            last = tx.row(sql.last_said, {"turn_id": turn_id})
            seen = last[0] if last else 0
            tx.run_many(sql.add_turn_event, (said_row(turn_id, e) for e in said if e.id > seen))
            return replace(turn, status="done", reply=reply, source=source, elapsed_ms=elapsed)

        return await self.database.write(job)

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
        await self.database.write(lambda tx: tx.run(sql.add_report, values))

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

        def job(tx: Tx) -> None:
            if tx.row(sql.turn_status_to_change, {"turn_id": turn_id}) != ("speaking",):
                return
            again = {"turn": turn_id, "process": owner, "new_left_at": None}
            if not tx.run(sql.change_listener, again):
                tx.run(sql.add_listener, {"turn_id": turn_id, "owner": owner})

        await self.database.write(job)

    async def leave(self, turn_id: str, owner: str, at: float) -> None:
        """Nobody in that process listens any more."""
        values = {"turn": turn_id, "process": owner, "new_left_at": at}
        await self.database.write(lambda tx: tx.run(sql.change_listener, values))

    async def listeners(self, turn_ids: Sequence[str]) -> Mapping[str, tuple[Listening, ...]]:
        """Who listens or listened to turns. One that is done or had no listener is absent."""

        def job(tx: Tx) -> dict[str, tuple[Listening, ...]]:
            found = {id_: tx.rows(sql.turn_listeners, {"turn_id": id_}) for id_ in turn_ids}
            return {
                id_: tuple(Listening(*row) for row in rows) for id_, rows in found.items() if rows
            }

        return await self.database.read(job)


def _spoke(tx: Tx, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Spoke]:
    """How far some turns are, with two queries for all of them."""
    ids = [turn_id for turn_id, _ in places]
    named = dict(zip_longest(sql.MANY_NAMES, ids, fillvalue=ids[0]))
    status: dict[str, Any] = dict(tx.rows(sql.turn_statuses, named))
    said: dict[str, list[StreamEvent]] = {}
    for turn_id, *row in tx.rows(sql.turns_said, {**named, "after": min(a for _, a in places)}):
        said.setdefault(turn_id, []).append(said_of(tuple(row)))
    return {
        (id_, after): Spoke(status[id_], tuple(e for e in said.get(id_, ()) if e.id > after))
        for id_, after in places
        if id_ in status
    }


def _talk(asked: Asked) -> dict[str, object]:
    return {"team_id": asked.team_id, "character": asked.character}


def _same_question(tx: Tx, asked: Asked) -> Turn | None:
    values = {**_talk(asked), "key": asked.key, "since": asked.since}
    if asked.shown is None:
        row = tx.row(sql.same_question, values)
    else:
        row = tx.row(sql.same_question_with_clue, {**values, "shown": asked.shown})
    return turn_of(row) if row else None


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
    tx.run(sql.add_turn, row)
    fields = (column.name for column in sql.TURN_FIELDS)
    return turn_of(tuple(row[name] for name in fields))


def _turn_to_change(tx: Tx, turn_id: str) -> Turn:
    row = tx.row(sql.turn_to_change, {"turn_id": turn_id})
    if row is None:
        raise NoSuchTurn(turn_id)
    return turn_of(row)
