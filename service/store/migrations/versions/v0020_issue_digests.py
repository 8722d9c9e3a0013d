"""What issues are rendered from; weights and categories of feeds; more preferences in editions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, empty, and the table."""
    op.add_column("feeds", sa.Column("weight", sa.Float(), nullable=True))
    op.add_column("feeds", sa.Column("categories", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("feed_rank", sa.Integer(), nullable=True))
    op.add_column("articles", sa.Column("picture", sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("languages", sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("follow", sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("mute", sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("minutes", sa.Integer(), nullable=True))
    op.create_table(
        "issue_digests",
        sa.Column("issue", NUMBER, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"], name="fk_issue_digests_issue"),
        sa.PrimaryKeyConstraint("issue", name="pk_issue_digests"),
    )
