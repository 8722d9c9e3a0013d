"""Transactional mail in the ledger, sign-ups that wait for confirmation, and counted attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TRANSACTIONAL = sa.text("edition_key = ''")
TRANSACTIONAL_OUTBOX = sa.text("transactional AND state IN ('planned', 'deferred')")


def upgrade() -> None:
    """Mark the rows of transactional mail, and make the tables of sign-ups and of counted attempts."""
    op.create_index(
        "ix_issues_transactional",
        "issues",
        ["created_at"],
        sqlite_where=TRANSACTIONAL,
        postgresql_where=TRANSACTIONAL,
    )
    op.add_column(
        "deliveries", sa.Column("transactional", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_deliveries_transactional",
        "deliveries",
        ["due_at"],
        sqlite_where=TRANSACTIONAL_OUTBOX,
        postgresql_where=TRANSACTIONAL_OUTBOX,
    )
    op.create_table(
        "sign_ups",
        sa.Column("subscriber", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber"], ["subscribers.number"], name="fk_sign_ups_subscriber_subscribers"
        ),
        sa.PrimaryKeyConstraint("subscriber", "newsletter", name="pk_sign_ups"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sign_ups_last_at", "sign_ups", ["last_at"])
    op.create_table(
        "attempts",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_attempts"),
    )
    op.create_index("ix_attempts_name_at", "attempts", ["name", "at"])
    op.create_index("ix_attempts_at", "attempts", ["at"])
