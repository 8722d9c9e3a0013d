"""The search index of SQLite is filled by one statement for many people, no longer by a trigger for each row.

FTS5 writes what it has collected whenever a statement with triggers begins a row, which made an index of
single rows and merged it again: seven times the cost.
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Drop the trigger; the one for removed rows stays."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER subscriber_search_added")
