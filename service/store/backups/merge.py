"""Merge: copy what happened after a backup from the replaced tables into the restored tables.

Restored tables lack the mails sent and the unsubscribes received after the backup. If the replaced tables can
be read, their later facts are kept: suppressions, unsubscribes, erasures, sent deliveries, cursors and
drafts, so that no mail is sent twice, or against an editor's decision. Articles are copied as well, because
the feeds would bring them again. New subscribers and changed preferences are not copied.

Rows are matched by ids computed from content, because the numbers of two databases may differ. The old tables
are in another schema of the same connection: an attached file, or a schema of PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

from service.store.erasure import forget
from service.store.schema import (
    article_topics,
    articles,
    corrections,
    drafts,
    edits,
    feeds,
    issues,
    labels,
    sends,
    story_articles,
    story_splits,
    summaries,
)
from service.subscribers.ports import ERASED_REASON

ABOUT = {
    article_topics: ("topic", "position"),
    summaries: ("position",),
    story_articles: ("position",),
    story_splits: ("position", "story"),
    corrections: ("position",),
    edits: ("key",),
    labels: ("position", "text_key", "kind", "sentence_start", "claim_start"),
}
"""The tables that refer to articles, and the key of each."""


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """The number of rows that were copied, by kind."""

    suppressions: int = 0
    unsubscribed: int = 0
    erased: int = 0
    issues: int = 0
    deliveries: int = 0


# The ledger changes here, so that stored numbers of deliveries are no longer those of the rows.
FORGET_COUNTS = "DELETE FROM issue_books"

SUPPRESSIONS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, reason, at FROM {old}.suppressions AS o
     WHERE NOT EXISTS (SELECT 1 FROM suppressions AS n WHERE n.address_hash = o.address_hash)
"""
MARK_ERASED = """
    UPDATE suppressions SET reason = :erased
     WHERE address_hash IN (SELECT address_hash FROM {old}.suppressions WHERE reason = :erased)
"""
TO_ERASE = """
    SELECT number, id FROM subscribers
     WHERE address_hash IN (SELECT address_hash FROM suppressions WHERE reason = :erased)
"""
# The subscribers' own statuses after the backup: paused and unsubscribed. Preferences are not copied.
STATUS = """
    UPDATE subscriptions
       SET choice = was.choice, changed_at = was.changed_at,
           status = CASE WHEN subscriptions.status = 'ended' THEN 'ended' ELSE was.choice END
      FROM (SELECT people.number AS subscriber, o.newsletter, o.choice, o.changed_at
              FROM {old}.subscriptions AS o
              JOIN {old}.subscribers AS op ON op.number = o.subscriber
              JOIN subscribers AS people ON people.id = op.id
             WHERE o.choice IN ('unsubscribed', 'paused')) AS was
     WHERE subscriptions.subscriber = was.subscriber AND subscriptions.newsletter = was.newsletter
       AND subscriptions.choice <> was.choice AND subscriptions.changed_at <= was.changed_at
       AND subscriptions.choice <> 'unsubscribed'
"""
# Articles keep their positions, which are larger than the backup's last one.
FEEDS = """
    INSERT INTO feeds ({columns})
    SELECT {columns} FROM {old}.feeds AS o WHERE NOT EXISTS (SELECT 1 FROM feeds AS n WHERE n.id = o.id)
"""
ARTICLES = """
    INSERT INTO articles ({columns})
    SELECT {columns} FROM {old}.articles AS o
     WHERE o.position > (SELECT value FROM counters WHERE name = 'articles')
       AND NOT EXISTS (SELECT 1 FROM articles AS n WHERE n.id = o.id)
"""
ABOUT_ARTICLES = """
    INSERT INTO {table} ({columns})
    SELECT {columns} FROM {old}.{table} AS o
     WHERE EXISTS (SELECT 1 FROM articles AS n JOIN {old}.articles AS oa ON oa.id = n.id
                    WHERE n.position = o.position AND oa.position = o.position)
       AND NOT EXISTS (SELECT 1 FROM {table} AS n WHERE {same})
"""
# An article that was split from its story after the backup keeps the story that it got then.
SPLIT_STORIES = """
    UPDATE story_articles
       SET story = (SELECT o.story FROM {old}.story_articles AS o WHERE o.position = story_articles.position)
     WHERE position IN (SELECT o.position FROM {old}.story_splits AS o
                          JOIN {old}.story_articles AS os ON os.position = o.position
                          JOIN {old}.articles AS oa ON oa.position = o.position
                          JOIN articles AS n ON n.position = o.position AND n.id = oa.id)
"""
COUNTER = """
    UPDATE counters SET value = (SELECT value FROM {old}.counters AS o WHERE o.name = counters.name)
     WHERE value < (SELECT value FROM {old}.counters AS o WHERE o.name = counters.name)
"""
# An issue of the backup that was cancelled after it: its subscribers' cursors went back.
CANCELLED_SINCE = """
    EXISTS (SELECT 1 FROM {old}.issues AS oi
              JOIN {old}.deliveries AS od ON od.issue = oi.number AND od.subscriber = op.number
             WHERE oi.cancelled_at IS NOT NULL AND oi.newsletter = s.newsletter
               AND oi.told_through > o.told_through AND oi.told_through <= n.told_through
               AND od.state = 'cancelled' AND od.doubts = 0)
"""
# The cursors and due times that are later than the backup's, or that a cancellation moved back.
AHEAD = f"""
    SELECT s.subscriber, s.newsletter, n.edition_key,
           CASE WHEN o.told_through > n.told_through OR {CANCELLED_SINCE}
                THEN o.told_through ELSE n.told_through END AS told_through,
           CASE WHEN o.next_due_at > n.next_due_at THEN o.next_due_at ELSE n.next_due_at END
               AS next_due_at
      FROM subscriptions AS s
      JOIN groups AS n ON n.number = s.group_number
      JOIN subscribers AS people ON people.number = s.subscriber
      JOIN {{old}}.subscribers AS op ON op.id = people.id
      JOIN {{old}}.subscriptions AS os ON os.subscriber = op.number AND os.newsletter = s.newsletter
      JOIN {{old}}.groups AS o ON o.number = os.group_number
     WHERE o.told_through > n.told_through OR o.next_due_at > n.next_due_at OR {CANCELLED_SINCE}
"""  # noqa: S608 - constants of this file
NEW_PLACES = """
    INSERT INTO groups (edition_key, told_through, next_due_at)
    SELECT DISTINCT edition_key, told_through, next_due_at FROM moved AS m
     WHERE NOT EXISTS (SELECT 1 FROM groups AS g WHERE g.edition_key = m.edition_key
                          AND g.told_through = m.told_through AND g.next_due_at = m.next_due_at)
"""
MOVE = """
    UPDATE subscriptions SET group_number = there.number
      FROM (SELECT m.subscriber, m.newsletter, min(g.number) AS number
              FROM moved AS m
              JOIN groups AS g ON g.edition_key = m.edition_key AND g.told_through = m.told_through
                AND g.next_due_at = m.next_due_at
             GROUP BY m.subscriber, m.newsletter) AS there
     WHERE subscriptions.subscriber = there.subscriber AND subscriptions.newsletter = there.newsletter
"""
EMPTY_PLACES = """
    DELETE FROM groups WHERE NOT EXISTS (SELECT 1 FROM subscriptions WHERE group_number = groups.number)
"""
# A transactional mail only with its subscriber: people who signed up after the backup are not copied.
ISSUES = """
    INSERT INTO issues ({columns})
    SELECT {columns} FROM {old}.issues AS o
     WHERE NOT EXISTS (SELECT 1 FROM issues AS n WHERE n.id = o.id)
       AND (edition_key <> '' OR EXISTS (SELECT 1 FROM {old}.deliveries AS d
                                           JOIN {old}.subscribers AS op ON op.number = d.subscriber
                                           JOIN subscribers AS people ON people.id = op.id
                                          WHERE d.issue = o.number))
     ORDER BY o.number
"""
# The old deliveries in another state than the restored ones, with the restored tables' numbers.
LINES = """
    SELECT issues.number AS issue, people.number AS subscriber, o.state, o.attempts, o.due_at, o.at, o.reply,
           o.doubts, o.transactional, o.channel
      FROM {old}.deliveries AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
      JOIN {old}.subscribers AS op ON op.number = o.subscriber
      JOIN subscribers AS people ON people.id = op.id
      LEFT JOIN deliveries AS n ON n.issue = issues.number AND n.subscriber = people.number
     WHERE n.issue IS NULL OR n.state <> o.state
"""
NEW_LINES = """
    INSERT INTO deliveries (issue, subscriber, state, attempts, due_at, at, reply, doubts, transactional,
                            channel)
    SELECT issue, subscriber, state, attempts, due_at, at, reply, doubts, transactional, channel
      FROM lines AS l
     WHERE NOT EXISTS (SELECT 1 FROM deliveries AS n WHERE n.issue = l.issue AND n.subscriber = l.subscriber)
"""
LATER_LINES = """
    UPDATE deliveries
       SET state = l.state, attempts = l.attempts, due_at = l.due_at, token = NULL, at = l.at,
           reply = l.reply, doubts = l.doubts
      FROM lines AS l
     WHERE deliveries.issue = l.issue AND deliveries.subscriber = l.subscriber
       AND deliveries.state <> 'sent'
       AND (l.state = 'sent' OR (l.at IS NOT NULL AND (deliveries.at IS NULL OR deliveries.at <= l.at)))
"""
PAUSED = """
    UPDATE issues SET paused_at = (SELECT o.paused_at FROM {old}.issues AS o WHERE o.id = issues.id)
     WHERE paused_at IS NULL AND id IN (SELECT id FROM {old}.issues WHERE paused_at IS NOT NULL)
"""
CANCELLED = """
    UPDATE issues SET cancelled_at = (SELECT o.cancelled_at FROM {old}.issues AS o WHERE o.id = issues.id)
     WHERE cancelled_at IS NULL AND id IN (SELECT id FROM {old}.issues WHERE cancelled_at IS NOT NULL)
"""
PAUSED_LINES = """
    UPDATE deliveries SET due_at = NULL, token = NULL
     WHERE state IN ('planned', 'deferred') AND due_at IS NOT NULL
       AND issue IN (SELECT number FROM issues WHERE paused_at IS NOT NULL)
"""
READERS = """
    UPDATE issues SET readers = (SELECT count(*) FROM deliveries WHERE issue = issues.number)
     WHERE id IN (SELECT id FROM {old}.issues)
"""
TOLD_CORRECTIONS = """
    INSERT INTO told_corrections (issue, position, edit, changes)
    SELECT issues.number, o.position, o.edit, o.changes
      FROM {old}.told_corrections AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
      JOIN edits ON edits.key = o.edit AND edits.position = o.position
     WHERE NOT EXISTS (SELECT 1 FROM told_corrections AS n
                        WHERE n.issue = issues.number AND n.position = o.position)
"""
DIGESTS = """
    INSERT INTO issue_digests (issue, digest)
    SELECT issues.number, o.digest
      FROM {old}.issue_digests AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
     WHERE NOT EXISTS (SELECT 1 FROM issue_digests AS n WHERE n.issue = issues.number)
"""
PICTURES = """
    INSERT INTO issue_pictures (issue, data, width, height, publisher)
    SELECT issues.number, o.data, o.width, o.height, o.publisher
      FROM {old}.issue_pictures AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
     WHERE NOT EXISTS (SELECT 1 FROM issue_pictures AS n WHERE n.issue = issues.number)
"""
LISTED_ISSUES = """
    INSERT INTO listed_issues (newsletter, day, time, issue, readers)
    SELECT o.newsletter, o.day, o.time, issues.number, o.readers
      FROM {old}.listed_issues AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
     WHERE NOT EXISTS (SELECT 1 FROM listed_issues AS n
                        WHERE n.newsletter = o.newsletter AND n.day = o.day AND n.time = o.time)
"""
# The drafts of the replaced tables are the later ones, with what their editors decided.
OLD_DRAFTS = "DELETE FROM drafts"
DRAFTS = """
    INSERT INTO drafts ({columns})
    SELECT {columns} FROM {old}.drafts AS o
     WHERE EXISTS (SELECT 1 FROM editions WHERE editions.key = o.edition_key)
"""
SENDS = """
    INSERT INTO sends ({columns})
    SELECT {columns} FROM {old}.sends AS o WHERE NOT EXISTS (SELECT 1 FROM sends AS n WHERE n.id = o.id)
"""
BOUNCES = """
    INSERT INTO bounces (subscriber, issue, at, hard, reason)
    SELECT people.number, issues.number, o.at, o.hard, o.reason
      FROM {old}.bounces AS o
      JOIN {old}.issues AS oi ON oi.number = o.issue
      JOIN issues ON issues.id = oi.id
      JOIN {old}.subscribers AS op ON op.number = o.subscriber
      JOIN subscribers AS people ON people.id = op.id
     WHERE NOT EXISTS (SELECT 1 FROM bounces AS n
                        WHERE n.subscriber = people.number AND n.issue = issues.number)
"""


def merge(connection: Connection, old: str) -> MergeCounts:
    """Merge the tables in the schema `old` into the restored tables, in the open transaction.

    Both must have the current version.
    """

    def run(statement: str, **values: object) -> int:
        return connection.execute(text(statement.format(old=old)), values).rowcount

    def table(name: str, statement: str) -> None:
        connection.execute(text(f"CREATE TEMPORARY TABLE {name} AS {statement.format(old=old)}"))

    suppressed = run(SUPPRESSIONS)
    run(MARK_ERASED, erased=ERASED_REASON)
    erased = connection.execute(text(TO_ERASE), {"erased": ERASED_REASON}).all()
    for number, person in erased:
        forget(connection, number, person)
    unsubscribed = run(STATUS)
    run(_with_columns(FEEDS, feeds))
    run(_with_columns(ARTICLES, articles))
    for about, key in ABOUT.items():
        same = " AND ".join(f"n.{name} = o.{name}" for name in key)
        run(_with_columns(ABOUT_ARTICLES, about).replace("{table}", about.name).replace("{same}", same))
    run(SPLIT_STORIES)
    run(COUNTER)
    run(FORGET_COUNTS)
    table("moved", AHEAD)
    run(NEW_PLACES)
    run(MOVE)
    run(EMPTY_PLACES)
    new_issues = run(_with_columns(ISSUES, issues, "number"))
    for of_issues in (TOLD_CORRECTIONS, DIGESTS, PICTURES, LISTED_ISSUES):
        run(of_issues)
    table("lines", LINES)
    lines = run(NEW_LINES) + run(LATER_LINES)
    run(PAUSED)
    run(CANCELLED)
    run(PAUSED_LINES)
    run(READERS)
    run(OLD_DRAFTS)
    run(_with_columns(DRAFTS, drafts))
    run(_with_columns(SENDS, sends))
    run(BOUNCES)
    for name in ("moved", "lines"):
        connection.execute(text(f"DROP TABLE {name}"))
    return MergeCounts(suppressed, unsubscribed, len(erased), new_issues, lines)


def _with_columns(statement: str, of: Table, *without: str) -> str:
    names = (column.name for column in of.columns if column.name not in without)
    return statement.replace("{columns}", ", ".join(names))
