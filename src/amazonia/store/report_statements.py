"""The statements about what is kept of a class, once, in no database's dialect."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
)

from amazonia.store.tables import (
    classes,
    devices,
    events,
    flags,
    job_files,
    jobs,
    judgements,
    metadata,
    reports,
    spending,
    teams,
    turns,
)

p = bindparam

_of_class = (teams.c.class_id == p("class_id"), teams.c.removed_at.is_(None))

# ── what a report is made from ──────────────────────────────────────────────────────────────────

record_teams = (
    select(teams.c.id, teams.c.name, teams.c.members, teams.c.created_at)
    .where(*_of_class)
    .order_by(teams.c.created_at, teams.c.id)
)
record_events = (
    select(events.c.team_id, events.c.kind, events.c.data, events.c.at)
    .join(teams, teams.c.id == events.c.team_id)
    .where(*_of_class)
    .order_by(events.c.team_id, events.c.seq)
)
record_questions = (
    select(turns.c.team_id, turns.c.accepted_at, turns.c.character, turns.c.source)
    .join(teams, teams.c.id == turns.c.team_id)
    .where(*_of_class)
    .order_by(turns.c.team_id, turns.c.version)
)
_JUDGED = (
    judgements.c.team_id,
    judgements.c.moment,
    judgements.c.form,
    judgements.c.marks,
    judgements.c.at,
)
record_judgements = (
    select(*_JUDGED)
    .join(teams, teams.c.id == judgements.c.team_id)
    .where(*_of_class)
    .order_by(judgements.c.team_id, judgements.c.at)
)
record_complaints = (
    select(reports.c.team_id, func.count())
    .join(teams, teams.c.id == reports.c.team_id)
    .where(*_of_class)
    .group_by(reports.c.team_id)
)
record_flags = (
    select(flags.c.team_id, flags.c.at, flags.c.kind)
    .join(teams, teams.c.id == flags.c.team_id)
    .where(*_of_class)
    .order_by(flags.c.team_id, flags.c.id)
)
record_versions = (
    select(teams.c.id, teams.c.version, teams.c.name, teams.c.updated_at)
    .where(*_of_class)
    .order_by(teams.c.id)
)

# ── the questionnaire ───────────────────────────────────────────────────────────────────────────

team_judgements = select(*_JUDGED).where(judgements.c.team_id == p("team_id"))
add_judgement = insert(judgements).values({c.name: p(c.name) for c in judgements.columns})
_me = select(teams.c.class_id, teams.c.created_at).where(teams.c.id == p("team_id")).subquery()
earlier_teams = (
    select(func.count())
    .select_from(teams)
    .join(_me, _me.c.class_id == teams.c.class_id)
    .where(teams.c.created_at < _me.c.created_at)
)

# ── all of it ───────────────────────────────────────────────────────────────────────────────────

_team_ids = select(teams.c.id).where(teams.c.class_id == p("class_id"))
_turn_ids = select(turns.c.id).where(turns.c.team_id.in_(_team_ids))
class_team_ids = _team_ids


_OWNER = literal("class:").concat(p("class_id"))
"""The owner of the jobs that a class's teacher ordered."""


def _belongs(table: Table) -> ColumnElement[bool]:
    """Whether a row is kept of the class: by its columns, so that a new table is not forgotten."""
    ways: list[ColumnElement[bool]] = []
    if table is classes:
        ways.append(classes.c.id == p("class_id"))
    if "class_id" in table.c:
        ways.append(table.c.class_id == p("class_id"))
    if "team_id" in table.c:
        ways.append(table.c.team_id.in_(_team_ids))
    if "turn_id" in table.c:
        ways.append(table.c.turn_id.in_(_turn_ids))
    if table is jobs:
        ways.append(jobs.c.owner == _OWNER)
    if table is job_files:
        ways.append(job_files.c.job_id.in_(select(jobs.c.id).where(jobs.c.owner == _OWNER)))
    return or_(false(), *ways)


def _is_kept_of_classes(table: Table) -> bool:
    owned = table in {classes, jobs, job_files}
    return owned or not {"class_id", "team_id", "turn_id"}.isdisjoint(table.c.keys())


_LAST = (jobs, turns, teams, classes)
"""Tables by which the rows of the others are found."""
CLASS_TABLES = (
    *(t for t in reversed(metadata.sorted_tables) if _is_kept_of_classes(t) and t not in _LAST),
    *_LAST,
)
"""The tables that keep something of a class, in an order in which rows can be erased."""

erase = {str(table.name): delete(table).where(_belongs(table)) for table in CLASS_TABLES}
erase_spending = delete(spending).where(spending.c.scope == p("purse"))
spent_by = select(spending).where(spending.c.scope == p("purse")).order_by(spending.c.day)

_DOORS = {
    devices.name: {"id"},
    teams.name: {"resume_code"},
    classes.name: {"key", "recovery", "passphrase"},
}
"""Columns that let somebody in; they are handed to nobody."""


def _all_rows(table: Table) -> Select[tuple[object, ...]]:
    shown = [c for c in table.columns if c.name not in _DOORS.get(table.name, ())]
    return select(*shown).where(_belongs(table)).order_by(*table.primary_key.columns)


everything = {
    str(table.name): _all_rows(table)
    for table in reversed(CLASS_TABLES)
    if table not in {jobs, job_files}  # made from the rest, and no part of what was done
}

# ── how long it is kept ─────────────────────────────────────────────────────────────────────────

_last = func.max(func.coalesce(teams.c.updated_at, 0.0))
unused_classes = (
    select(classes.c.id, classes.c.changed_at, _last)
    .outerjoin(teams, teams.c.class_id == classes.c.id)
    .where(classes.c.changed_at < p("at"))
    .group_by(classes.c.id, classes.c.changed_at)
    .having(func.coalesce(_last, 0.0) < p("at"))
)
