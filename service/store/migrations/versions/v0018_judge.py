"""The answers of a judge, exported questions, and the judge that helped with a summary."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and the column, empty."""
    op.create_table(
        "judge_answers",
        sa.Column("key", ID, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("result", ID, nullable=False),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("key", "model", name="pk_judge_answers"),
    )
    op.create_index("ix_judge_answers_asked_at", "judge_answers", ["asked_at"])
    op.create_table(
        "judge_exports",
        sa.Column("key", ID, nullable=False),
        sa.Column("article", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "article", name="pk_judge_exports"),
        sqlite_with_rowid=False,
    )
    op.add_column("summaries", sa.Column("judge", sa.Text()))
