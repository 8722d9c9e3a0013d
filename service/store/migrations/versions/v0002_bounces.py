"""Deliveries that came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger()


def upgrade() -> None:
    """Make the table of bounces."""
    op.create_table(
        "bounces",
        sa.Column("subscriber", BIG, autoincrement=False, nullable=False),
        sa.Column("issue", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subscriber", "issue", name="pk_bounces"),
        sqlite_with_rowid=False,
    )
