"""The tables, the same on SQLite and PostgreSQL.

Instants are integer UTC milliseconds (SQLite would return naive datetimes). Tables with millions of rows are
narrow: subscribers and issues have a number as well as an id, and deliveries refer to the numbers.
Subscriptions with the same edition, cursor and due time share a row in `groups`, so that an issue for a
million of them advances one row, and the search for due groups reads a few rows.

Names of older versions stay where a new name is not worth a migration. mappers.py and the queries translate:

    column                                            name in the code
    feeds.next_look_at, last_look_at, memory          FeedState.next_poll_at, last_poll_at, seen_items
    feeds.every_seconds, first_items                  Feed.poll_interval, first_entries
    feeds.max_age_seconds, default_max_age_seconds    Feed.max_age, default_max_age
    groups.told_through                               Group.served_through, Subscription.served_through
    subscriptions.wishes                              Subscription.preferences
    issues.told_from, told_through                    Issue.served_from, served_through
    deliveries.doubts                                 Delivery.uncertain_attempts
    articles.tries, corrections.tries                 failed attempts to condense
    sends.request                                     SendRequest.request_hash
    halts.times                                       SendingPause.consecutive
    tables told_corrections, halts                    sent corrections, sending pauses
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TextClause,
    false,
    text,
)

from service.store.columns import CleanText, CompressedJson, Instant, Json, SmallNumbers

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(name: str, *columns: ColumnElement[Any], where: TextClause) -> Index:
    """Return the index of the rows that meet a condition.

    The condition is kept in `info`: named for PostgreSQL, it would import that dialect, 100 ms and 10 MB that
    SQLite need not pay. Only migrations create indexes; a test compares them with these.
    """
    return Index(name, *columns, info={"where": where})


Id = String().with_variant(String(collation="C"), "postgresql")
"""A computed id or a keyword: compared byte by byte, which is several times faster in PostgreSQL."""

Number = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: in SQLite an INTEGER primary key is the rowid itself and needs no index."""

# --- gather ------------------------------------------------------------------------------------

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("gone_at", Instant),
    Column("next_look_at", Instant, nullable=False),  # the epoch: as soon as possible
    Column("claimed_until", Instant),  # by the worker that polls it
    Column("last_look_at", Instant),
    Column("last_success_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("url", CleanText, nullable=False),
    Column("name", CleanText, nullable=False),
    Column("topics", Json, nullable=False),
    Column("language", CleanText),
    Column("method", CleanText),
    Column("full_text", CleanText, nullable=False),
    Column("every_seconds", Integer, nullable=False),
    Column("first_items", Integer, nullable=False),
    Column("max_age_seconds", Integer),
    Column("default_max_age_seconds", Integer),  # None: stored before there was one
    Column("weight", Float),  # None: stored before there was one
    Column("categories", Json),  # [category, topic]; None: stored before there were any
    Column("etag", CleanText),
    Column("last_modified", CleanText),
    Column("last_error", CleanText),
    Column("memory", CleanText, nullable=False),
)
# SQLite uses a partial index only for a query with literally the index's condition: both use this constant.
POLLED = text("active AND gone_at IS NULL")
# claim_feeds: the feeds that are due, longest overdue first, without reading the others.
partial_index("ix_feeds_due", feeds.c.next_look_at, where=POLLED)
CLAIMED = text("claimed_until IS NOT NULL")
# claim_feeds: the hosts with a claimed feed.
partial_index("ix_feeds_claimed", feeds.c.claimed_until, where=CLAIMED)

articles = Table(
    "articles",
    metadata,
    Column("position", Number, primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False, unique=True),
    Column("feed_id", Id, ForeignKey("feeds.id"), nullable=False),
    Column("state", Id, nullable=False),  # new | condensed | set_aside
    Column("tries", SmallInteger, nullable=False),
    Column("gathered_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("language", CleanText, nullable=False),
    Column("publisher", CleanText, nullable=False),
    Column("topics", Json, nullable=False),
    Column("method", CleanText),
    Column("url", CleanText, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("problem", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
    Column("blocks", Json),  # None: stored before there were blocks
    Column("published_day_only", Boolean),  # None: stored before it was known
    Column("text_note", CleanText),  # None: stored before it was known
    Column("feed_rank", Integer),
    Column("picture", CleanText),
)
UNCONDENSED = text("state = 'new'")
# uncondensed and release_position: the articles that wait for condense, in order of position; usually few.
partial_index("ix_articles_new", articles.c.position, where=UNCONDENSED)
# release_position: the articles of the last few minutes, which are not released yet.
Index("ix_articles_gathered", articles.c.gathered_at, articles.c.position)
# the listing of feeds: the number of articles of each, and the latest.
Index("ix_articles_feed", articles.c.feed_id, articles.c.gathered_at)

# released_articles: the articles of some topics within a range of positions.
article_topics = Table(
    "article_topics",
    metadata,
    Column("topic", CleanText, primary_key=True),
    Column("position", BigInteger, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# One row, `articles`: the last position. A transaction that stores articles updates it first, and so locks it
# until commit; positions therefore become visible in their order, which a sequence does not guarantee.
counters = Table(
    "counters",
    metadata,
    Column("name", Id, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# --- condense ----------------------------------------------------------------------------------

summaries = Table(
    "summaries",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("method", CleanText, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("key_points", Json, nullable=False),
    Column("judge", CleanText),  # None: no judge was asked
)

# Questions to a judge, by the key of the question and the judge's name. Deleted after some weeks: a cache.
judge_answers = Table(
    "judge_answers",
    metadata,
    Column("key", Id, primary_key=True),
    Column("model", CleanText, primary_key=True),
    Column("host", CleanText, nullable=False),  # "": the answer was imported
    Column("asked_at", Instant, nullable=False),
    Column("result", Id, nullable=False),  # asked | answered | a JudgeProblem
    Column("answer", Json),
)
# claim: the number of questions in the last 24 hours. prune: the old ones.
Index("ix_judge_answers_asked_at", judge_answers.c.asked_at)

# The articles whose questions were exported, to find them by the key of an imported answer.
judge_exports = Table(
    "judge_exports",
    metadata,
    Column("key", Id, primary_key=True),
    Column("article", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# The latest title and text that a publisher gave an article after it was stored.
corrections = Table(
    "corrections",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("state", Id, nullable=False),  # waiting (for condense) | kept (the article keeps its sent text)
    Column("tries", SmallInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
    Column("blocks", Json),
    Column("text_note", CleanText),
)
WAITING = text("state = 'waiting'")
# uncondensed: the edits that wait for condense, which are few.
partial_index("ix_corrections_waiting", corrections.c.position, where=WAITING)

# --- compose -----------------------------------------------------------------------------------

# The story of each article, assigned once.
story_articles = Table(
    "story_articles",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("story", Id, nullable=False),
)

# The articles that an operator took out of a story, with that story. Their present one is in story_articles.
story_splits = Table(
    "story_splits",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("story", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# What people say of the key points and caveats of an article; the offsets are of the text with that key.
labels = Table(
    "labels",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("text_key", Id, primary_key=True),
    Column("kind", Id, primary_key=True),  # point | wrong | caveat | no_caveat
    Column("sentence_start", Integer, primary_key=True, autoincrement=False),
    Column("sentence_end", Integer, nullable=False),
    Column("claim_start", Integer, primary_key=True, autoincrement=False),  # -1: the label has no claim
    Column("claim_end", Integer, nullable=False),
    Column("caveat_kind", Id),
    Column("needed", Boolean, nullable=False),
    Column("source", Id, nullable=False),  # editor | reader
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# --- subscribers -------------------------------------------------------------------------------

subscribers = Table(
    "subscribers",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("address_hash", Id, nullable=False),
    Column("email", CleanText, nullable=False),
    Column("name", CleanText, nullable=False),
    Column("timezone", CleanText),
    Column("channel", Id),  # of their digests; NULL: the site's mail channel
)
# record_issue: whether a subscriber has a channel of their own.
partial_index("ix_subscribers_channel", subscribers.c.channel, where=text("channel IS NOT NULL"))

# What a search looks in, written by subscriber_search.py. PostgreSQL finds rows by `trigrams`; SQLite has the
# virtual table `subscriber_trigrams` (FTS5) instead, from which a trigger removes what is removed here.
subscriber_search = Table(
    "subscriber_search",
    metadata,
    Column("subscriber", Number, primary_key=True, autoincrement=False),
    Column("text", Id, nullable=False),  # see search_text.search_text
    Column("hash_key", BigInteger, nullable=False),  # see subscriber_search.hash_key
    Column("trigrams", SmallNumbers),
)
# find_subscribers: the subscribers with a suppressed address.
Index("ix_subscriber_search_hash_key", subscriber_search.c.hash_key)
TRIGRAMS = Index("ix_subscriber_search_trigrams", subscriber_search.c.trigrams)  # of the kind gin
TRIGRAMS.ddl_if(dialect="postgresql")
POSTGRESQL_INDEXES = {str(TRIGRAMS.name)}
SEARCH_INDEX = "subscriber_trigrams"
"""The full-text index of SQLite, and the start of the names of its own tables."""

editions = Table(
    "editions",
    metadata,
    Column("key", Id, primary_key=True),
    Column("newsletter", CleanText, nullable=False, index=True),
    Column("schedule", CleanText, nullable=False),
    Column("timezone", CleanText, nullable=False),
    Column("topics", Json, nullable=False),
    Column("stories", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("language", CleanText, nullable=False),
    Column("format", CleanText, nullable=False),
    Column("languages", Json),  # None, here and below: stored before there was a choice
    Column("follow", Json),
    Column("mute", Json),
    Column("minutes", Integer),
)

# Subscriptions that get the same issue share a row. Inactive subscriptions stay in their group, so that
# a subscriber who returns never gets the articles that the others got meanwhile.
groups = Table(
    "groups",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("edition_key", Id, ForeignKey("editions.key"), nullable=False),
    Column("told_through", BigInteger, nullable=False),
    Column("next_due_at", Instant, nullable=False),
)
# due_groups: the groups that are due.
Index("ix_groups_due", groups.c.next_due_at)
# record_issue and skip_issue: the rows of a group, and the row with its next cursor and due time.
Index("ix_groups_place", groups.c.edition_key, groups.c.told_through, groups.c.next_due_at)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscriber", BigInteger, ForeignKey("subscribers.number"), primary_key=True, autoincrement=False),
    Column("newsletter", CleanText, primary_key=True),
    Column("group_number", BigInteger, ForeignKey("groups.number"), nullable=False),
    Column("status", Id, nullable=False),  # the effective status
    Column("choice", Id, nullable=False),  # the subscriber's own status; effective again after `ended`
    Column("declared", Boolean, nullable=False),  # the roster names it
    Column("chosen", Boolean, nullable=False),  # the subscriber set the preferences
    Column("changed_at", Instant, nullable=False),
    Column("wishes", Json, nullable=False),
    Column("paused_until", Instant),  # the end of the pause; NULL: not paused, or without an end
    sqlite_with_rowid=False,
)
# due_groups counts a group's active members, record_issue reads them in order of subscriber.
Index(
    "ix_subscriptions_members",
    subscriptions.c.group_number,
    subscriptions.c.status,
    subscriptions.c.subscriber,
)
# find_subscribers: the subscribers of a newsletter with a status, newest first.
Index(
    "ix_subscriptions_listed",
    subscriptions.c.newsletter,
    subscriptions.c.status,
    subscriptions.c.subscriber,
)

# due_groups and pending_work: the pauses that are over.
PAUSED_UNTIL = text("paused_until IS NOT NULL")
partial_index("ix_subscriptions_paused_until", subscriptions.c.paused_until, where=PAUSED_UNTIL)
# record_issue and skip_issue: the paused members of a group, without reading the others.
partial_index("ix_subscriptions_paused_members", subscriptions.c.group_number, where=PAUSED_UNTIL)

# Sign-ups that wait for confirmation; a confirmation link is valid only while its row exists.
sign_ups = Table(
    "sign_ups",
    metadata,
    Column("subscriber", BigInteger, ForeignKey("subscribers.number"), primary_key=True, autoincrement=False),
    Column("newsletter", CleanText, primary_key=True),
    Column("timezone", CleanText),
    Column("first_at", Instant, nullable=False),  # links from before this instant are not valid
    Column("last_at", Instant, nullable=False),
    Column("schedule", CleanText),
    Column("consent_text", Id),
    Column("invitation", Id),
    sqlite_with_rowid=False,
)
# prune: the sign-ups whose last link has expired.
Index("ix_sign_ups_last_at", sign_ups.c.last_at)

consent_texts = Table(
    "consent_texts",
    metadata,
    Column("id", Id, primary_key=True),  # a hash of language and text
    Column("language", Id, nullable=False),
    Column("text", CleanText, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("subscriber", BigInteger, ForeignKey("subscribers.number")),  # NULL after an erasure
    Column("address_hash", Id),  # after an erasure only
    Column("newsletter", CleanText, nullable=False),
    Column("at", Instant, nullable=False),
    Column("way", Id, nullable=False),
    Column("text", Id, ForeignKey("consent_texts.id")),  # NULL: the person saw no page of this service
)
# consents_of and erase: those of one person.
Index("ix_consents_subscriber", consents.c.subscriber)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("newsletters", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("max_uses", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("note", CleanText, nullable=False),
    Column("revoked_at", Instant),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", Id, primary_key=True),  # never the address itself
    Column("reason", CleanText, nullable=False),
    Column("at", Instant, nullable=False),
)

# --- compose and deliver -----------------------------------------------------------------------

issues = Table(
    "issues",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("delivery_prefix", Id, nullable=False, unique=True),
    Column("channel", Id, nullable=False),
    Column("newsletter", CleanText, nullable=False),
    Column("edition_key", Id, nullable=False),
    Column("occurrence", CleanText, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("told_from", BigInteger, nullable=False),
    Column("told_through", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("readers", Integer, nullable=False),  # number of planned deliveries: the books' `due`
    Column("paused_at", Instant),  # by the operator: its deliveries are not sent until it is resumed
    Column("cancelled_at", Instant),  # by the operator: it is paused as well, and never resumed
    Column("article_ids", Json, nullable=False),
    Column("subject", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
    Column("html", CleanText, nullable=False),
)
# A transactional mail is a row without an edition, whose `occurrence` is its kind, with one delivery.
# prune: the old ones.
TRANSACTIONAL = text("edition_key = ''")
partial_index("ix_issues_transactional", issues.c.created_at, where=TRANSACTIONAL)
# the listing of one newsletter's issues, newest first.
Index("ix_issues_newsletter", issues.c.newsletter, issues.c.number)
# cancel_rest and record_issue: the cancelled issues, which are few.
CANCELLED = text("cancelled_at IS NOT NULL")
partial_index("ix_issues_cancelled", issues.c.newsletter, where=CANCELLED)
# issue_books.unfinished: the issues of editions, by number, without reading their bodies.
ISSUED = text("edition_key <> ''")
partial_index("ix_issues_issued", issues.c.number, where=ISSUED)
# paused_issues: the issues that can be resumed, which are few.
PAUSED = text("paused_at IS NOT NULL AND cancelled_at IS NULL")
partial_index("ix_issues_paused", issues.c.number, where=PAUSED)
# corrections.was_sent: the issues that may contain an article.
Index("ix_issues_told_through", issues.c.told_through)

# The numbers of deliveries of finished issues: counting those of a million subscribers takes a tenth of a
# second, and a page lists many issues. `created_at` is the issue's.
issue_books = Table(
    "issue_books",
    metadata,
    Column("issue", Number, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("created_at", Instant, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("uncertain", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
)
# issue_books.by_time: the issues of the last weeks.
Index("ix_issue_books_created_at", issue_books.c.created_at)

# What each issue was rendered from: its stories with their points, places and scores, compressed.
issue_digests = Table(
    "issue_digests",
    metadata,
    Column("issue", Number, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("digest", CompressedJson, nullable=False),
)
issue_pictures = Table(
    "issue_pictures",
    metadata,
    Column("issue", Number, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("publisher", CleanText, nullable=False),
)

# The issues that the list of a newsletter's issues shows: those of its own edition, and for a day without
# one, with the time "", the issue of another edition with the same news that most subscribers got.
listed_issues = Table(
    "listed_issues",
    metadata,
    Column("newsletter", CleanText, primary_key=True),
    Column("day", Id, primary_key=True),  # 2026-03-02, in the edition's time zone
    Column("time", Id, primary_key=True),  # 07:00
    Column("issue", Number, ForeignKey("issues.number"), nullable=False, autoincrement=False),
    Column("readers", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# neighbours: the place of an issue in the list.
Index("ix_listed_issues_issue", listed_issues.c.issue)

# Issues that wait for an editor. The edition, cursor and due time are those of the group.
drafts = Table(
    "drafts",
    metadata,
    Column("id", Id, primary_key=True),  # of the issue that it becomes
    Column("edition_key", Id, ForeignKey("editions.key"), nullable=False),
    Column("told_from", BigInteger, nullable=False),
    Column("told_through", BigInteger, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", Id, nullable=False),  # waiting | approved | held | stopped
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", CleanText, nullable=False),
    Column("version", Integer, nullable=False),  # a draft is replaced only in the version that was read
    Column("note", CleanText, nullable=False),
    Column("edits", Json, nullable=False),
    Column("edit_keys", Json, nullable=False),
    Column("digest", CompressedJson, nullable=False),
    Column("material", CompressedJson, nullable=False),
)
# draft_of and record_issue: the draft for a group.
Index("ix_drafts_place", drafts.c.edition_key, drafts.c.due_at)

# The title and text of an edit that an issue corrected: kept, because a publisher can edit again.
edits = Table(
    "edits",
    metadata,
    Column("key", Id, primary_key=True),
    Column("position", Number, ForeignKey("articles.position"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
)

# The corrections in an issue: the article, the edit, and each sentence as it was sent and as it is now.
told_corrections = Table(
    "told_corrections",
    metadata,
    Column("issue", Number, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("edit", Id, ForeignKey("edits.key"), nullable=False),
    Column("changes", Json, nullable=False),
    sqlite_with_rowid=False,
)
# explain: the issues with a correction of an article. corrections.was_corrected: a return to the first text.
Index("ix_told_corrections_position", told_corrections.c.position)

# Manual sends, each under its idempotency key: a repeated request finds its row here.
sends = Table(
    "sends",
    metadata,
    Column("id", Id, primary_key=True),
    Column("request", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("nothing_new", Integer, nullable=False),
    Column("issues", Json, nullable=False),
    Column("left_out", Json, nullable=False),
    Column("problems", Json, nullable=False),
)
# ManualSendStore: an equal request within the repeat window.
Index("ix_sends_request", sends.c.request, sends.c.at)

# The ledger. `due_at` is the instant from which a worker may take the delivery: the due time of a planned or
# deferred one, the end of the lease of a leased one, NULL for a finished one.
# No foreign keys: one statement writes the rows from the subscriptions, and a check of a million keys one by
# one would cost PostgreSQL more than the insert. PostgreSQL has it partitioned by issue (partitions.py).
deliveries = Table(
    "deliveries",
    metadata,
    Column("issue", BigInteger, primary_key=True, autoincrement=False),
    Column("subscriber", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Id, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("due_at", Instant),
    Column("token", Id),
    Column("at", Instant),
    Column("reply", CleanText),
    # attempts without a known outcome; at least 1 for a sent mail that is sent again on purpose
    Column("doubts", SmallInteger, nullable=False, server_default="0"),
    # taken before all others, and sent without a subscription
    Column("transactional", Boolean, nullable=False, server_default=false()),
    Column("channel", Id),  # of the subscriber; NULL: the issue's
    sqlite_with_rowid=False,
)
OUTBOX = text("state IN ('planned', 'deferred')")
IN_DOUBT = text("state IN ('attempting', 'uncertain')")
# take_batch: the due deliveries, longest waiting first.
partial_index("ix_deliveries_outbox", deliveries.c.due_at, where=OUTBOX)
# take_batch: the due transactional mails, without reading other deliveries.
TRANSACTIONAL_OUTBOX = text("transactional AND state IN ('planned', 'deferred')")
partial_index("ix_deliveries_transactional", deliveries.c.due_at, where=TRANSACTIONAL_OUTBOX)
# take_batch and personal_channels: the deliveries by a subscriber's own channel.
PERSONAL_OUTBOX = text("channel IS NOT NULL AND state IN ('planned', 'deferred')")
partial_index("ix_deliveries_channel", deliveries.c.channel, deliveries.c.due_at, where=PERSONAL_OUTBOX)
# settle_uncertain and take_batch: the few deliveries with an attempt in progress or without a known outcome.
partial_index("ix_deliveries_in_doubt", deliveries.c.due_at, where=IN_DOUBT)
# The ledger of an issue in one state, and what is sent again: without reading the deliveries that were sent.
# A mail that is sent at the first attempt is never in this index.
UNDELIVERED = text("state IN ('deferred', 'refused', 'suppressed', 'uncertain', 'cancelled')")
partial_index(
    "ix_deliveries_undelivered",
    deliveries.c.issue,
    deliveries.c.state,
    deliveries.c.subscriber,
    where=UNDELIVERED,
)
# release and extend: the deliveries leased by one worker.
HELD = text("token IS NOT NULL")
partial_index("ix_deliveries_held", deliveries.c.token, where=HELD)

# Rate limits of all workers: the instant from which each limit is free, by the database's clock. A row in the
# past means the same as no row.
turns = Table(
    "turns",
    metadata,
    Column("name", Id, primary_key=True),  # the relay, or a domain behind it
    Column("free_at", BigInteger, nullable=False),
)

# Sending pauses of a relay: the reason, the end, and the time until which one worker tries to send again.
halts = Table(
    "halts",
    metadata,
    Column("relay", Id, primary_key=True),
    Column("reason", CleanText, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("times", Integer, nullable=False),  # consecutive pauses: each is longer than the one before
    Column("tried_until", Instant, nullable=False),
)

# The rate that a mail server accepts, learned from its refusals; see deliver.ports.LearnedRate.
learned_rates = Table(
    "learned_rates",
    metadata,
    Column("relay", Id, primary_key=True),
    Column("domain", Id, primary_key=True),  # of recipients; empty: the relay's own limit
    Column("per_minute", Float),
    Column("ceiling", Float),
    Column("since", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused_at", Instant),
    Column("last_refused_at", Instant),
    Column("probe_at", Instant),
    Column("reply", CleanText, nullable=False),
    Column("busy", Boolean, nullable=False),
    Column("version", Integer, nullable=False),  # a worker replaces a row only in the version it has read
)

# Bounces: one row for an issue and a subscriber, also if the same mail is read several times.
bounces = Table(
    "bounces",
    metadata,
    Column("subscriber", BigInteger, primary_key=True, autoincrement=False),
    Column("issue", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("reason", CleanText, nullable=False),
    sqlite_with_rowid=False,
)

# Recent attempts under a limit, of all workers; `name` is a keyed hash of the limited value.
attempts = Table(
    "attempts",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Id, nullable=False),
    Column("at", Instant, nullable=False),
)
# SqlAttemptStore.allows: the number of recent attempts.
Index("ix_attempts_name_at", attempts.c.name, attempts.c.at)
# prune: the attempts older than every limit's period.
Index("ix_attempts_at", attempts.c.at)

# --- accounts ----------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", CleanText, nullable=False),
    Column("folded_name", Id, nullable=False, unique=True),  # names that differ in case alone are the same
    Column("role", Id, nullable=False),
    Column("email", CleanText, nullable=False),
    Column("password", Text),  # an Argon2 hash
    Column("totp", Text),
    Column("totp_step", BigInteger),  # of the code used last: a code works once (RFC 6238, 5.2)
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("link", Id),  # the hash of the token in the one-time link
    Column("link_expires_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),  # the hash of the token in the cookie
    Column("account", Id, ForeignKey("accounts.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("client", CleanText, nullable=False),
    Column("agent", CleanText, nullable=False),
)
# SqlAccountStore.sessions_of: the sessions of one account.
Index("ix_sessions_account", sessions.c.account)

audit = Table(
    "audit",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("account", Id, nullable=False),  # no foreign key: the record outlives the account
    Column("name", CleanText, nullable=False),
    Column("action", Id, nullable=False),
    Column("subject", CleanText, nullable=False),
    Column("details", Json, nullable=False),
)

# --- the API -----------------------------------------------------------------------------------

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Id, primary_key=True),  # the public part of the token
    Column("name", CleanText, nullable=False),
    Column("hash", Id, nullable=False),  # SHA-256 of the whole token
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

# Programs that are told about events; the rows are those of the configuration, also earlier ones.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("events", Json, nullable=False),
    Column("active", Boolean, nullable=False),  # the configuration names it
    Column("created_at", Instant, nullable=False),
    Column("failing_since", Instant),
    Column("disabled_at", Instant),
    Column("last_success_at", Instant),
    Column("last_error", CleanText, nullable=False),
)

# Each event for each webhook, recorded with the event itself; `data` has ids and numbers, no addresses.
webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("webhook", Id, ForeignKey("webhooks.id"), nullable=False),
    Column("event", Id, nullable=False),
    Column("subscriber", BigInteger),  # the person that the event is about, for erasure
    Column("created_at", Instant, nullable=False),
    Column("data", Json, nullable=False),
    Column("state", Id, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant),  # NULL: none; while an attempt runs, the end of its lease
)
# SqlWebhookStore.take: the messages that are due.
Index("ix_webhook_messages_due", webhook_messages.c.webhook, webhook_messages.c.next_attempt_at)
# erasure.forget: the messages about one person.
ABOUT_PERSON = text("subscriber IS NOT NULL")
partial_index("ix_webhook_messages_subscriber", webhook_messages.c.subscriber, where=ABOUT_PERSON)
# prune: the old ones.
Index("ix_webhook_messages_created_at", webhook_messages.c.created_at)

# --- the installation --------------------------------------------------------------------------

settings = Table(
    "settings",
    metadata,
    Column("name", Id, primary_key=True),
    Column("value", Text, nullable=False),
)
