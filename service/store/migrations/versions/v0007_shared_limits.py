"""What several workers share: turns at the mail server, the halt of all sending, and claims on feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of turns and halts, and the column that says until when a feed is claimed."""
    op.create_table(
        "turns",
        sa.Column("name", ID, nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_turns"),
    )
    op.create_table(
        "halts",
        sa.Column("relay", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("tried_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("relay", name="pk_halts"),
    )
    op.add_column("feeds", sa.Column("claimed_until", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_feeds_claimed",
        "feeds",
        ["claimed_until"],
        sqlite_where=sa.text("claimed_until IS NOT NULL"),
        postgresql_where=sa.text("claimed_until IS NOT NULL"),
    )
