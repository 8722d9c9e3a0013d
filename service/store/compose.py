"""What compose asks of the record: who is due, what may be told, and issues with their deliveries.

Readers who get the same issue share a row in `groups`. An issue for all of them is planned by one INSERT that
reads the members, and moves that one row on, in the same transaction: before it nobody has been served, after
it everybody has, and a second try finds nobody standing there any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.compose.ports import EditedArticle
from service.core.errors import ArticleChanged
from service.core.ids import edit_key
from service.core.model import CondensedArticle, Edition, Group, Issue
from service.store import groups as standing
from service.store import sent_corrections as told_corrections
from service.store.columns import Instant
from service.store.database import Database
from service.store.dialect import is_in, lock_groups
from service.store.groups import ACTIVE
from service.store.mappers import article_of, edition_of, issue_values, summary_of
from service.store.schema import (
    UNCONDENSED,
    article_topics,
    articles,
    deliveries,
    editions,
    groups,
    issues,
    story_articles,
    subscribers,
    subscriptions,
    summaries,
)

MAX_ARTICLES_PER_ISSUE = 5_000
"""So many articles are offered for one issue at most: the newest. A reader may have been away for a year."""

MADE = (summaries.c.method.label("made_by"), summaries.c.key_points, summaries.c.context)

Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SqlComposeStore:
    """The ComposeStore of core/contracts/."""

    database: Database

    async def due_groups(self, now: datetime) -> Sequence[Group]:
        """Return the groups of active subscriptions with `next_due_at <= now`, longest waiting first."""
        # Counted group by group: in a join SQLite would rather read the subscriptions of all who are not due.
        here = and_(subscriptions.c.group_number == groups.c.number, ACTIVE)
        size = select(func.count()).select_from(subscriptions).where(here).scalar_subquery()
        due = select(groups, size.label("size")).where(groups.c.next_due_at <= now)
        async with self.database.read() as connection:
            rows = (await connection.execute(due)).all()
            wishes = await _editions(connection, {row.edition_key for row in rows})
        sizes: Counter[tuple[datetime, str, int]] = Counter()
        for row in rows:
            sizes[row.next_due_at, row.edition_key, row.told_through] += row.size
        return [
            Group(wishes[key], key, told_through, due_at, members)
            for (due_at, key, told_through), members in sorted(sizes.items())
            if members
        ]

    async def groups_of(self, newsletter: str, subscribers: Collection[str] | None) -> Sequence[Group]:
        """Return the groups of a newsletter's active subscriptions, due or not, for a manual send.

        With `subscribers` (ids), only those people: the groups carry them in `only`.
        """
        async with self.database.read() as connection:
            if subscribers is None:
                found = await _whole_groups(connection, newsletter)
            else:
                found = await _groups_of_some(connection, newsletter, subscribers)
            wishes = await _editions(connection, {key for key, _ in found})
        return [
            Group(wishes[key], key, told, None, size, only) for (key, told), (size, only) in found.items()
        ]

    async def release_position(self, gathered_by: datetime) -> int:
        """Return the position up to which articles were gathered by then and are condensed or set aside."""
        # One statement, so one moment: an article that arrives between two would slip through.
        # "+ 0" keeps both databases from walking up from the first article of all to find the smallest.
        first = func.min(articles.c.position + 0)
        unsettled = select(first).where(articles.c.gathered_at > gathered_by)
        waiting = select(func.min(articles.c.position)).where(UNCONDENSED)
        last = select(func.max(articles.c.position))
        marks = select(unsettled.scalar_subquery(), waiting.scalar_subquery(), last.scalar_subquery())
        async with self.database.read() as connection:
            first_unsettled, first_waiting, newest = (await connection.execute(marks)).one()
        held_up = [position - 1 for position in (first_unsettled, first_waiting) if position is not None]
        through: int = min([*held_up, newest or 0])
        return through

    async def released_articles(
        self, edition: Edition, after: int, through: int
    ) -> Sequence[CondensedArticle]:
        """Return the condensed articles with `after < position <= through` that fit the edition's topics.

        An edition without topics fits every article. In gather order, the newest MOST_TOLD at most.
        """
        fitting = (
            select(articles, *MADE, story_articles.c.story)
            .join(summaries, summaries.c.position == articles.c.position)
            .join(story_articles, story_articles.c.position == articles.c.position, isouter=True)
            .where(articles.c.position > after, articles.c.position <= through)
            .order_by(articles.c.position.desc())
            .limit(MAX_ARTICLES_PER_ISSUE)
        )
        if edition.topics:
            fitting = fitting.where(
                articles.c.position.in_(
                    select(article_topics.c.position).where(
                        article_topics.c.topic.in_(edition.topics),
                        article_topics.c.position > after,
                        article_topics.c.position <= through,
                    )
                )
            )
        async with self.database.read() as connection:
            rows = (await connection.execute(fitting)).mappings().all()
        return [
            CondensedArticle(
                article_of(r), summary_of(r["made_by"], r["key_points"], r["context"]), r["story"] or ""
            )
            for r in reversed(rows)
        ]

    async def last_issue_start(self, group: Group) -> int | None:
        """Return `told_from` of the last issue that the group's members were given, for a repeat.

        Members stand at the same place because they were told the same; the first one speaks for all.
        """
        async with self.database.read() as connection:
            last = _given_to_first(connection, group, issues.c.told_from)
            return await connection.scalar(last.order_by(issues.c.number.desc()).limit(1))

    async def recently_sent(self, group: Group, since: datetime) -> Collection[str]:
        """Return the ids of the articles in the issues that the group's members were given since then.

        Members stand at the same place because they were told the same; the first one speaks for all.
        """
        async with self.database.read() as connection:
            lately = _given_to_first(connection, group, issues.c.article_ids)
            found = await connection.scalars(lately.where(issues.c.created_at >= since))
            return {article for article_ids in found for article in article_ids}

    async def edited_articles(
        self, group: Group, sent_since: datetime, edited_until: datetime
    ) -> Sequence[EditedArticle]:
        """Return the articles that were edited, until then, after the group's members had been told them.

        Only those of the issues that they were given since `told_since`, without the edits that they were
        told already. In gather order. Members stand at the same place because they were told the same; the
        first one speaks for all.
        """
        async with self.database.read() as connection:
            lately = _given_to_first(connection, group, issues.c.number)
            given = (await connection.scalars(lately.where(issues.c.created_at >= sent_since))).all()
            return await told_corrections.edited(connection, given, edited_until) if given else []

    async def record_issue(
        self, group: Group, issue: Issue, next_due_at: datetime | None, channel: str
    ) -> int:
        """Store the issue, plan a delivery for each member, and move the members on: one transaction.

        Only members that still stand where `group` says are served: due at `group.due_at` (scheduled sends),
        told through `group.told_through`, active. Their `told_through` becomes the issue's; their
        `next_due_at` becomes `next_due_at` unless that is None. Return how many deliveries were planned.

        When the issue is stored already, for others who stood here before, the stored one is what these get.
        """
        async with self.database.write() as connection:
            await lock_groups(connection)
            return await self.record_in(connection, group, issue, next_due_at, channel)

    async def record_in(
        self,
        connection: AsyncConnection,
        group: Group,
        issue: Issue,
        next_due_at: datetime | None,
        channel: str,
    ) -> int:
        """Do the same in a transaction that holds `lock_readers` already."""
        served = (await connection.execute(_places(connection, group))).all()
        if not served:
            return 0
        number, told_through, is_new = await self._stored(connection, issue, channel)
        planned = await self._plan(connection, group, number, issue.created_at, is_new=is_new)
        for place in served:
            due_at = place.next_due_at if next_due_at is None else next_due_at
            await _move(connection, group, place.number, told_through, due_at)
        return planned

    async def skip_issue(self, group: Group, next_due_at: datetime, served_through: int | None) -> int:
        """Move the group's members to their next due moment without an issue; return how many moved."""
        told = group.served_through if served_through is None else served_through
        async with self.database.write() as connection:
            await lock_groups(connection)
            moving = await connection.scalar(_members(connection, group, func.count())) or 0
            for place in (await connection.execute(_places(connection, group))).all():
                await _move(connection, group, place.number, told, next_due_at)
            return moving

    async def _stored(self, connection: AsyncConnection, issue: Issue, channel: str) -> tuple[int, int, bool]:
        """Store the issue unless it is there; return its number, how far it tells, and whether it is new."""
        row = issue_values(issue, channel)
        stored = await connection.execute(self.database.insert(issues).values(row).on_conflict_do_nothing())
        found = select(issues.c.number, issues.c.told_through).where(issues.c.id == issue.id)
        number, told_through = (await connection.execute(found)).one()
        is_new = stored.rowcount > 0
        if is_new:
            if issue.edit_keys:
                await _require_words(connection, issue)
            await told_corrections.record(connection, self.database, number, issue)
        return number, told_through, is_new

    async def _plan(
        self, connection: AsyncConnection, group: Group, issue: int, at: datetime, *, is_new: bool
    ) -> int:
        """Plan a delivery of the issue for each member who has none yet; return how many were planned."""
        member = subscriptions.c.subscriber
        columns = (literal(issue), member, literal("planned"), literal(0), literal(at, Instant))
        rows = _members(connection, group, *columns).order_by(subscriptions.c.group_number, member)
        if not is_new:
            # Not ON CONFLICT DO NOTHING: PostgreSQL writes every row twice for it, and nobody else plans now.
            planned = exists().where(deliveries.c.issue == issue, deliveries.c.subscriber == member)
            rows = rows.where(~planned)
        names = ["issue", "subscriber", "state", "attempts", "due_at"]
        count = (await connection.execute(deliveries.insert().from_select(names, rows))).rowcount
        await connection.execute(
            update(issues).where(issues.c.number == issue).values(readers=issues.c.readers + count)
        )
        return count


async def _require_words(connection: AsyncConnection, issue: Issue) -> None:
    """Keep the words of the issue's articles as they are until it is recorded. Raises WordsChanged."""
    told = is_in(connection, articles.c.id, issue.article_ids)
    asked = select(*articles.c["id", "title", "text"]).where(told)
    # Whoever gives an article new words holds its row, and then asks whether it was told.
    held = await connection.execute(asked.order_by(articles.c.position).with_for_update(read=True))
    if {edit_key(*row) for row in held} != set(issue.edit_keys):
        raise ArticleChanged("an article was edited while the issue was made")


def _standing_at(group: Group) -> ColumnElement[bool]:
    here = and_(groups.c.edition_key == group.edition_key, groups.c.told_through == group.served_through)
    return here if group.due_at is None else and_(here, groups.c.next_due_at == group.due_at)


def _members(
    connection: AsyncConnection, group: Group, *columns: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    """Return the query for these columns of the group's members: active, and still standing there."""
    members = (
        select(*columns)
        .select_from(subscriptions)
        .where(subscriptions.c.group_number.in_(select(groups.c.number).where(_standing_at(group))), ACTIVE)
    )
    if group.subscriber_ids is None:
        return members
    named = select(subscribers.c.number).where(is_in(connection, subscribers.c.id, group.subscriber_ids))
    return members.where(subscriptions.c.subscriber.in_(named))


def _given_to_first(connection: AsyncConnection, group: Group, column: ColumnElement[Any]) -> Query:
    """Return the query for this column of the newsletter's issues that the group's first member was given."""
    first = _members(connection, group, func.min(subscriptions.c.subscriber)).scalar_subquery()
    given = exists().where(deliveries.c.issue == issues.c.number, deliveries.c.subscriber == first)
    # A transactional mail is no issue: it told them nothing.
    return select(column).where(
        issues.c.newsletter == group.edition.newsletter, issues.c.edition_key != "", given
    )


def _places(connection: AsyncConnection, group: Group) -> Query:
    """Return the query for the rows of `groups` in which at least one of the group's members stands."""
    standing_in = _members(connection, group, subscriptions.c.group_number)
    return select(groups.c.number, groups.c.next_due_at).where(groups.c.number.in_(standing_in))


async def _move(
    connection: AsyncConnection, group: Group, place: int, told_through: int, next_due_at: datetime
) -> None:
    """Move the group's members who stand at one place on: all who stand there, or those of `only`."""
    if group.subscriber_ids is None:
        await standing.advance(connection, place, told_through, next_due_at)
        return
    there = await standing.find_or_create(connection, group.edition_key, told_through, next_due_at)
    named = select(subscribers.c.number).where(is_in(connection, subscribers.c.id, group.subscriber_ids))
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.group_number == place, subscriptions.c.subscriber.in_(named), ACTIVE)
        .values(group_number=there)
    )
    await standing.remove_if_empty(connection, [place])


async def _editions(connection: AsyncConnection, keys: Collection[str]) -> dict[str, Edition]:
    wanted = select(editions).where(is_in(connection, editions.c.key, keys))
    return {row["key"]: edition_of(row) for row in (await connection.execute(wanted)).mappings()}


Found = dict[tuple[str, int], tuple[int, tuple[str, ...] | None]]
"""Edition key and told_through -> how many stand there, and who of them is meant (None: all)."""


async def _whole_groups(connection: AsyncConnection, newsletter: str) -> Found:
    place = (groups.c.edition_key, groups.c.told_through)
    everybody = (
        select(*place, func.count())
        .join(editions, editions.c.key == groups.c.edition_key)
        .join(subscriptions, subscriptions.c.group_number == groups.c.number)
        .where(editions.c.newsletter == newsletter, ACTIVE)
        .group_by(*place)
        .order_by(*place)
    )
    return {(key, told): (size, None) for key, told, size in (await connection.execute(everybody)).all()}


async def _groups_of_some(connection: AsyncConnection, newsletter: str, ids: Collection[str]) -> Found:
    some = (
        select(groups.c.edition_key, groups.c.told_through, subscribers.c.id)
        .select_from(subscriptions)
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .where(subscriptions.c.newsletter == newsletter, ACTIVE, is_in(connection, subscribers.c.id, ids))
        .order_by(groups.c.edition_key, groups.c.told_through, subscribers.c.id)
    )
    found: dict[tuple[str, int], list[str]] = {}
    for key, told, subscriber in (await connection.execute(some)).all():
        found.setdefault((key, told), []).append(subscriber)
    return {place: (len(people), tuple(people)) for place, people in found.items()}
