"""Classes: who opened them, which teams play in them, what was told to them, marks of worry."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables; teams learn which class they belong to."""
    op.add_column("teams", sa.Column("class_id", sa.String(24)))
    op.add_column("teams", sa.Column("removed_at", sa.Float))
    op.create_index("ix_teams_class", "teams", ["class_id"])
    op.create_index("ix_teams_updated", "teams", ["updated_at"])
    op.create_table(
        "classes",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("code", sa.String(6), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("recovery", sa.String(64), nullable=False),
        sa.Column("passphrase", sa.String(200), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.UniqueConstraint("code", name="uq_classes_code"),
        sa.UniqueConstraint("key", name="uq_classes_key"),
    )
    op.create_index("ix_classes_changed", "classes", ["changed_at"])
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("class_id", sa.String(24), sa.ForeignKey("classes.id"), nullable=False),
        sa.Column("team_id", sa.String(24)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("ix_commands_class", "commands", ["class_id", "id"])
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float),
    )
    op.create_index("ix_flags_team", "flags", ["team_id"])
