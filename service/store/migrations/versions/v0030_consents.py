"""Consents of subscribers, invitations, and what a sign-up asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and columns."""
    op.create_table(
        "consent_texts",
        sa.Column("id", ID, nullable=False),
        sa.Column("language", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_texts"),
    )
    op.create_table(
        "consents",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("subscriber", sa.BigInteger(), nullable=True),
        sa.Column("address_hash", ID, nullable=True),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("way", ID, nullable=False),
        sa.Column("text", ID, nullable=True),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.number"], name="fk_consents_subscriber"),
        sa.ForeignKeyConstraint(["text"], ["consent_texts.id"], name="fk_consents_text"),
        sa.PrimaryKeyConstraint("number", name="pk_consents"),
    )
    op.create_index("ix_consents_subscriber", "consents", ["subscriber"])
    op.create_table(
        "invitations",
        sa.Column("id", ID, nullable=False),
        sa.Column("newsletters", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
    )
    op.add_column("sign_ups", sa.Column("schedule", sa.Text(), nullable=True))
    op.add_column("sign_ups", sa.Column("consent_text", ID, nullable=True))
    op.add_column("sign_ups", sa.Column("invitation", ID, nullable=True))
