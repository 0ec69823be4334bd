"""Teams, devices and notes, in any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from amazonia.domain.codec import dump_state
from amazonia.domain.session import Event, play
from amazonia.errors import ClassFull, NoSession
from amazonia.ports import Change, Team
from amazonia.store import class_statements as classes_sql
from amazonia.store import statements as sql
from amazonia.store.database import Database, Row, Tx, hopefully
from amazonia.store.rows import dump, event_row, team_of, team_row

T = TypeVar("T")

EPOCH = {"name": "epoch"}


def save_events(tx: Tx, team: Team, events: Sequence[Event], at: float) -> Team:
    """Add events to a team and move its version by their number.

    It ends the job with `Overtaken` if the team moved since it was loaded.
    """
    if not events:
        return team
    state = play(team.state, events)
    version = team.version + len(events)
    values = {
        "team_id": team.id,
        "expected": team.version,
        "new_version": version,
        "new_state": dump(dump_state(state)),
        "now": at,
    }
    tx.put(sql.move_team, values, must=True)
    for number, event in enumerate(events, team.version + 1):
        tx.put(sql.add_event, event_row(team.id, number, event, at))
    return replace(team, version=version, state=state)


@dataclass(frozen=True, slots=True)
class StoredTeams:
    """The `Teams` port.

    Attributes:
        changed: is told of each team whose state or name is another.
    """

    database: Database
    changed: Callable[[str], None] = lambda _: None

    async def add(self, team: Team, at: float, most: int | None = None) -> None:
        """Store a new team."""
        row = team_row(team, at)

        def job(tx: Tx) -> None:
            if most is not None and _teams_in(tx, team.class_id) >= most:
                raise ClassFull(team.class_id)
            tx.put(sql.add_team, row)

        await self.database.write(job)

    async def get(self, team_id: str) -> Team | None:
        """A team by its id."""
        row = await self.database.read(lambda tx: tx.row(sql.team, {"team_id": team_id}))
        return team_of(row) if row else None

    async def by_code(self, resume_code: str) -> Team | None:
        """The team of a resume code."""
        row = await self.database.read(
            lambda tx: tx.row(sql.team_by_code, {"resume_code": resume_code})
        )
        return team_of(row) if row else None

    async def rename(self, team_id: str, name: str, members: int | None, at: float) -> None:
        """Give a team another name and head count."""
        values = {"team_id": team_id, "new_name": name, "heads": members, "now": at}
        await self.database.write(lambda tx: tx.put(sql.rename_team, values))
        self.changed(team_id)

    async def change(self, team_id: str, rule: Callable[[Team], Change[T]], at: float) -> T:
        """Apply a pure rule to the newest state and save what it says."""

        def job(tx: Tx, lock: bool) -> T:
            row = tx.row(sql.team_to_change if lock else sql.team, {"team_id": team_id})
            if row is None:
                raise NoSession(f"no team '{team_id}'")
            team = team_of(row)
            change = rule(team)
            save_events(tx, team, change.events, at)
            return change.result

        result = await hopefully(self.database, job)
        self.changed(team_id)
        return result

    async def versions(self, team_ids: Sequence[str]) -> Mapping[str, int]:
        """The versions of teams."""

        def job(tx: Tx) -> dict[str, int]:
            rows = {id_: tx.row(sql.team_version, {"team_id": id_}) for id_ in team_ids}
            return {id_: row[0] for id_, row in rows.items() if row}

        return await self.database.read(job)


@dataclass(frozen=True, slots=True)
class StoredDevices:
    """The `Devices` port."""

    database: Database

    async def add(self, device: str, team_id: str, at: float) -> None:
        """Sign a browser in."""
        values = {"id": device, "team_id": team_id, "at": at}
        await self.database.write(lambda tx: tx.put(sql.add_device, values))

    async def team(self, device: str, since: float) -> Team | None:
        """The team of a browser that signed in after `since` and was not revoked."""
        values = {"device": device, "since": since}
        row = await self.database.read(lambda tx: tx.row(sql.team_by_device, values))
        return team_of(row) if row else None

    async def revoke(self, device: str, at: float) -> None:
        """Sign a browser out."""
        values = {"device": device, "now": at}
        await self.database.write(lambda tx: tx.put(sql.revoke_device, values))


@dataclass(frozen=True, slots=True)
class StoredNotes:
    """The `Notes` port."""

    database: Database

    async def epoch(self) -> int:
        """The number of the present age of caches."""
        return await self.database.read(lambda tx: _epoch_of(tx.row(sql.note, EPOCH)))

    async def next_epoch(self) -> int:
        """Begin a new age."""

        def job(tx: Tx) -> int:
            row = tx.row(sql.note_to_change, EPOCH)
            epoch = _epoch_of(row) + 1
            tx.run(sql.change_note if row else sql.add_note, {**EPOCH, "text": str(epoch)})
            return epoch

        return await self.database.write(job)

    async def get(self, names: Sequence[str]) -> Mapping[str, str]:
        """The values of notes; one that nobody wrote is absent."""

        def job(tx: Tx) -> dict[str, str]:
            rows = {name: tx.row(sql.note, {"name": name}) for name in names}
            return {name: row[0] for name, row in rows.items() if row}

        return await self.database.read(job)

    async def set(self, name: str, text: str) -> None:
        """Write a note."""
        await self.database.write(lambda tx: _write_note(tx, name, text))


def _teams_in(tx: Tx, class_id: str) -> int:
    tx.row(classes_sql.class_to_change, {"class_id": class_id})  # whoever comes next waits here
    row = tx.row(classes_sql.count_teams, {"class_id": class_id})
    return int(row[0]) if row else 0


def _write_note(tx: Tx, name: str, text: str) -> None:
    values = {"name": name, "text": text}
    if not tx.run(sql.change_note, values):
        tx.run(sql.add_note, values)


def _epoch_of(row: Row | None) -> int:
    return int(row[0]) if row else 1
