"""What is old, and everything about one team, in any database.

What belongs to a team is found by the tables' columns (a `team_id`, or a key to a turn), so that a
table which comes later is exported and forgotten without a line here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Integer, Table, bindparam, delete, select

from amazonia.ports import Json
from amazonia.store.database import Database, Tx
from amazonia.store.statements import to_change
from amazonia.store.tables import (
    devices,
    job_files,
    jobs,
    metadata,
    spending,
    teams,
    turn_events,
    turns,
)

p = bindparam

MANY = 500
"""Rows that one transaction takes away: nobody else waits for longer than they take."""
SIGNS_IN = {"devices": {"id"}, "teams": {"resume_code"}}
"""Columns that let somebody in; they are no part of what a team did."""

_most = p("most", type_=Integer)
_old_devices = select(devices.c.id).where(devices.c.created_at < p("before")).limit(_most)
_told_turns = (
    select(turn_events.c.turn_id)
    .join(turns, turns.c.id == turn_events.c.turn_id)
    .where(turns.c.status == "done", turns.c.finished_at < p("before"))
    .distinct()
    .limit(_most)
)
_old_files = select(job_files.c.job_id).where(job_files.c.expires_at < p("before")).limit(_most)
_old_jobs = (
    select(jobs.c.id).where(jobs.c.status == "done", jobs.c.ended_at < p("before")).limit(_most)
)
_old_days = select(spending.c.day).where(spending.c.day < p("before")).distinct().limit(_most)
_old_teams = (
    select(teams.c.id)
    .where(teams.c.updated_at < p("before"))
    .order_by(teams.c.updated_at)
    .limit(_most)
)
_still_old = to_change(
    select(teams.c.id).where(teams.c.id == p("which"), teams.c.updated_at < p("before"))
)


def _mine(table: Table) -> Any:
    """Which rows of a table are about a team; None if none ever is."""
    if table is teams:
        return teams.c.id == p("which")
    if "team_id" in table.columns:
        return table.c.team_id == p("which")
    for key in table.foreign_keys:
        if key.column.table is turns:
            mine = select(turns.c.id).where(turns.c.team_id == p("which"))
            return key.parent.in_(mine)
    return None


_ABOUT = {table: mine for table in metadata.sorted_tables if (mine := _mine(table)) is not None}
"""The tables about teams, those first that others point to."""
_forget = [delete(table).where(mine) for table, mine in reversed(_ABOUT.items())]
_show = {
    table: select(*(c for c in table.columns if c.name not in SIGNS_IN.get(table.name, ())))
    .where(mine)
    .order_by(*table.primary_key.columns)
    for table, mine in _ABOUT.items()
}


@dataclass(frozen=True, slots=True)
class StoredAttic:
    """The `Attic` port."""

    database: Database

    async def clear(self, before: Mapping[str, float], day: str) -> Mapping[str, int]:
        """Take away small things that are older than their kind may become."""
        kinds: dict[str, tuple[Any, Column[Any], object]] = {
            "devices": (_old_devices, devices.c.id, before["devices"]),
            "turn_events": (_told_turns, turn_events.c.turn_id, before["turn_events"]),
            "job_files": (_old_files, job_files.c.job_id, before["job_files"]),
            "jobs": (_old_jobs, jobs.c.id, before["jobs"]),
            "spending": (_old_days, spending.c.day, day),
        }
        gone = {}
        for kind, (old, column, moment) in kinds.items():
            if kind == "jobs":  # a file that is still kept goes with its job
                await self._clear(_old_jobs, job_files.c.job_id, moment)
            gone[kind] = await self._clear(old, column, moment)
        return gone

    async def _clear(self, old: Any, column: Column[Any], before: object) -> int:
        """Take rows away, some at a time, until there are no more."""
        forget, gone = delete(column.table).where(column == p("which")), 0
        while True:
            values = {"before": before, "most": MANY}
            found = await self.database.read(lambda tx, v=values: tx.rows(old, v))  # type: ignore[misc]
            took = await self.database.write(_each(forget, [row[0] for row in found]))
            gone += took
            if not took:
                return gone

    async def old_teams(self, before: float, most: int) -> list[str]:
        """Teams that nobody touched since."""
        values = {"before": before, "most": most}
        rows = await self.database.read(lambda tx: tx.rows(_old_teams, values))
        return [row[0] for row in rows]

    async def forget_teams(self, team_ids: Sequence[str], before: float) -> int:
        """Take teams away with everything about them; one that moved meanwhile stays."""

        def write(tx: Tx) -> int:
            old = [t for t in team_ids if tx.row(_still_old, {"which": t, "before": before})]
            for statement in _forget:
                tx.run_many(statement, ({"which": team_id} for team_id in old))
            return len(old)

        return await self.database.write(write)

    async def whole_team(self, team_id: str) -> Mapping[str, list[Json]]:
        """Every row about a team by table, without what signs anybody in; empty if none."""

        def read(tx: Tx) -> dict[str, list[Json]]:
            return {
                str(table.name): [
                    {
                        str(c.name): _plain(value)
                        for c, value in zip(show.selected_columns, row, strict=True)
                    }
                    for row in tx.rows(show, {"which": team_id})
                ]
                for table, show in _show.items()
            }

        found = await self.database.read(read)
        return found if found["teams"] else {}


def _each(statement: Any, which: Sequence[object]) -> Callable[[Tx], int]:
    return lambda tx: sum(tx.run(statement, {"which": one}) for one in which)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
