"""The blocks of the text of an article, and of its latest edit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns, empty: the text of an earlier article is read as plain text, one block a line."""
    op.add_column("articles", sa.Column("blocks", sa.Text(), nullable=True))
    op.add_column("corrections", sa.Column("blocks", sa.Text(), nullable=True))
