"""Numbers of finished issues, and indexes for lists of issues and of deliveries that were not sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ISSUED = sa.text("edition_key <> ''")
PAUSED = sa.text("paused_at IS NOT NULL AND cancelled_at IS NULL")
UNDELIVERED = sa.text("state IN ('deferred', 'refused', 'suppressed', 'uncertain', 'cancelled')")


def upgrade() -> None:
    """Create the table and the indexes. The service counts the issues that exist, some at a time."""
    op.create_table(
        "issue_books",
        sa.Column("issue", NUMBER, autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("sent", "suppressed", "refused", "uncertain", "cancelled")
        ),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"], name="fk_issue_books_issue"),
        sa.PrimaryKeyConstraint("issue", name="pk_issue_books"),
    )
    op.create_index("ix_issue_books_created_at", "issue_books", ["created_at"])
    _create_partial("ix_issues_issued", "issues", ["number"], ISSUED)
    _create_partial("ix_issues_paused", "issues", ["number"], PAUSED)
    _create_partial("ix_deliveries_undelivered", "deliveries", ["issue", "state", "subscriber"], UNDELIVERED)


def _create_partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
