"""The channel that a subscriber chose for their digests, with them and with each of their deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
CHOSEN = sa.text("channel IS NOT NULL")
PERSONAL_OUTBOX = sa.text("channel IS NOT NULL AND state IN ('planned', 'deferred')")


def upgrade() -> None:
    """Add the columns, empty: everybody's digests go by the site's mail channel."""
    op.add_column("subscribers", sa.Column("channel", ID, nullable=True))
    op.create_index(
        "ix_subscribers_channel", "subscribers", ["channel"], sqlite_where=CHOSEN, postgresql_where=CHOSEN
    )
    op.add_column("deliveries", sa.Column("channel", ID, nullable=True))
    op.create_index(
        "ix_deliveries_channel",
        "deliveries",
        ["channel", "due_at"],
        sqlite_where=PERSONAL_OUTBOX,
        postgresql_where=PERSONAL_OUTBOX,
    )
