"""What publishers edited of articles that are stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of corrections, and the index that finds who was told an article."""
    op.create_table(
        "corrections",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", ID, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_corrections_position"),
        sa.PrimaryKeyConstraint("position", name="pk_corrections"),
    )
    op.create_index(
        "ix_corrections_waiting",
        "corrections",
        ["position"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_issues_told_through", "issues", ["told_through"])
