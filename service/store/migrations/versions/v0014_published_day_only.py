"""Whether the publication date of an article is known to the day alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column, empty: dates of articles that are stored already keep their time."""
    op.add_column("articles", sa.Column("published_day_only", sa.Boolean(), nullable=True))
