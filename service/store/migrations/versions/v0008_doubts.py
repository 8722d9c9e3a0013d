"""How often it was not known whether a delivery arrived, so that nobody is sent the same mail for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Give each delivery a count of its doubts."""
    op.add_column("deliveries", sa.Column("doubts", sa.SmallInteger(), server_default="0", nullable=False))
