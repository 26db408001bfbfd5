"""What is delivered to sinks."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

_LONG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table of deliveries."""
    op.create_table(
        "deliveries",
        sa.Column("sink", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("sequence", _LONG, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", _LONG, nullable=False),
        sa.Column("next_at", _LONG, nullable=False),
        sa.Column("changed_at", _LONG, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
