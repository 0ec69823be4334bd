"""The leases of processes: each counts its own up, and whoever looks sees which stand still.

Nothing here is a time, so that clocks of different machines are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from amazonia.store.database import Database, Tx, hopefully
from amazonia.store.tables import leases

_mine = leases.c.owner == bindparam("process")
_BEAT = update(leases).where(_mine).values(beat=leases.c.beat + 1)
_BEGIN = insert(leases).values(owner=bindparam("process"), beat=1)
_LEAVE = delete(leases).where(_mine)
_ALL = select(leases.c.owner, leases.c.beat)


@dataclass(frozen=True, slots=True)
class StoredLeases:
    """The `Leases` port."""

    database: Database

    async def beat(self, owner: str) -> Mapping[str, int]:
        """Say that a process lives; the beats of all that there are."""

        def job(tx: Tx, begin: bool) -> dict[str, int]:
            beats: dict[str, int] = dict(tx.rows(_ALL, {}))
            mine = {"process": owner}
            tx.put(*((_BEGIN, mine) if begin else (_BEAT, mine)), must=True)
            return {**beats, owner: beats.get(owner, 0) + 1}

        return await hopefully(self.database, job)

    async def leave(self, owners: Sequence[str]) -> None:
        """Forget processes: they are gone."""
        values = [{"process": owner} for owner in owners]
        await self.database.write(lambda tx: tx.run_many(_LEAVE, values))
