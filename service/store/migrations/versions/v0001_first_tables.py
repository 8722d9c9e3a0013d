"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG = sa.BigInteger()
TEXT = sa.Text()


def upgrade() -> None:
    """Make the tables, in the order in which they refer to one another."""
    _gather()
    _condense()
    _people()
    _compose_and_deliver()
    _house()


def _gather() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", ID, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("gone_at", BIG, nullable=True),
        sa.Column("next_look_at", BIG, nullable=False),
        sa.Column("last_look_at", BIG, nullable=True),
        sa.Column("last_success_at", BIG, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("topics", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("method", TEXT, nullable=True),
        sa.Column("full_text", TEXT, nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("first_items", sa.Integer(), nullable=False),
        sa.Column("etag", TEXT, nullable=True),
        sa.Column("last_modified", TEXT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("memory", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
    )
    op.create_index(
        "ix_feeds_due",
        "feeds",
        ["next_look_at"],
        sqlite_where=sa.text("active AND gone_at IS NULL"),
        postgresql_where=sa.text("active AND gone_at IS NULL"),
    )
    op.create_table(
        "articles",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("state", ID, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("gathered_at", BIG, nullable=False),
        sa.Column("published_at", BIG, nullable=True),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("publisher", TEXT, nullable=False),
        sa.Column("topics", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=True),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("problem", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_articles_feed_id"),
        sa.PrimaryKeyConstraint("position", name="pk_articles"),
        sa.UniqueConstraint("id", name="uq_articles_id"),
    )
    op.create_index("ix_articles_feed", "articles", ["feed_id", "gathered_at"])
    op.create_index("ix_articles_gathered", "articles", ["gathered_at", "position"])
    op.create_index(
        "ix_articles_new",
        "articles",
        ["position"],
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_table(
        "article_topics",
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_article_topics_position"),
        sa.PrimaryKeyConstraint("topic", "position", name="pk_article_topics"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counters",
        sa.Column("name", ID, nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _condense() -> None:
    op.create_table(
        "summaries",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("key_points", TEXT, nullable=False),
        sa.Column("context", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["position"], ["articles.position"], name="fk_summaries_position"),
        sa.PrimaryKeyConstraint("position", name="pk_summaries"),
    )
    # ### end Alembic commands ###


def _people() -> None:
    op.create_table(
        "subscribers",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("address_hash", ID, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("timezone", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_subscribers"),
        sa.UniqueConstraint("id", name="uq_subscribers_id"),
    )
    op.create_table(
        "editions",
        sa.Column("key", ID, nullable=False),
        sa.Column("newsletter", TEXT, nullable=False),
        sa.Column("schedule", TEXT, nullable=False),
        sa.Column("timezone", TEXT, nullable=False),
        sa.Column("topics", TEXT, nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_editions"),
    )
    op.create_index("ix_editions_newsletter", "editions", ["newsletter"])
    op.create_table(
        "groups",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("edition_key", ID, nullable=False),
        sa.Column("told_through", BIG, nullable=False),
        sa.Column("next_due_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["edition_key"], ["editions.key"], name="fk_groups_edition_key"),
        sa.PrimaryKeyConstraint("number", name="pk_groups"),
    )
    op.create_index("ix_groups_due", "groups", ["next_due_at"])
    op.create_index("ix_groups_place", "groups", ["edition_key", "told_through", "next_due_at"])
    op.create_table(
        "subscriptions",
        sa.Column("subscriber", BIG, autoincrement=False, nullable=False),
        sa.Column("newsletter", TEXT, nullable=False),
        sa.Column("group_number", BIG, nullable=False),
        sa.Column("status", ID, nullable=False),
        sa.Column("choice", ID, nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.Column("wishes", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["group_number"], ["groups.number"], name="fk_subscriptions_group_number"),
        sa.ForeignKeyConstraint(["subscriber"], ["subscribers.number"], name="fk_subscriptions_subscriber"),
        sa.PrimaryKeyConstraint("subscriber", "newsletter", name="pk_subscriptions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_subscriptions_members", "subscriptions", ["group_number", "status", "subscriber"])
    op.create_table(
        "suppressions",
        sa.Column("address_hash", ID, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_suppressions"),
    )


def _compose_and_deliver() -> None:
    op.create_table(
        "issues",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("delivery_prefix", ID, nullable=False),
        sa.Column("channel", ID, nullable=False),
        sa.Column("newsletter", TEXT, nullable=False),
        sa.Column("edition_key", ID, nullable=False),
        sa.Column("occurrence", TEXT, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("told_from", BIG, nullable=False),
        sa.Column("told_through", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("article_ids", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("html", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_issues"),
        sa.UniqueConstraint("delivery_prefix", name="uq_issues_delivery_prefix"),
        sa.UniqueConstraint("id", name="uq_issues_id"),
    )
    op.create_index("ix_issues_newsletter", "issues", ["newsletter", "number"])
    op.create_table(
        "deliveries",
        sa.Column("issue", BIG, autoincrement=False, nullable=False),
        sa.Column("subscriber", BIG, autoincrement=False, nullable=False),
        sa.Column("state", ID, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("token", ID, nullable=True),
        sa.Column("at", BIG, nullable=True),
        sa.Column("reply", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("issue", "subscriber", name="pk_deliveries"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["token"],
        sqlite_where=sa.text("token IS NOT NULL"),
        postgresql_where=sa.text("token IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_in_doubt",
        "deliveries",
        ["due_at"],
        sqlite_where=sa.text("state IN ('attempting', 'uncertain')"),
        postgresql_where=sa.text("state IN ('attempting', 'uncertain')"),
    )
    op.create_index(
        "ix_deliveries_outbox",
        "deliveries",
        ["due_at"],
        sqlite_where=sa.text("state IN ('planned', 'deferred')"),
        postgresql_where=sa.text("state IN ('planned', 'deferred')"),
    )


def _house() -> None:
    op.create_table(
        "settings",
        sa.Column("name", ID, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
