"""Which processes live, for those of other machines."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "leases",
        sa.Column("owner", sa.String(96), primary_key=True),
        sa.Column("beat", sa.Integer, nullable=False),
    )
