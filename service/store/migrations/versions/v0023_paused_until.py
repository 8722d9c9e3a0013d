"""Pauses of subscriptions until a date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

DATED = sa.text("paused_until IS NOT NULL")


def upgrade() -> None:
    """Add the column, empty, and its indexes."""
    op.add_column("subscriptions", sa.Column("paused_until", sa.BigInteger(), nullable=True))
    for name, column in (("paused_until", "paused_until"), ("paused_members", "group_number")):
        op.create_index(
            f"ix_subscriptions_{name}",
            "subscriptions",
            [column],
            sqlite_where=DATED,
            postgresql_where=DATED,
        )
