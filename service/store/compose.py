"""Due groups, released articles, and issues with their deliveries.

Subscriptions that get the same issue share a row in `groups`. One INSERT plans the deliveries of all members,
and one UPDATE advances the cursor of that row, in the same transaction. So either all members are served or
none, and a repeated call finds no members at the old cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Insert, and_, bindparam, exists, func, select, update
from typing_extensions import override

from service.compose.ports import ComposeStore, EditedArticle, ReleasedPosition
from service.core.errors import ArticleChanged
from service.core.ids import edit_key
from service.core.model import CondensedArticle, Draft, Edition, Group, Issue, SentIssue
from service.store import (
    digests,
    drafts,
    group_queries,
    issue_pictures,
    listed_issues,
    pauses,
    released_articles,
    sent_corrections,
)
from service.store import groups as group_rows
from service.store.database import Database
from service.store.dialect import GROUPS_LOCK, Query, hold_lock, insert_into, is_in
from service.store.group_members import DELIVERY_COLUMNS, group_statements, group_values
from service.store.groups import ACTIVE
from service.store.mappers import issue_values
from service.store.schema import (
    UNCONDENSED,
    articles,
    deliveries,
    groups,
    issues,
    subscribers,
    subscriptions,
)

# One statement, which reads one snapshot: between two an article could arrive and be skipped.
# "+ 0": otherwise both databases scan the primary key from the first article to find the minimum.
LIMITS = select(
    select(func.min(articles.c.position + 0))
    .where(articles.c.gathered_at > bindparam("gathered_by"))
    .scalar_subquery(),
    select(func.min(articles.c.position)).where(UNCONDENSED).scalar_subquery(),
    select(func.max(articles.c.position)).scalar_subquery(),
)
STORED = select(issues.c.number, issues.c.told_through, issues.c.cancelled_at.is_not(None)).where(
    issues.c.id == bindparam("issue")
)
MORE_READERS = (
    update(issues)
    .where(issues.c.number == bindparam("issue"))
    .values(readers=issues.c.readers + bindparam("more"))
)
HAS_OWN_CHANNEL = select(exists().where(subscribers.c.channel.is_not(None)))


class _StoredIssue(NamedTuple):
    """A stored issue: its number and cursor, and whether it was cancelled or is new."""

    number: int
    through: int
    is_cancelled: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class SqlComposeStore(ComposeStore):
    """ComposeStore on the tables articles, groups, issues and deliveries.

    `own_editions` are the newsletters' editions without any subscriber's preference, by newsletter (id): the
    list of a newsletter's issues shows theirs.
    """

    database: Database
    own_editions: Mapping[str, Edition] = field(default_factory=dict)
    _texts: digests.DigestTexts = field(default_factory=digests.DigestTexts, init=False, compare=False)

    @override
    async def due_groups(self, now: datetime, ahead: timedelta = timedelta()) -> Sequence[Group]:
        # A subquery for each group: in a join SQLite would read the subscriptions of all groups.
        members = and_(subscriptions.c.group_number == groups.c.number, ACTIVE)
        size = select(func.count()).select_from(subscriptions).where(members).scalar_subquery()
        due = select(groups, size.label("size")).where(groups.c.next_due_at <= now + ahead)
        await pauses.end_all_over(self.database, now)
        async with self.database.read() as connection:
            rows = (await connection.execute(due)).all()
            found = await group_queries.editions_of(connection, {row.edition_key for row in rows})
        sizes: Counter[tuple[datetime, str, int]] = Counter()
        for row in rows:
            sizes[row.next_due_at, row.edition_key, row.told_through] += row.size
        return [
            Group(found[key], key, served_through, due_at, size_)
            for (due_at, key, served_through), size_ in sorted(sizes.items())
            if size_
        ]

    @override
    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        async with self.database.read() as connection:
            if subscribers is None:
                found = await group_queries.whole_groups(connection, newsletter)
            else:
                found = await group_queries.groups_of_some(connection, newsletter, subscribers)
            edition_of_key = await group_queries.editions_of(connection, {key for key, _ in found})
        return [
            Group(edition_of_key[key], key, served_through, None, size, ids)
            for (key, served_through), (size, ids) in found.items()
        ]

    @override
    async def release_position(self, gathered_by: datetime) -> int:
        def work(connection: Connection) -> tuple[int | None, ...]:
            return tuple(connection.execute(LIMITS, {"gathered_by": gathered_by}).one())

        first_unsettled, first_waiting, newest = await self.database.run_read(work)
        limits = [position - 1 for position in (first_unsettled, first_waiting) if position is not None]
        through: int = min([*limits, newest or 0])
        return through

    @override
    async def released_positions(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[ReleasedPosition]:
        return await self.database.run_read(
            lambda connection: released_articles.positions(connection, edition, after, through)
        )

    @override
    async def articles_at(self, positions: Collection[int]) -> Sequence[CondensedArticle]:
        return await self.database.run_read(lambda connection: released_articles.read(connection, positions))

    async def released_articles(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[CondensedArticle]:
        """Return the articles at the released positions."""
        released = await self.released_positions(edition, after, through)
        return await self.articles_at([one.position for one in released])

    @override
    async def last_issue_start(self, group: Group) -> int | None:
        def work(connection: Connection) -> int | None:
            last = group_statements(connection, group).last_start
            return connection.scalar(last, group_values(group))

        return await self.database.run_read(work)

    @override
    async def recently_sent(self, group: Group, since: datetime) -> Mapping[str, SentIssue]:
        def work(connection: Connection) -> dict[str, SentIssue]:
            recent = group_statements(connection, group).recent
            values = {**group_values(group), "since": since}
            first: dict[str, SentIssue] = {}
            for issue_id, due_at, article_ids in connection.execute(recent, values):
                issue = SentIssue(issue_id, due_at)
                for article in article_ids:
                    first.setdefault(article, issue)
            return first

        return await self.database.run_read(work)

    @override
    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        def work(connection: Connection) -> Sequence[EditedArticle]:
            recent = group_statements(connection, group).recent_numbers
            numbers = connection.scalars(recent, {**group_values(group), "since": sent_since}).all()
            return sent_corrections.unsent_edits(connection, numbers, edited_until) if numbers else []

        return await self.database.run_read(work)

    @override
    async def record_issue(
        self,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
        draft: Draft | None = None,
    ) -> int:
        def work(connection: Connection) -> int:
            return self.record_in(connection, group, issue, next_due_at, channel, draft=draft)

        return await self.database.run_write(work)

    def record_in(
        self,
        connection: Connection,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
        *,
        draft: Draft | None = None,
    ) -> int:
        """Do the work of `record_issue` in a transaction."""
        hold_lock(connection, GROUPS_LOCK)
        rows = connection.execute(group_statements(connection, group).rows, group_values(group)).all()
        if not rows:
            return 0
        drafts.use(connection, draft)
        stored = self._stored(connection, issue, channel, readers=group.size)
        planned, cursor = 0, group.served_through
        if not stored.is_cancelled:
            planned, cursor = self._plan(connection, group, stored, issue.created_at), stored.through
        if stored.is_new and (own := self.own_editions.get(issue.newsletter)):
            listed_issues.record(connection, group, issue, own, number=stored.number, readers=planned)
        for row in rows:
            due_at = row.next_due_at if next_due_at is None else next_due_at
            _advance(connection, group, row.number, cursor, due_at)
        return planned

    @override
    async def skip_issue(
        self, group: Group, next_due_at: datetime, served_through: int | None, draft: Draft | None = None
    ) -> int:
        cursor = group.served_through if served_through is None else served_through

        def work(connection: Connection) -> int:
            hold_lock(connection, GROUPS_LOCK)
            statements, values = group_statements(connection, group), group_values(group)
            moved = connection.scalar(statements.count, values) or 0
            rows = connection.execute(statements.rows, values).all()
            drafts.use(connection, draft if rows else None)
            for row in rows:
                _advance(connection, group, row.number, cursor, next_due_at)
            return moved

        return await self.database.run_write(work)

    def _stored(self, connection: Connection, issue: Issue, channel: str, *, readers: int) -> _StoredIssue:
        """Store the issue if it is new, with the expected number of `readers`; return what is stored."""
        row = issue_values(issue, channel) | {"readers": readers}
        stored = connection.execute(insert_into(connection, issues).on_conflict_do_nothing(), row)
        number, through, is_cancelled = connection.execute(STORED, {"issue": issue.id}).one()
        result = _StoredIssue(number, through, is_cancelled, stored.rowcount > 0)
        if result.is_new:
            if issue.edit_keys:
                _require_unchanged(connection, issue)
            sent_corrections.record(connection, result.number, issue)
            if issue.digest is not None:
                digests.record(connection, result.number, issue.digest, self._texts)
            if issue.picture is not None:
                issue_pictures.record(connection, result.number, issue.picture)
        return result

    def _plan(self, connection: Connection, group: Group, issue: _StoredIssue, at: datetime) -> int:
        """Plan a delivery of the issue for each member without one; return how many were planned."""
        statements = group_statements(connection, group)
        values = {**group_values(group), "planned_issue": issue.number, "planned_at": at}
        plan = statements.plan
        # Looked up only where anybody chose a channel: a million look-ups are not free.
        with_channel = bool(connection.scalar(HAS_OWN_CHANNEL))
        if with_channel or not issue.is_new:
            plan = _special_plan(statements.planned, issue, with_channel=with_channel)
        count = connection.execute(plan, values).rowcount
        expected = group.size if issue.is_new else 0
        if count != expected:  # an update writes the mail once more
            connection.execute(MORE_READERS, {"issue": issue.number, "more": count - expected})
        return count


def _special_plan(planned: Query, issue: _StoredIssue, *, with_channel: bool) -> Insert:
    """Return the insertion of deliveries that are not planned yet, with each member's own channel or none."""
    member, names = subscriptions.c.subscriber, [*DELIVERY_COLUMNS]
    if not issue.is_new:
        # Not ON CONFLICT DO NOTHING, for which PostgreSQL writes every row twice: lock_groups is enough.
        earlier = exists().where(deliveries.c.issue == issue.number, deliveries.c.subscriber == member)
        planned = planned.where(~earlier)
    if with_channel:
        chosen = select(subscribers.c.channel).where(subscribers.c.number == member)
        planned, names = planned.add_columns(chosen.scalar_subquery()), [*names, "channel"]
    return deliveries.insert().from_select(names, planned)


def _require_unchanged(connection: Connection, issue: Issue) -> None:
    """Lock the issue's articles until it is stored. Raises ArticleChanged if one was edited meanwhile."""
    these = is_in(connection, articles.c.id, issue.article_ids)
    query = select(*articles.c["id", "title", "text"]).where(these)
    # A transaction that stores an edit locks the article's row first, and then checks if it was sent.
    locked = connection.execute(query.order_by(articles.c.position).with_for_update(read=True))
    if {edit_key(*row) for row in locked} != set(issue.edit_keys):
        raise ArticleChanged("an article was edited while the issue was composed")


def _advance(
    connection: Connection, group: Group, number: int, served_through: int, next_due_at: datetime
) -> None:
    """Advance one row of the group: the whole row, or only its `subscriber_ids`."""
    if group.subscriber_ids is None:
        group_rows.advance(connection, number, group.edition_key, served_through, next_due_at)
        return
    target = group_rows.found_or_created(connection, group.edition_key, served_through, next_due_at)
    named = select(subscribers.c.number).where(is_in(connection, subscribers.c.id, group.subscriber_ids))
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.group_number == number, subscriptions.c.subscriber.in_(named), ACTIVE)
        .values(group_number=target)
    )
    group_rows.remove_empty(connection, [number])
