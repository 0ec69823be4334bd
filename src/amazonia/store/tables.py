"""The tables. Times are seconds since 1970; JSON is text, written and read here alone."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

teams = Table(
    "teams",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("lang", String(16), nullable=False),
    Column("name", String(80), nullable=False),
    Column("members", Integer),
    Column("resume_code", String(12), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("class_id", String(24)),
    Column("removed_at", Float),
    UniqueConstraint("resume_code", name="uq_teams_resume_code"),
)
Index("ix_teams_class", teams.c.class_id)
Index("ix_teams_updated", teams.c.updated_at)

classes = Table(
    "classes",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("code", String(6), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("recovery", String(64), nullable=False),
    Column("passphrase", String(200), nullable=False),
    Column("settings", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("ended_at", Float),
    UniqueConstraint("code", name="uq_classes_code"),
    UniqueConstraint("key", name="uq_classes_key"),
)
Index("ix_classes_changed", classes.c.changed_at)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("class_id", String(24), ForeignKey("classes.id"), nullable=False),
    Column("team_id", String(24)),
    Column("kind", String(16), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Float, nullable=False),
)
Index("ix_commands_class", commands.c.class_id, commands.c.id)

flags = Table(
    "flags",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", String(24), ForeignKey("teams.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("seen_at", Float),
)
Index("ix_flags_team", flags.c.team_id)

devices = Table(
    "devices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", String(24), ForeignKey("teams.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)

events = Table(
    "events",
    metadata,
    Column("team_id", String(24), ForeignKey("teams.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Float, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("team_id", String(24), ForeignKey("teams.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("character", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("shown", String(64)),
    Column("status", String(8), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("beat", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("source", String(8), nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("elapsed_ms", Integer, nullable=False),
    Column("owner", String(96), nullable=False),
)
Index("ix_turns_talk", turns.c.team_id, turns.c.character, turns.c.version)
Index("ix_turns_status", turns.c.status, turns.c.team_id)

turn_events = Table(
    "turn_events",
    metadata,
    Column("turn_id", String(24), ForeignKey("turns.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("data", Text, nullable=False),
)

listeners = Table(
    "listeners",
    metadata,
    Column("turn_id", String(24), ForeignKey("turns.id"), primary_key=True),
    Column("owner", String(96), primary_key=True),
    Column("left_at", Float),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("turn_id", String(24), ForeignKey("turns.id"), nullable=False),
    Column("team_id", String(24), ForeignKey("teams.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

judgements = Table(
    "judgements",
    metadata,
    Column("team_id", String(24), ForeignKey("teams.id"), primary_key=True),
    Column("moment", String(8), primary_key=True),
    Column("form", String(16), nullable=False),
    Column("marks", Text, nullable=False),
    Column("at", Float, nullable=False),
)

replies = Table(
    "replies",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("status", String(8), nullable=False),
    Column("owner", String(96), nullable=False),
    Column("sentences", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("used_at", Float, nullable=False),
)
Index("ix_replies_used", replies.c.status, replies.c.used_at, replies.c.bytes)

spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("scope", String(80), primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("owner", String(96), primary_key=True),
    Column("beat", Integer, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", String(200), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("name", String(32), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("owner", String(80), nullable=False),
    Column("key", String(120), nullable=False),
    Column("status", String(8), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("progress", Float, nullable=False),
    Column("note", String(200), nullable=False),
    Column("result", Text, nullable=False),
    Column("error", String(200), nullable=False),
    Column("trace", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("ended_at", Float),
    UniqueConstraint("key", name="uq_jobs_key"),
)
Index("ix_jobs_due", jobs.c.status, jobs.c.due_at)
Index("ix_jobs_created", jobs.c.created_at)

job_files = Table(
    "job_files",
    metadata,
    Column("job_id", String(24), ForeignKey("jobs.id"), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(80), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", Float, nullable=False),
)
