"""What the voice keeps: model replies, spending, and who listens to a turn."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables; those of version 0.1 stay as they are."""
    op.create_table(
        "listeners",
        sa.Column("turn_id", sa.String(24), sa.ForeignKey("turns.id"), primary_key=True),
        sa.Column("owner", sa.String(96), primary_key=True),
        sa.Column("left_at", sa.Float),
    )
    op.create_table(
        "replies",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(96), nullable=False),
        sa.Column("sentences", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("used_at", sa.Float, nullable=False),
    )
    op.create_index("ix_replies_used", "replies", ["status", "used_at", "bytes"])
    op.create_table(
        "spending",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("scope", sa.String(80), primary_key=True),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
    )
