"""The age from which items of a feed are no news: as configured, and by the schedules of newsletters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns, empty: the next start fills them from the configuration."""
    op.add_column("feeds", sa.Column("max_age_seconds", sa.Integer(), nullable=True))
    op.add_column("feeds", sa.Column("default_max_age_seconds", sa.Integer(), nullable=True))
