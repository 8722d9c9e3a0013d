"""What readers were told of edits, word for word, so that it can be proven and is told once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of the edits that were told, and of what each issue corrected."""
    op.create_table(
        "edits",
        sa.Column("key", ID, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_edits_position"),
        sa.PrimaryKeyConstraint("key", name="pk_edits"),
    )
    op.create_index("ix_edits_position", "edits", ["position"])
    op.create_table(
        "told_corrections",
        sa.Column("issue", NUMBER, autoincrement=False, nullable=False),
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("edit", ID, nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"], name="fk_told_corrections_issue"),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_told_corrections_position"),
        sa.ForeignKeyConstraint(["edit"], ["edits.key"], name="fk_told_corrections_edit"),
        sa.PrimaryKeyConstraint("issue", "position", name="pk_told_corrections"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_told_corrections_position", "told_corrections", ["position"])
