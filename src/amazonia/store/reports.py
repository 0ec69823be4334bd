"""Everything that is kept of a class, in any database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2s

import orjson

from amazonia.domain.case import CharacterId
from amazonia.domain.codec import load_event
from amazonia.errors import Conflict
from amazonia.ports import Json
from amazonia.ports.reports import Happened, Judgement, Question, Record
from amazonia.store import report_statements as sql
from amazonia.store.database import Database, Row, Tx
from amazonia.store.rows import dump

JSON_TEXTS = frozenset({"settings", "data", "state", "beat", "answer", "marks"})
"""Columns that hold JSON as text."""


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """The `Records` port."""

    database: Database

    async def of_class(self, class_id: str) -> list[Record]:
        """The records of its teams. They are put together where the rows are read."""
        return await self.database.read(lambda tx: _records(tx, {"class_id": class_id}))

    async def versions(self, class_id: str) -> str:
        """A text that changes whenever the records of the class do."""
        values = {"class_id": class_id}

        def job(tx: Tx) -> list[Row]:
            judged = [tuple(row[:2]) for row in tx.rows(sql.record_judgements, values)]
            return [*tx.rows(sql.record_versions, values), *judged]

        rows = await self.database.read(job)
        return blake2s(repr(rows).encode(), digest_size=12).hexdigest()

    async def judge(self, team_id: str, judgement: Judgement) -> bool:
        """Keep a team's answers."""
        row = {
            "team_id": team_id,
            "moment": judgement.moment,
            "form": judgement.form,
            "marks": dump(dict(judgement.marks)),
            "at": judgement.at,
        }
        try:
            await self.database.write(lambda tx: tx.run(sql.add_judgement, row))
        except Conflict:
            return False
        return True

    async def judgements(self, team_id: str) -> Sequence[Judgement]:
        """What a team answered so far."""
        values = {"team_id": team_id}
        rows = await self.database.read(lambda tx: tx.rows(sql.team_judgements, values))
        return [_judgement(row) for row in rows]

    async def place(self, team_id: str) -> int:
        """How many teams joined the team's class before it."""
        values = {"team_id": team_id}
        row = await self.database.read(lambda tx: tx.row(sql.earlier_teams, values))
        return int(row[0]) if row else 0

    async def everything(self, class_id: str) -> Mapping[str, list[Json]]:
        """Every row that is kept of a class, by table."""
        values = {"class_id": class_id}

        def job(tx: Tx) -> dict[str, list[Json]]:
            kept = {
                name: _as_json(statement.selected_columns.keys(), tx.rows(statement, values))
                for name, statement in sql.everything.items()
            }
            spent = [row for scope in _scopes(tx, class_id) for row in tx.rows(sql.spent_by, scope)]
            kept["spending"] = _as_json(sql.spent_by.selected_columns.keys(), spent)
            return kept

        return await self.database.read(job)

    async def erase(self, class_id: str) -> Mapping[str, int]:
        """Erase a class with everything that is kept of it and of its teams."""
        values = {"class_id": class_id}

        def job(tx: Tx) -> dict[str, int]:
            spent = sum(tx.run(sql.erase_spending, scope) for scope in _scopes(tx, class_id))
            gone = {name: tx.run(statement, values) for name, statement in sql.erase.items()}
            return {**gone, "spending": spent}

        return await self.database.write(job)

    async def unused_since(self, at: float) -> Sequence[tuple[str, float]]:
        """Classes in which nothing happened since."""
        rows = await self.database.read(lambda tx: tx.rows(sql.unused_classes, {"at": at}))
        return [(id_, max(changed, moved or 0.0)) for id_, changed, moved in rows]


def _records(tx: Tx, values: Mapping[str, object]) -> list[Record]:
    happened = _by_team(tx.rows(sql.record_events, values))
    asked = _by_team(tx.rows(sql.record_questions, values))
    judged = _by_team(tx.rows(sql.record_judgements, values))
    flags = _by_team(tx.rows(sql.record_flags, values))
    complaints: dict[str, int] = dict(tx.rows(sql.record_complaints, values))
    return [
        Record(
            team_id=id_,
            name=name,
            members=members,
            joined_at=joined,
            happened=tuple(
                Happened(at, load_event({"kind": kind, **orjson.loads(data)}))
                for _, kind, data, at in happened[id_]
            ),
            questions=tuple(
                Question(at, CharacterId(who), source) for _, at, who, source in asked[id_]
            ),
            judgements=tuple(map(_judgement, judged[id_])),
            complaints=complaints.get(id_, 0),
            flags=tuple((at, kind) for _, at, kind in flags[id_]),
        )
        for id_, name, members, joined in tx.rows(sql.record_teams, values)
    ]


def _by_team(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _judgement(row: Row) -> Judgement:
    _, moment, form, marks, at = row
    return Judgement(moment, form, orjson.loads(marks), at)


def _scopes(tx: Tx, class_id: str) -> list[dict[str, str]]:
    """The purses of a class and its teams."""
    ids = [row[0] for row in tx.rows(sql.class_team_ids, {"class_id": class_id})]
    return [{"purse": scope} for scope in (f"class:{class_id}", *(f"team:{id_}" for id_ in ids))]


def _as_json(names: Sequence[str], rows: Iterable[Row]) -> list[Json]:
    return [
        {
            str(name): orjson.loads(value)
            if name in JSON_TEXTS and isinstance(value, str)
            else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]
