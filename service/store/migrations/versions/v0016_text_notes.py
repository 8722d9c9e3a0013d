"""Why the text of an article, and of its latest edit, is not all that its publisher wrote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns, empty: of earlier articles it is not known."""
    op.add_column("articles", sa.Column("text_note", sa.Text(), nullable=True))
    op.add_column("corrections", sa.Column("text_note", sa.Text(), nullable=True))
