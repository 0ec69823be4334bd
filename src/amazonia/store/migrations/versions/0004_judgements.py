"""The questionnaire on judging sources: a team's answers before and after."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "judgements",
        sa.Column("team_id", sa.String(24), sa.ForeignKey("teams.id"), primary_key=True),
        sa.Column("moment", sa.String(8), primary_key=True),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
