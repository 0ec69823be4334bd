"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables as they were in version 0.1."""
    op.create_table(
        "teams",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("lang", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("members", sa.Integer),
        sa.Column("resume_code", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.UniqueConstraint("resume_code", name="uq_teams_resume_code"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("revoked_at", sa.Float),
    )
    op.create_table(
        "events",
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("character", sa.String(64), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("shown", sa.String(64)),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("beat", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("elapsed_ms", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(96), nullable=False),
    )
    op.create_index("ix_turns_talk", "turns", ["team_id", "character", "version"])
    op.create_index("ix_turns_status", "turns", ["status", "team_id"])
    op.create_table(
        "turn_events",
        sa.Column("turn_id", sa.String(24), sa.ForeignKey("turns.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("turn_id", sa.String(24), sa.ForeignKey("turns.id"), nullable=False),
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(200), nullable=False),
    )
