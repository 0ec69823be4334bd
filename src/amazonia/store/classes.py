"""Classes, in any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import orjson

from amazonia.domain.case import Lang
from amazonia.errors import Conflict, NotTheTeacher
from amazonia.ports import Json, Team
from amazonia.ports.classes import (
    Activity,
    Classroom,
    Command,
    Exchanged,
    Flag,
    Moved,
    Seen,
    Vote,
)
from amazonia.store import class_statements as sql
from amazonia.store import statements
from amazonia.store.database import Database, Row, Tx
from amazonia.store.rows import dump, team_of

SETTINGS = ("lang", "voice", "paused", "held", "questionnaire", "keep_days")
"""What is kept together: nothing looks for classes by these."""


@dataclass(frozen=True, slots=True)
class StoredClasses:
    """The `Classes` port."""

    database: Database

    async def add(self, room: Classroom) -> None:
        """Store a new class."""
        row = _class_row(room)
        await self.database.write(lambda tx: tx.run(sql.add_class, row))

    async def get(self, class_id: str) -> Classroom | None:
        """A class by its id."""
        row = await self.database.read(lambda tx: tx.row(sql.a_class, {"class_id": class_id}))
        return class_of(row) if row else None

    async def by_code(self, code: str) -> Classroom | None:
        """A class by its code, whether or not it is over."""
        row = await self.database.read(lambda tx: tx.row(sql.class_by_code, {"code": code}))
        return class_of(row) if row else None

    async def by_key(self, key: str) -> Classroom | None:
        """A class by the digest of its private link."""
        row = await self.database.read(lambda tx: tx.row(sql.class_by_key, {"key": key}))
        return class_of(row) if row else None

    async def change(
        self,
        class_id: str,
        rule: Callable[[Classroom], Classroom],
        commands: Sequence[Command],
        at: float,
    ) -> Classroom:
        """Apply a pure rule to the newest state of a class and note commands."""

        def job(tx: Tx) -> Classroom:
            row = tx.row(sql.class_to_change, {"class_id": class_id})
            if row is None:
                raise NotTheTeacher(class_id)
            room = class_of(row)
            after = replace(rule(room), version=room.version + 1)
            if not tx.run(sql.change_class, _changed_row(after, room.version, at)):
                raise Conflict(f"class '{class_id}' moved past version {room.version}")
            tx.run_many(sql.add_command, [_command_row(class_id, c) for c in commands])
            return after

        return await self.database.write(job)

    async def teams(self, class_id: str) -> list[Team]:
        """Every team of a class, removed ones too, in the order in which they joined."""
        rows = await self.database.read(lambda tx: tx.rows(sql.class_teams, {"class_id": class_id}))
        return [team_of(row) for row in rows]

    async def everybody(self, class_id: str) -> list[Seen]:
        """Every team of a class, in the order in which they joined."""

        def job(tx: Tx) -> list[_SeenRow]:
            rows = tx.rows(sql.class_teams, {"class_id": class_id})
            return [_seen_row(tx, row) for row in rows]

        return [_seen_of(row) for row in await self.database.read(job)]

    async def look(self, team_ids: Sequence[str]) -> list[Seen]:
        """These teams, of whatever classes, in one reading."""

        def job(tx: Tx) -> list[_SeenRow]:
            found = (tx.row(statements.team, {"team_id": id_}) for id_ in team_ids)
            return [_seen_row(tx, row) for row in found if row]

        return [_seen_of(row) for row in await self.database.read(job)]

    async def progressed(self, team_ids: Sequence[str]) -> Mapping[str, float]:
        """When each team last found, solved or won something."""

        def job(tx: Tx) -> dict[str, float]:
            rows = {id_: tx.row(sql.last_step, {"team_id": id_}) for id_ in team_ids}
            return {id_: row[0] for id_, row in rows.items() if row and row[0] is not None}

        return await self.database.read(job)

    async def conversation(self, team_id: str, most: int) -> list[Exchanged]:
        """What a team asked and was answered, oldest first."""
        values = {"team_id": team_id, "most": most}
        rows = await self.database.read(lambda tx: tx.rows(sql.conversation, values))
        return [Exchanged(*row) for row in reversed(rows)]

    async def names(self, class_id: str) -> list[str]:
        """The names of its teams."""
        rows = await self.database.read(lambda tx: tx.rows(sql.team_names, {"class_id": class_id}))
        return [row[0] for row in rows]

    async def remove_team(self, class_id: str, team_id: str, at: float) -> bool:
        """Take a team out of a class."""
        values = {"class_id": class_id, "team_id": team_id, "now": at}
        return bool(await self.database.write(lambda tx: tx.run(sql.remove_team, values)))

    async def set_language(self, class_id: str, lang: Lang, at: float) -> None:
        """Let every team of a class play in another language."""
        values = {"class_id": class_id, "new_lang": lang, "now": at}
        await self.database.write(lambda tx: tx.run(sql.set_language, values))

    async def commands(self, class_id: str, after: int = 0) -> list[Command]:
        """The commands after one, oldest first."""
        values = {"class_id": class_id, "after": after}
        rows = await self.database.read(lambda tx: tx.rows(sql.commands_after, values))
        return [
            Command(kind, orjson.loads(data), at, team_id or "", id_)
            for id_, team_id, kind, data, at in rows
        ]

    async def moved(self, since: float) -> Moved:
        """What moved at `since` or later, in all classes."""

        def job(tx: Tx) -> Moved:
            teams = tx.rows(sql.moved_teams, {"since": since})
            return Moved(tuple(teams), tuple(tx.rows(sql.moved_classes, {"since": since})))

        return await self.database.read(job)

    async def flag(self, flag: Flag) -> None:
        """Mark a team; its class moves with it."""
        values = {n: getattr(flag, n) for n in ("team_id", "kind", "message", "at")}

        def job(tx: Tx) -> None:
            tx.run(sql.add_flag, values)
            tx.run(sql.stir_team, {"team_id": flag.team_id, "now": flag.at})

        await self.database.write(job)

    async def flags(self, team_ids: Sequence[str]) -> Mapping[str, list[Flag]]:
        """The marks of teams, oldest first."""

        def job(tx: Tx) -> dict[str, list[Flag]]:
            found = {id_: tx.rows(sql.team_flags, {"team_id": id_}) for id_ in team_ids}
            return {id_: [Flag(*row) for row in rows] for id_, rows in found.items() if rows}

        return await self.database.read(job)

    async def see_flags(self, team_id: str, at: float) -> None:
        """A teacher has seen a team's marks."""

        def job(tx: Tx) -> None:
            tx.run(sql.see_flags, {"team_id": team_id, "now": at})
            tx.run(sql.stir_team, {"team_id": team_id, "now": at})

        await self.database.write(job)


_SeenRow = tuple[Row, Activity, list[Row]]


def _seen_row(tx: Tx, row: Row) -> _SeenRow:
    return row, _activity(tx, row[0]), tx.rows(sql.team_flags, {"team_id": row[0]})


def _seen_of(row: _SeenRow) -> Seen:
    team, active, flags = row
    return Seen(team_of(team), active, tuple(Flag(*flag) for flag in flags))


def _activity(tx: Tx, team_id: str) -> Activity:
    values = {"team_id": team_id}
    joined, turn = tx.row(sql.joined_at, values), tx.row(sql.last_turn, values)
    event = tx.row(sql.last_event, values)
    begun = joined[0] if joined else 0.0
    times = [begun, *([turn[1]] if turn else []), *([event[0]] if event else [])]
    return Activity(turn[0] if turn else "", max(times), begun)


def class_of(row: Row) -> Classroom:
    """A class, from a row of `CLASS_FIELDS`."""
    id_, code, case_id, key, recovery, passphrase, settings, version, created, ends, ended = row
    kept = orjson.loads(settings)
    vote = kept["vote"]
    return Classroom(
        id=id_,
        code=code,
        case_id=case_id,
        key=key,
        recovery=recovery,
        passphrase=passphrase,
        lang=Lang(kept["lang"]),
        created_at=created,
        ends_at=ends,
        ended_at=ended,
        voice=kept["voice"],
        paused=kept["paused"],
        held=kept["held"],
        vote=Vote(**{**vote, "options": tuple(vote["options"]), "hands": tuple(vote["hands"])})
        if vote
        else None,
        questionnaire=kept["questionnaire"],
        keep_days=kept["keep_days"],
        version=version,
    )


def _settings(room: Classroom) -> str:
    kept = {name: getattr(room, name) for name in SETTINGS}
    return dump({**kept, "vote": asdict(room.vote) if room.vote else None})


def _class_row(room: Classroom) -> Json:
    return {
        "id": room.id,
        "code": room.code,
        "case_id": room.case_id,
        "key": room.key,
        "recovery": room.recovery,
        "passphrase": room.passphrase,
        "settings": _settings(room),
        "version": room.version,
        "created_at": room.created_at,
        "changed_at": room.created_at,
        "ends_at": room.ends_at,
        "ended_at": room.ended_at,
    }


def _changed_row(room: Classroom, expected: int, at: float) -> Json:
    return {
        "class_id": room.id,
        "expected": expected,
        "new_key": room.key,
        "new_recovery": room.recovery,
        "new_passphrase": room.passphrase,
        "new_settings": _settings(room),
        "new_version": room.version,
        "now": at,
        "new_ends_at": room.ends_at,
        "new_ended_at": room.ended_at,
    }


def _command_row(class_id: str, command: Command) -> Json:
    return {
        "class_id": class_id,
        "team_id": command.team_id or None,
        "kind": command.kind,
        "data": dump(command.data),
        "at": command.at,
    }
