"""The labels that people give to the sentences of articles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "labels",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("text_key", ID, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("sentence_start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sentence_end", sa.Integer(), nullable=False),
        sa.Column("claim_start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claim_end", sa.Integer(), nullable=False),
        sa.Column("caveat_kind", ID, nullable=True),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.Column("source", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_labels_position"),
        sa.PrimaryKeyConstraint(
            "position", "text_key", "kind", "sentence_start", "claim_start", name="pk_labels"
        ),
        sqlite_with_rowid=False,
    )
