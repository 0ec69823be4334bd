"""Every statement, once, in no database's dialect.

What ends in `_to_change` is read by whoever is about to change it: until the transaction ends
nobody else may. PostgreSQL locks the row for that; SQLite has a single writer and leaves it out.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from amazonia.store.tables import (
    devices,
    events,
    listeners,
    meta,
    replies,
    reports,
    spending,
    teams,
    turn_events,
    turns,
)

p = bindparam


def to_change(query: Select[Any]) -> Select[Any]:
    """A query whose rows nobody else may change until the transaction ends."""
    return query.with_for_update(key_share=True)


# ── teams and devices ───────────────────────────────────────────────────────────────────────────

TEAM_FIELDS = (
    teams.c.id,
    teams.c.case_id,
    teams.c.lang,
    teams.c.name,
    teams.c.members,
    teams.c.resume_code,
    teams.c.version,
    teams.c.state,
    teams.c.class_id,
    teams.c.removed_at,
)

add_team = insert(teams).values({c.name: p(c.name) for c in teams.columns})
team = select(*TEAM_FIELDS).where(teams.c.id == p("team_id"))
team_to_change = to_change(team)
team_by_code = select(*TEAM_FIELDS).where(teams.c.resume_code == p("resume_code"))
team_by_device = (
    select(*TEAM_FIELDS)
    .join(devices, devices.c.team_id == teams.c.id)
    .where(
        devices.c.id == p("device"),
        devices.c.revoked_at.is_(None),
        devices.c.created_at > p("since"),
    )
)
team_version = select(teams.c.version).where(teams.c.id == p("team_id"))
move_team = (
    update(teams)
    .where(teams.c.id == p("team_id"), teams.c.version == p("expected"))
    .values(version=p("new_version"), state=p("new_state"), updated_at=p("now"))
)
rename_team = (
    update(teams)
    .where(teams.c.id == p("team_id"))
    .values(name=p("new_name"), members=p("heads"), updated_at=p("now"))
)

add_device = insert(devices).values(id=p("id"), team_id=p("team_id"), created_at=p("at"))
revoke_device = (
    update(devices)
    .where(devices.c.id == p("device"), devices.c.revoked_at.is_(None))
    .values(revoked_at=p("now"))
)

add_event = insert(events).values({c.name: p(c.name) for c in events.columns})

# ── turns ───────────────────────────────────────────────────────────────────────────────────────

TURN_FIELDS = (
    turns.c.id,
    turns.c.team_id,
    turns.c.character,
    turns.c.message,
    turns.c.shown,
    turns.c.status,
    turns.c.beat,
    turns.c.answer,
    turns.c.reply,
    turns.c.source,
    turns.c.accepted_at,
    turns.c.elapsed_ms,
    turns.c.owner,
    turns.c.seed,
)

_of_talk = (turns.c.team_id == p("team_id"), turns.c.character == p("character"))


def _same_question(*, shown: bool) -> Select[tuple[object, ...]]:
    """The newest turn of a question that runs or was accepted lately."""
    what = turns.c.shown == p("shown") if shown else turns.c.shown.is_(None)
    lately = or_(turns.c.status == "speaking", turns.c.accepted_at > p("since"))
    return (
        select(*TURN_FIELDS)
        .where(*_of_talk, turns.c.key == p("key"), what, lately)
        .order_by(turns.c.version.desc())
        .limit(1)
    )


same_question = _same_question(shown=False)
same_question_with_clue = _same_question(shown=True)
running_turn = select(*TURN_FIELDS).where(*_of_talk, turns.c.status == "speaking").limit(1)
add_turn = insert(turns).values({c.name: p(c.name) for c in turns.columns})
turn = select(*TURN_FIELDS).where(turns.c.id == p("turn_id"))
turn_to_change = to_change(turn)
team_turn = turn.where(turns.c.team_id == p("team_id"))
history = select(*TURN_FIELDS).where(*_of_talk).order_by(turns.c.version)
recent = (
    select(*TURN_FIELDS)
    .where(*_of_talk, turns.c.status == "done")
    .order_by(turns.c.version.desc())
    .limit(p("most", type_=Integer))
)
speaking = select(*TURN_FIELDS).where(turns.c.status == "speaking")
speaking_of_team = speaking.where(turns.c.team_id == p("team_id"))
finish_turn = (
    update(turns)
    .where(turns.c.id == p("turn_id"), turns.c.status == "speaking")
    .values(
        status="done",
        reply=p("new_reply"),
        source=p("new_source"),
        finished_at=p("now"),
        elapsed_ms=p("new_elapsed_ms"),
    )
)

_turn_event = (p("seq", type_=Integer), p("kind", type_=String), p("data", type_=Text))
_still_speaking = to_change(
    select(turns.c.id).where(turns.c.id == p("turn_id"), turns.c.status == "speaking")
).subquery()
add_turn_event_while_speaking = insert(turn_events).from_select(
    ["turn_id", "seq", "kind", "data"], select(_still_speaking.c.id, *_turn_event)
)
add_turn_event_if_new = insert(turn_events).from_select(
    ["turn_id", "seq", "kind", "data"],
    select(p("turn_id", type_=String), *_turn_event).where(
        ~exists().where(
            turn_events.c.turn_id == p("turn_id"), turn_events.c.seq == p("seq", type_=Integer)
        )
    ),
)
MANY = 32
"""Turns that are looked up at once; where there are fewer, one is named several times."""
MANY_NAMES = tuple(f"turn_{i}" for i in range(MANY))
_many: list[BindParameter[str]] = [p(name) for name in MANY_NAMES]
turn_statuses = select(turns.c.id, turns.c.status).where(turns.c.id.in_(_many))
turns_said = (
    select(turn_events.c.turn_id, turn_events.c.seq, turn_events.c.kind, turn_events.c.data)
    .where(turn_events.c.turn_id.in_(_many), turn_events.c.seq > p("after"))
    .order_by(turn_events.c.turn_id, turn_events.c.seq)
)

NO_QUESTION = "(FORGOTTEN)"
"""The key of a turn that no question repeats: keys of questions have no capital letters."""
repeatable = select(turns.c.id).where(
    turns.c.accepted_at > p("since"), turns.c.status == "done", turns.c.key != NO_QUESTION
)
forget_question = update(turns).where(turns.c.id == p("turn_id")).values(key=NO_QUESTION)

add_report = (
    insert(reports)
    .values(turn_id=p("turn_id"), team_id=p("team_id"), reason=p("reason"), at=p("at"))
    .inline()  # nobody wants its number
)

add_listener_while_speaking = insert(listeners).from_select(
    ["turn_id", "owner"],
    select(_still_speaking.c.id, p("process", type_=String)).where(
        ~exists().where(listeners.c.turn_id == p("turn_id"), listeners.c.owner == p("process"))
    ),
)
change_listener = (
    update(listeners)
    .where(listeners.c.turn_id == p("turn_id"), listeners.c.owner == p("process"))
    .values(left_at=p("new_left_at"))
)
turn_listeners = (
    select(listeners.c.owner, listeners.c.left_at)
    .where(listeners.c.turn_id == p("turn_id"))
    .order_by(listeners.c.owner)
)
forget_listeners = delete(listeners).where(listeners.c.turn_id == p("turn_id"))

# ── model replies ───────────────────────────────────────────────────────────────────────────────

_named = replies.c.key == p("name")
_flight = (_named, replies.c.owner == p("process"), replies.c.status == "running")
_complete = replies.c.status == "done"

reply = select(replies.c.status, replies.c.owner, replies.c.sentences, replies.c.used_at).where(
    _named
)
reply_to_change = to_change(reply)
add_reply = insert(replies).values(
    key=p("name"), status="running", owner=p("process"), sentences="[]", bytes=0, used_at=p("now")
)
take_reply = (
    update(replies)
    .where(_named)
    .values(status="running", owner=p("process"), sentences="[]", bytes=0, used_at=p("now"))
)
say_reply = update(replies).where(*_flight).values(sentences=p("so_far"))
finish_reply = (
    update(replies)
    .where(*_flight)
    .values(status="done", sentences=p("so_far"), bytes=p("size"), used_at=p("now"))
)
fail_reply = (
    update(replies).where(*_flight).values(status="failed", sentences="[]", used_at=p("now"))
)
abandon_reply = delete(replies).where(*_flight)
use_reply = (
    update(replies).where(_named, _complete, replies.c.used_at < p("now")).values(used_at=p("now"))
)

forget_unfinished = delete(replies).where(
    or_(
        and_(replies.c.status == "failed", replies.c.used_at < p("failed_before")),
        and_(replies.c.status == "running", replies.c.used_at < p("begun_before")),
    )
)
reply_bytes = select(func.coalesce(func.sum(replies.c.bytes), 0)).where(_complete)
least_used_replies = (
    select(replies.c.key, replies.c.bytes)
    .where(_complete)
    .order_by(replies.c.used_at)
    .limit(p("most", type_=Integer))
)
forget_reply = delete(replies).where(_named, _complete)
complete_replies = select(func.count()).where(_complete)
forget_all_replies = delete(replies)

# ── spending ────────────────────────────────────────────────────────────────────────────────────

spent = select(spending.c.tokens, spending.c.micros).where(
    spending.c.day == p("date"), spending.c.scope == p("purse")
)
spent_to_change = to_change(spent)
spend = (
    update(spending)
    .where(spending.c.day == p("date"), spending.c.scope == p("purse"))
    .values(
        tokens=spending.c.tokens + p("more_tokens", type_=BigInteger),
        micros=spending.c.micros + p("more_micros", type_=BigInteger),
    )
)
pay = spend.where(
    or_(
        p("most_tokens", type_=BigInteger) == 0,
        spending.c.tokens + p("more_tokens", type_=BigInteger) <= p("most_tokens"),
    ),
    or_(
        p("most_micros", type_=BigInteger) == 0,
        spending.c.micros + p("more_micros", type_=BigInteger) <= p("most_micros"),
    ),
)
"""Spends from a purse that holds enough."""
begin_spending = insert(spending).values(
    day=p("date"), scope=p("purse"), tokens=p("more_tokens"), micros=p("more_micros")
)

# ── meta ────────────────────────────────────────────────────────────────────────────────────────

note = select(meta.c.value).where(meta.c.key == p("name"))
note_to_change = to_change(note)
add_note = insert(meta).values(key=p("name"), value=p("text"))
change_note = update(meta).where(meta.c.key == p("name")).values(value=p("text"))
