"""Context sentences become key points: caveats of the grade `context`."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Append each context sentence to the key points of its summary; drop the column."""
    summaries = sa.table(
        "summaries",
        sa.column("position", sa.BigInteger),
        sa.column("key_points", sa.Text),
        sa.column("context", sa.Text),
    )
    found = op.get_bind().execute(sa.select(summaries).where(summaries.c.context != "[]")).fetchall()
    for position, key_points, context in found:
        points = json.loads(key_points)
        for text, start, end, _ in json.loads(context):
            points.append(
                [text, start, end, "caveat", None, len(points), None, False, "context", None, None, None]
            )
        op.execute(
            summaries.update()
            .where(summaries.c.position == position)
            .values(key_points=json.dumps(points, ensure_ascii=False))
        )
    op.drop_column("summaries", "context")
