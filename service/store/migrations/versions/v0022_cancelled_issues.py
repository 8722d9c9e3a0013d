"""The time at which an issue was cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

CANCELLED = sa.text("cancelled_at IS NOT NULL")


def upgrade() -> None:
    """Add the column, empty, and its index."""
    op.add_column("issues", sa.Column("cancelled_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_issues_cancelled",
        "issues",
        ["newsletter"],
        sqlite_where=CANCELLED,
        postgresql_where=CANCELLED,
    )
