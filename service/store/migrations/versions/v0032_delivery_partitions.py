"""Partitions of the deliveries on PostgreSQL, by the number of their issue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

ISSUES_EACH = 1_000_000_000
INDEXES = {
    "ix_deliveries_outbox": "(due_at) WHERE state IN ('planned', 'deferred')",
    "ix_deliveries_transactional": "(due_at) WHERE transactional AND state IN ('planned', 'deferred')",
    "ix_deliveries_channel": (
        "(channel, due_at) WHERE channel IS NOT NULL AND state IN ('planned', 'deferred')"
    ),
    "ix_deliveries_in_doubt": "(due_at) WHERE state IN ('attempting', 'uncertain')",
    "ix_deliveries_undelivered": (
        "(issue, state, subscriber) "
        "WHERE state IN ('deferred', 'refused', 'suppressed', 'uncertain', 'cancelled')"
    ),
    "ix_deliveries_held": "(token) WHERE token IS NOT NULL",
}


def upgrade() -> None:
    """Make the table the first partition, whatever it holds: no row is copied."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE deliveries RENAME TO deliveries_p0")
    # An index of the new table is made of these, because their definitions are equal.
    op.execute("ALTER INDEX pk_deliveries RENAME TO deliveries_p0_pkey")
    for name in INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_p0")
    op.execute("CREATE TABLE deliveries (LIKE deliveries_p0 INCLUDING DEFAULTS) PARTITION BY RANGE (issue)")
    op.execute(
        f"ALTER TABLE deliveries ATTACH PARTITION deliveries_p0 FOR VALUES FROM (MINVALUE) TO ({ISSUES_EACH})"
    )
    op.create_primary_key("pk_deliveries", "deliveries", ["issue", "subscriber"])
    for name, definition in INDEXES.items():
        op.execute(sa.text(f"CREATE INDEX {name} ON deliveries {definition}"))
