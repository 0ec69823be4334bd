"""Jobs and their files, in any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from sqlalchemy import (
    Integer,
    LargeBinary,
    and_,
    bindparam,
    delete,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql import ClauseElement

from amazonia.errors import Conflict
from amazonia.ports import Json
from amazonia.ports.jobs import Job, JobFile, JobStatus
from amazonia.store.database import Database, Row, Tx
from amazonia.store.rows import dump
from amazonia.store.tables import job_files, jobs

p = bindparam

NOTE = 200
"""Characters that are kept of a note or an error."""

_FIELDS = tuple(jobs.columns)
_named = jobs.c.id == p("job_id")
_mine = (_named, jobs.c.attempt == p("mine"), jobs.c.status == "running")
_waits = or_(jobs.c.status == "queued", and_(jobs.c.status == "failed", jobs.c.due_at <= p("now")))
_is_open = or_(*(jobs.c.status == status for status in ("queued", "running", "failed")))
_is_old = or_(
    jobs.c.status == "dead", and_(jobs.c.status == "done", jobs.c.ended_at < p("done_since"))
)

_add = insert(jobs).values({c.name: p(c.name) for c in jobs.columns})
_job = select(*_FIELDS).where(_named)
_by_key = select(*_FIELDS).where(jobs.c.key == p("same"))
_free_key = update(jobs).where(jobs.c.key == p("same"), _is_old).values(key=jobs.c.id)
_newest = select(*_FIELDS).order_by(jobs.c.created_at.desc()).limit(p("most", type_=Integer))
_newest_so = _newest.where(jobs.c.status == p("so"))
_begin = (
    update(jobs)
    .where(_named, _waits)
    .values(status="running", attempt=jobs.c.attempt + 1, due_at=p("until"), error="")
)
_renew = update(jobs).where(*_mine).values(due_at=p("until"))
_advance = update(jobs).where(*_mine).values(due_at=p("until"), progress=p("part"), note=p("words"))
_finish = (
    update(jobs)
    .where(*_mine)
    .values(status="done", progress=1.0, note="", result=p("made"), ended_at=p("now"))
)
_set_back = (
    update(jobs)
    .where(*_mine)
    .values(status=p("so"), error=p("why"), due_at=p("due"), ended_at=p("now"))
)
_overdue = (
    select(*_FIELDS)
    .where(_is_open, jobs.c.due_at < p("before"))
    .order_by(jobs.c.due_at)
    .limit(p("most", type_=Integer))
)
_take_over = (
    update(jobs)
    .where(_named, jobs.c.due_at == p("was_due"), jobs.c.status == p("was"))
    .values(status="queued", due_at=p("until"))
)
_retry = (
    update(jobs)
    .where(_named, jobs.c.status == "dead")
    .values(
        status="queued",
        attempt=0,
        error="",
        deadline=p("last"),
        due_at=p("due"),
        ended_at=null(),
    )
)
_add_file = insert(job_files).values(
    job_id=p("job_id"),
    name=p("called"),
    kind=p("sort"),
    body=p("bytes", type_=LargeBinary),
    expires_at=p("until"),
)
_file = select(job_files.c.name, job_files.c.kind, job_files.c.body, job_files.c.expires_at).where(
    job_files.c.job_id == p("job_id"), job_files.c.expires_at > p("now")
)
_forget_file = delete(job_files).where(job_files.c.job_id == p("job_id"))


@dataclass(frozen=True, slots=True)
class StoredJobs:
    """The `JobBook` port.

    Attributes:
        changed: is told of each job whose page shows something else now.
    """

    database: Database
    changed: Callable[[str], None] = lambda _: None

    async def add(self, job: Job, done_since: float) -> Job:
        """Store a new job, or find the one of its key that is under way or was done lately."""

        def write(tx: Tx) -> Job:
            tx.run(_free_key, {"same": job.key, "done_since": done_since})
            if row := tx.row(_by_key, {"same": job.key}):
                return _job_of(row)
            tx.run(_add, _row(job))
            return job

        try:
            return await self.database.write(write)
        except Conflict:  # somebody else was faster, and has committed
            return await self.database.write(write)

    async def look(self, ids: Sequence[str]) -> Mapping[str, Job]:
        """Jobs by their ids; one that is not there is absent."""

        def read(tx: Tx) -> dict[str, Job]:
            rows = {id_: tx.row(_job, {"job_id": id_}) for id_ in ids}
            return {id_: _job_of(row) for id_, row in rows.items() if row}

        return await self.database.read(read)

    async def newest(self, most: int, status: JobStatus | None = None) -> list[Job]:
        """The newest jobs, of one status or of all."""
        if status is None:
            rows = await self.database.read(lambda tx: tx.rows(_newest, {"most": most}))
        else:
            values = {"most": most, "so": status}
            rows = await self.database.read(lambda tx: tx.rows(_newest_so, values))
        return [_job_of(row) for row in rows]

    async def begin(self, job_id: str, now: float, until: float) -> Job | None:
        """Take a job that waits, until the lease ends; None if it does not wait."""

        def write(tx: Tx) -> Job | None:
            if not tx.run(_begin, {"job_id": job_id, "now": now, "until": until}):
                return None
            row = tx.row(_job, {"job_id": job_id})
            return _job_of(row) if row else None

        begun = await self.database.write(write)
        self._tell(job_id, is_news=begun is not None)
        return begun

    async def advance(
        self, job: Job, until: float, progress: float | None = None, note: str = ""
    ) -> bool:
        """Renew the lease, perhaps with news."""
        values = {**_mine_is(job), "until": until}
        if progress is None:
            renewed = await self.database.write(lambda tx: tx.put(_renew, values))
            return renewed.count > 0
        values |= {"part": min(1.0, max(0.0, progress)), "words": note[:NOTE]}
        return await self._put(job.id, _advance, values)

    async def finish(self, job: Job, result: Json, file: JobFile | None, now: float) -> bool:
        """Store what came of a job, all or nothing."""

        def write(tx: Tx) -> bool:
            if not tx.run(_finish, {**_mine_is(job), "made": dump(result), "now": now}):
                return False
            tx.run(_forget_file, {"job_id": job.id})
            if file is not None:
                tx.run(_add_file, _file_row(job, file))
            return True

        return self._tell(job.id, is_news=await self.database.write(write))

    async def set_back(self, job: Job, status: JobStatus, error: str, due_at: float) -> bool:
        """End an attempt without a result."""
        ended = due_at if status == "dead" else None
        values = {
            **_mine_is(job), "so": status, "why": error[:NOTE], "due": due_at, "now": ended
        }  # fmt: skip
        return await self._put(job.id, _set_back, values)

    async def take_overdue(self, before: float, until: float, most: int) -> list[Job]:
        """Take over jobs that nobody looked after; nobody else gets them."""
        values = {"before": before, "most": most}
        rows = await self.database.read(lambda tx: tx.rows(_overdue, values))
        overdue = [_job_of(row) for row in rows]
        if not overdue:  # nearly always: no write then
            return []

        def write(tx: Tx) -> list[Job]:
            return [job for job in overdue if tx.run(_take_over, _was(job, until))]

        taken = await self.database.write(write)
        for job in taken:
            self.changed(job.id)
        return [replace(job, status="queued", due_at=until) for job in taken]

    async def retry(self, job_id: str, deadline: float, due_at: float) -> bool:
        """Let a dead job wait again."""
        values = {"job_id": job_id, "last": deadline, "due": due_at}
        return await self._put(job_id, _retry, values)

    async def file(self, job_id: str, now: float) -> JobFile | None:
        """The file of a job, while there is one."""
        values = {"job_id": job_id, "now": now}
        row = await self.database.read(lambda tx: tx.row(_file, values))
        return JobFile(row[0], row[1], bytes(row[2]), row[3]) if row else None

    async def _put(self, job_id: str, change: ClauseElement, values: Json) -> bool:
        """Make a change that a page shows; whether the job was as it expects."""
        made = await self.database.write(lambda tx: tx.put(change, values))
        return self._tell(job_id, is_news=made.count > 0)

    def _tell(self, job_id: str, *, is_news: bool) -> bool:
        if is_news:
            self.changed(job_id)
        return is_news


def _mine_is(job: Job) -> dict[str, object]:
    return {"job_id": job.id, "mine": job.attempt}


def _was(job: Job, until: float) -> dict[str, object]:
    return {"job_id": job.id, "was": job.status, "was_due": job.due_at, "until": until}


def _file_row(job: Job, file: JobFile) -> dict[str, object]:
    return {
        "job_id": job.id,
        "called": file.name,
        "sort": file.kind,
        "bytes": file.body,
        "until": file.expires_at,
    }


def _row(job: Job) -> dict[str, object]:
    row: dict[str, object] = {column.name: getattr(job, column.name) for column in _FIELDS}
    return {**row, "arguments": dump(job.arguments), "result": dump(job.result)}


def _job_of(row: Row) -> Job:
    named = dict(zip((column.name for column in _FIELDS), row, strict=True))
    arguments, result = orjson.loads(named["arguments"]), orjson.loads(named["result"])
    return Job(**{**named, "arguments": arguments, "result": result})
