"""The statements about classes, once, in no database's dialect."""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, func, insert, literal, select, update

from amazonia.store.statements import TEAM_FIELDS, to_change
from amazonia.store.tables import classes, commands, events, flags, teams, turns

p = bindparam

CLASS_FIELDS = (
    classes.c.id,
    classes.c.code,
    classes.c.case_id,
    classes.c.key,
    classes.c.recovery,
    classes.c.passphrase,
    classes.c.settings,
    classes.c.version,
    classes.c.created_at,
    classes.c.ends_at,
    classes.c.ended_at,
)

add_class = insert(classes).values({c.name: p(c.name) for c in classes.columns})
a_class = select(*CLASS_FIELDS).where(classes.c.id == p("class_id"))
class_to_change = to_change(a_class)
class_by_code = select(*CLASS_FIELDS).where(classes.c.code == p("code"))
class_by_key = select(*CLASS_FIELDS).where(classes.c.key == p("key"))
change_class = (
    update(classes)
    .where(classes.c.id == p("class_id"), classes.c.version == p("expected"))
    .values(
        key=p("new_key"),
        recovery=p("new_recovery"),
        passphrase=p("new_passphrase"),
        settings=p("new_settings"),
        version=p("new_version"),
        changed_at=p("now"),
        ends_at=p("new_ends_at"),
        ended_at=p("new_ended_at"),
    )
)

# ── the teams in them ───────────────────────────────────────────────────────────────────────────

_of_class = teams.c.class_id == p("class_id")

class_teams = select(*TEAM_FIELDS).where(_of_class).order_by(teams.c.created_at, teams.c.id)
count_teams = select(func.count()).where(_of_class, teams.c.removed_at.is_(None))
team_names = select(teams.c.name).where(_of_class)
remove_team = (
    update(teams)
    .where(teams.c.id == p("team_id"), _of_class, teams.c.removed_at.is_(None))
    .values(removed_at=p("now"), updated_at=p("now"))
)
set_language = update(teams).where(_of_class).values(lang=p("new_lang"), updated_at=p("now"))
joined_at = select(teams.c.created_at).where(teams.c.id == p("team_id"))
last_turn = (
    select(turns.c.character, turns.c.accepted_at)
    .where(turns.c.team_id == p("team_id"))
    .order_by(turns.c.accepted_at.desc())
    .limit(1)
)
last_event = (
    select(events.c.at)
    .where(events.c.team_id == p("team_id"))
    .order_by(events.c.seq.desc())
    .limit(1)
)
STEPS = ("ClueFound", "EvidenceShown", "RiddleTried", "RoundTried", "Published")
last_step = select(func.max(events.c.at)).where(
    events.c.team_id == p("team_id"), events.c.kind.in_(map(literal, STEPS))
)
conversation = (
    select(turns.c.character, turns.c.message, turns.c.reply, turns.c.accepted_at)
    .where(turns.c.team_id == p("team_id"))
    .order_by(turns.c.accepted_at.desc())
    .limit(p("most", type_=Integer))
)
moved_teams = select(teams.c.class_id, teams.c.id, teams.c.updated_at).where(
    teams.c.updated_at >= p("since"), teams.c.class_id.is_not(None)
)
moved_classes = select(classes.c.id, classes.c.changed_at).where(classes.c.changed_at >= p("since"))

# ── what was told to them ───────────────────────────────────────────────────────────────────────

add_command = insert(commands).values(
    class_id=p("class_id"), team_id=p("team_id"), kind=p("kind"), data=p("data"), at=p("at")
)
commands_after = (
    select(commands.c.id, commands.c.team_id, commands.c.kind, commands.c.data, commands.c.at)
    .where(commands.c.class_id == p("class_id"), commands.c.id > p("after"))
    .order_by(commands.c.id)
)

# ── marks ───────────────────────────────────────────────────────────────────────────────────────

add_flag = insert(flags).values(
    team_id=p("team_id"), kind=p("kind"), message=p("message"), at=p("at")
)
stir_team = update(teams).where(teams.c.id == p("team_id")).values(updated_at=p("now"))
team_flags = (
    select(flags.c.team_id, flags.c.kind, flags.c.message, flags.c.at, flags.c.seen_at)
    .where(flags.c.team_id == p("team_id"))
    .order_by(flags.c.id)
)
see_flags = (
    update(flags)
    .where(flags.c.team_id == p("team_id"), flags.c.seen_at.is_(None))
    .values(seen_at=p("now"))
)
