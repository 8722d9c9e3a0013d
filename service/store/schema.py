"""The tables: what the house remembers, the same on SQLite and PostgreSQL.

Instants are integer UTC milliseconds (SQLite would hand back naive datetimes). Rows that are counted in
millions are kept narrow: subscribers and issues have a number beside their id, and deliveries refer to the
numbers. Readers who stand at the same place share a row in `groups`, so that an issue for a million of them
moves one row on, and "who is due" reads a handful.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    false,
    text,
)

from service.store.columns import CleanText, Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String().with_variant(String(collation="C"), "postgresql")
"""A computed id or another plain word: compared byte by byte, which is several times faster in PostgreSQL."""

Number = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: in SQLite an INTEGER key is the row's own place, which costs no index beside the table."""

# --- gather ------------------------------------------------------------------------------------

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("gone_at", Instant),
    Column("next_look_at", Instant, nullable=False),  # the epoch: as soon as possible
    Column("claimed_until", Instant),  # by the worker that looks at it now
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
    Column("etag", CleanText),
    Column("last_modified", CleanText),
    Column("last_error", CleanText),
    Column("memory", CleanText, nullable=False),
)
# SQLite uses a partial index only for a query that says the index's condition word for word: so both do.
POLLED = text("active AND gone_at IS NULL")
# claim_feeds: the looks that are due, longest overdue first, without reading the feeds that rest.
Index("ix_feeds_due", feeds.c.next_look_at, sqlite_where=POLLED, postgresql_where=POLLED)
CLAIMED = text("claimed_until IS NOT NULL")
# claim_feeds: which hosts somebody is at.
Index("ix_feeds_claimed", feeds.c.claimed_until, sqlite_where=CLAIMED, postgresql_where=CLAIMED)

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
)
UNCONDENSED = text("state = 'new'")
# uncondensed and tellable_through: what condense has not been at yet, in gather order; almost always short.
Index("ix_articles_new", articles.c.position, sqlite_where=UNCONDENSED, postgresql_where=UNCONDENSED)
# tellable_through: the articles that have not settled yet, which are the last few minutes' alone.
Index("ix_articles_gathered", articles.c.gathered_at, articles.c.position)
# the feeds' listing: how much came from each, and when last.
Index("ix_articles_feed", articles.c.feed_id, articles.c.gathered_at)

# tellable: the articles of some topics within a range of positions.
article_topics = Table(
    "article_topics",
    metadata,
    Column("topic", CleanText, primary_key=True),
    Column("position", BigInteger, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# One row, `articles`: the last gather position. Whoever stores articles updates it first and so holds it
# until commit; positions therefore become visible in their order, which a sequence does not promise.
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
    Column("context", Json, nullable=False),
)

# The words that a publisher gave an article after it was stored: the last ones.
corrections = Table(
    "corrections",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("state", Id, nullable=False),  # waiting for condense | kept beside what was told
    Column("tries", SmallInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
)
WAITING = text("state = 'waiting'")
# uncondensed: the edits that condense has not been at yet, which are few.
Index("ix_corrections_waiting", corrections.c.position, sqlite_where=WAITING, postgresql_where=WAITING)

# --- compose -----------------------------------------------------------------------------------

# The story that an article tells, given once and kept; a story is called by the id of its first article.
story_articles = Table(
    "story_articles",
    metadata,
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("story", Id, nullable=False),
)

# --- people ------------------------------------------------------------------------------------

subscribers = Table(
    "subscribers",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("address_hash", Id, nullable=False),
    Column("email", CleanText, nullable=False),
    Column("name", CleanText, nullable=False),
    Column("timezone", CleanText),
    Column("channel", Id),  # that digests go by; nothing: the site's mail channel
)
# record_issue: whether anybody chose a channel of their own.
Index(
    "ix_subscribers_channel",
    subscribers.c.channel,
    sqlite_where=text("channel IS NOT NULL"),
    postgresql_where=text("channel IS NOT NULL"),
)

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
)

# Where readers stand: who shares a row gets the same issue. Whoever is not active stands along, so that
# coming back never brings back what the others were told meanwhile.
groups = Table(
    "groups",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("edition_key", Id, ForeignKey("editions.key"), nullable=False),
    Column("told_through", BigInteger, nullable=False),
    Column("next_due_at", Instant, nullable=False),
)
# due_groups: whose moment has come.
Index("ix_groups_due", groups.c.next_due_at)
# record_issue and move_on: who still stands here, and who stands where these are going.
Index("ix_groups_place", groups.c.edition_key, groups.c.told_through, groups.c.next_due_at)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscriber", BigInteger, ForeignKey("subscribers.number"), primary_key=True, autoincrement=False),
    Column("newsletter", CleanText, primary_key=True),
    Column("group_number", BigInteger, ForeignKey("groups.number"), nullable=False),
    Column("status", Id, nullable=False),  # what counts
    Column("choice", Id, nullable=False),  # what the person said; comes back when config's `ended` is lifted
    Column("declared", Boolean, nullable=False),  # by the roster
    Column("chosen", Boolean, nullable=False),  # the wishes are the person's own
    Column("changed_at", Instant, nullable=False),
    Column("wishes", Json, nullable=False),
    sqlite_with_rowid=False,
)
# due_groups counts a group's active members, record_issue reads them in order of subscriber.
Index(
    "ix_subscriptions_members",
    subscriptions.c.group_number,
    subscriptions.c.status,
    subscriptions.c.subscriber,
)

# Who asked for a newsletter of late and may confirm it: a confirmation link works only while its row is here.
sign_ups = Table(
    "sign_ups",
    metadata,
    Column("subscriber", BigInteger, ForeignKey("subscribers.number"), primary_key=True, autoincrement=False),
    Column("newsletter", CleanText, primary_key=True),
    Column("timezone", CleanText),
    Column("first_at", Instant, nullable=False),  # links from before this instant do not count
    Column("last_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
# prune: the ones whose last link has expired.
Index("ix_sign_ups_last_at", sign_ups.c.last_at)

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
    Column("readers", Integer, nullable=False),  # counted when they are planned: the books' other side
    Column("paused_at", Instant),  # by hand: nobody takes its deliveries until it is resumed
    Column("article_ids", Json, nullable=False),
    Column("subject", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
    Column("html", CleanText, nullable=False),
)
# A transactional mail is a row without an edition, whose `occurrence` is its kind, with one delivery.
# prune: those that are old enough.
TRANSACTIONAL = text("edition_key = ''")
Index(
    "ix_issues_transactional",
    issues.c.created_at,
    sqlite_where=TRANSACTIONAL,
    postgresql_where=TRANSACTIONAL,
)
# the listing of one newsletter's issues, newest first.
Index("ix_issues_newsletter", issues.c.newsletter, issues.c.number)
# corrections: which issues may have told an article.
Index("ix_issues_told_through", issues.c.told_through)

# The words of an edit that an issue told as a correction: kept, because a publisher can edit once more.
edits = Table(
    "edits",
    metadata,
    Column("key", Id, primary_key=True),
    Column("position", Number, ForeignKey("articles.position"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("text", CleanText, nullable=False),
)

# What an issue corrected: of which article, by which edit, and each sentence as it was told and as it is now.
told_corrections = Table(
    "told_corrections",
    metadata,
    Column("issue", Number, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("position", Number, ForeignKey("articles.position"), primary_key=True, autoincrement=False),
    Column("edit", Id, ForeignKey("edits.key"), nullable=False),
    Column("changes", Json, nullable=False),
    sqlite_with_rowid=False,
)
# explain: who was told that an article was edited; the edit that was taken back.
Index("ix_told_corrections_position", told_corrections.c.position)

# What was mailed by hand, each under its idempotency key: a request that is repeated finds its row here.
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
# SendRecords: whether the same was asked for a moment ago.
Index("ix_sends_request", sends.c.request, sends.c.at)

# The ledger. `due_at` is the instant from which somebody may take the delivery up: a planned or deferred
# one's turn, the end of the lease of one that is held, nothing for one that is finished.
# No foreign keys: rows are written by one statement that reads the subscribers themselves, and checking a
# million of them one by one would cost PostgreSQL more than writing them.
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
    Column("doubts", SmallInteger, nullable=False, server_default="0"),  # attempts whose end nobody knows
    # taken before all others, and sent without a subscription: the mail that somebody waits for
    Column("transactional", Boolean, nullable=False, server_default=false()),
    Column("channel", Id),  # of the subscriber's own choice; nothing: the issue's
    sqlite_with_rowid=False,
)
OUTBOX = text("state IN ('planned', 'deferred')")
IN_DOUBT = text("state IN ('attempting', 'uncertain')")
# take_batch: what is due, longest waiting first.
Index("ix_deliveries_outbox", deliveries.c.due_at, sqlite_where=OUTBOX, postgresql_where=OUTBOX)
# take_batch: the transactional mails that are due, whatever waits beside them.
TRANSACTIONAL_OUTBOX = text("transactional AND state IN ('planned', 'deferred')")
Index(
    "ix_deliveries_transactional",
    deliveries.c.due_at,
    sqlite_where=TRANSACTIONAL_OUTBOX,
    postgresql_where=TRANSACTIONAL_OUTBOX,
)
# take_batch: what goes by a channel that subscribers chose for themselves.
PERSONAL_OUTBOX = text("channel IS NOT NULL AND state IN ('planned', 'deferred')")
Index(
    "ix_deliveries_channel",
    deliveries.c.channel,
    deliveries.c.due_at,
    sqlite_where=PERSONAL_OUTBOX,
    postgresql_where=PERSONAL_OUTBOX,
)
# settle_uncertain and take_batch: the few that are under way or in doubt.
Index("ix_deliveries_in_doubt", deliveries.c.due_at, sqlite_where=IN_DOUBT, postgresql_where=IN_DOUBT)
# release and extend: what one worker holds.
HELD = text("token IS NOT NULL")
Index("ix_deliveries_held", deliveries.c.token, sqlite_where=HELD, postgresql_where=HELD)

# How fast messages may leave, over all workers: until when the time of each limit is given away, in the
# database's own time. A row that lies in the past says no more than none.
turns = Table(
    "turns",
    metadata,
    Column("name", Id, primary_key=True),  # the relay, or a domain behind it
    Column("free_at", BigInteger, nullable=False),
)

# Why nobody sends by a relay, until when, and until when one worker tries whether it goes again.
halts = Table(
    "halts",
    metadata,
    Column("relay", Id, primary_key=True),
    Column("reason", CleanText, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("times", Integer, nullable=False),  # in a row: pauses grow
    Column("tried_until", Instant, nullable=False),
)

# How fast a mail server lets us send, as its refusals showed; see LearnedRate in core/contracts/.
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
    Column("version", Integer, nullable=False),  # workers replace a row only as they read it
)

# Deliveries that came back: one row for an issue and a reader, however often the same letter is read.
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

# What was allowed of late under a limit, over all workers; `name` is a keyed hash of what is counted.
attempts = Table(
    "attempts",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Id, nullable=False),
    Column("at", Instant, nullable=False),
)
# LimitRecords: how often of late.
Index("ix_attempts_name_at", attempts.c.name, attempts.c.at)
# prune: the ones that no limit looks back to.
Index("ix_attempts_at", attempts.c.at)

# --- the house itself --------------------------------------------------------------------------

settings = Table(
    "settings",
    metadata,
    Column("name", Id, primary_key=True),
    Column("value", Text, nullable=False),
)
