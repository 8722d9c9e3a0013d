"""The story that each article tells."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of the articles' stories."""
    op.create_table(
        "story_articles",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("story", ID, nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_story_articles_position"),
        sa.PrimaryKeyConstraint("position", name="pk_story_articles"),
    )
