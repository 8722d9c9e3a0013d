"""The issues that a newsletter's list of issues shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Of the issues so far it is not known which were of the newsletter's own edition.
FILL = """
    INSERT INTO listed_issues (newsletter, day, time, issue, readers)
    SELECT newsletter, day, '', number, readers
      FROM (SELECT newsletter, substr(occurrence, 1, 10) AS day, number, readers,
                   row_number() OVER (PARTITION BY newsletter, substr(occurrence, 1, 10)
                                      ORDER BY readers DESC, number) AS place
              FROM issues WHERE edition_key <> '' AND occurrence LIKE '____-__-__T__:__') AS ranked
     WHERE place = 1
"""


def upgrade() -> None:
    """Create the table, with the issue of each day that most subscribers got."""
    op.create_table(
        "listed_issues",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("day", ID, nullable=False),
        sa.Column("time", ID, nullable=False),
        sa.Column("issue", NUMBER, autoincrement=False, nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"], name="fk_listed_issues_issue"),
        sa.PrimaryKeyConstraint("newsletter", "day", "time", name="pk_listed_issues"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_listed_issues_issue", "listed_issues", ["issue"])
    op.execute(FILL)
