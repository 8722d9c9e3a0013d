"""The articles that an operator took out of their stories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "story_splits",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("story", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_story_splits_position"),
        sa.PrimaryKeyConstraint("position", "story", name="pk_story_splits"),
        sqlite_with_rowid=False,
    )
