"""Listings and counts for the CLI, the web pages, the API and the scheduler. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import exists, func, select

from service.core.model import Books, FeedState
from service.core.model import DeliveryState as State
from service.core.read_models import (
    ArticleDetails,
    DeliveryBacklog,
    DeliveryDetails,
    FeedDetails,
    IssueDetails,
    PendingWork,
    RecordCounts,
)
from service.store import due_work, issue_books
from service.store.database import Database
from service.store.delivery_rows import delivery_details, delivery_query, in_states
from service.store.dialect import Query, is_in
from service.store.drafts import UNDECIDED
from service.store.mappers import (
    EDITION,
    SUMMARY_COLUMNS,
    Row,
    article_of,
    edition_of,
    feed_state_of,
    summary_of,
)
from service.store.schema import (
    IN_DOUBT,
    OUTBOX,
    PAUSED,
    TRANSACTIONAL,
    articles,
    deliveries,
    editions,
    feeds,
    issues,
    sign_ups,
    subscribers,
    subscriptions,
    summaries,
    suppressions,
)
from service.store.sqlite_ledger import PREFIX_CHARACTERS

NEAR_ISSUES = 1_000  # numbers, before and after an issue, within which those of its time are searched

ISSUE_COLUMNS = (
    *("id", "newsletter", "edition_key", "occurrence", "due_at"),
    *("created_at", "subject", "channel", "paused_at", "cancelled_at"),
)
"""Columns of `issues` with the names of IssueDetails's fields."""


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries across all tables."""

    database: Database

    async def pending_work(self, now: datetime) -> PendingWork:
        """Return the number of rows that wait for each stage at `now`."""
        return await self.database.run_read(partial(due_work.count_pending, now=now))

    async def next_delivery_due(self, after: datetime) -> datetime | None:
        """Return the first time after `after` at which a retry is due or a lease ends, or None."""
        return await self.database.run_read(partial(due_work.next_due, after=after))

    async def backlog(self, now: datetime) -> DeliveryBacklog:
        """Return the backlog of deliver at `now`."""
        oldest = select(func.min(deliveries.c.due_at)).where(OUTBOX, deliveries.c.due_at <= now)
        uncertain = select(func.count()).where(IN_DOUBT, deliveries.c.state == State.UNCERTAIN)
        undecided = select(func.count()).where(UNDECIDED)
        query = select(*(one.scalar_subquery() for one in (oldest, uncertain, undecided)))
        async with self.database.read() as connection:
            return DeliveryBacklog(*(await connection.execute(query)).one())

    async def counts(self) -> RecordCounts:
        """Return the number of rows of each kind."""
        tables = (feeds, articles, subscribers, subscriptions, issues, suppressions)
        transactional = select(func.count()).select_from(issues.alias()).where(TRANSACTIONAL)
        not_counted = {
            subscribers: _unconfirmed().scalar_subquery(),
            issues: transactional.scalar_subquery(),
        }
        counts = (
            select(func.count() - not_counted.get(table, 0)).select_from(table).scalar_subquery()
            for table in tables
        )
        async with self.database.read() as connection:
            return RecordCounts(*(await connection.execute(select(*counts))).one())

    async def issues(
        self,
        newsletter: str | None = None,
        *,
        limit: int = 20,
        before: str | None = None,
        for_page: bool = False,
    ) -> Sequence[IssueDetails]:
        """Return the latest issues of one newsletter, or of all, newest first.

        `before` is the id of the last issue of the page before. `for_page`: the numbers of a large issue that
        is being sent may be some seconds old.
        """
        query = _issue_query().limit(limit)
        if newsletter is not None:
            query = query.where(issues.c.newsletter == newsletter)
        if before is not None:
            last = select(issues.c.number).where(issues.c.id == before)
            query = query.where(issues.c.number < last.scalar_subquery())
        return await self._issues(query, for_page=for_page)

    async def issues_of_same_time(
        self, issue: IssueDetails, *, limit: int, for_page: bool = False
    ) -> Sequence[IssueDetails]:
        """Return the other issues of the newsletter for the same local time, in other editions, newest first.

        Those of all time zones are made within a day or two: the nearest issues are searched.
        """
        number = select(issues.c.number).where(issues.c.id == issue.id).scalar_subquery()
        near = issues.c.number.between(number - NEAR_ISSUES, number + NEAR_ISSUES)
        same = (issues.c.newsletter == issue.newsletter, issues.c.occurrence == issue.occurrence)
        query = _issue_query().where(near, *same, issues.c.id != issue.id).limit(limit)
        return await self._issues(query, for_page=for_page)

    async def issues_by_prefix(self, prefix: str, *, for_page: bool = False) -> Sequence[IssueDetails]:
        """Return the issues whose ids start with `prefix`, at most ten; `for_page` as in `issues`."""
        query = _issue_query().where(_starts_with(issues.c.id, prefix)).limit(10)
        return await self._issues(query, for_page=for_page)

    async def paused_issues(self, *, for_page: bool = False) -> Sequence[IssueDetails]:
        """Return the paused issues that can be resumed, newest first; `for_page` as in `issues`."""
        return await self._issues(_issue_query().where(PAUSED), for_page=for_page)

    async def _issues(self, query: Query, *, for_page: bool = False) -> Sequence[IssueDetails]:
        kept = issue_books.kept_counts(self.database) if for_page else None
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            counts = await issue_books.counts_of(connection, [row["number"] for row in rows], kept)
        return [_issue_details(row, counts[row["number"]]) for row in rows]

    async def delivery_counts(self, issue_ids: Collection[str]) -> Counter[State]:
        """Return the number of deliveries of these issues by state."""
        async with self.database.read() as connection:
            counting = (
                select(deliveries.c.state, func.count())
                .join(issues, issues.c.number == deliveries.c.issue)
                .where(is_in(connection, issues.c.id, issue_ids))
                .group_by(deliveries.c.state)
            )
            rows = (await connection.execute(counting)).all()
        return Counter({State(state): count for state, count in rows})

    async def deliveries(
        self,
        issue_id: str,
        *,
        states: Collection[State] | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[DeliveryDetails]:
        """Return an issue's deliveries in `states` (None: all), in a fixed order.

        `limit` and `after`, the id of the last delivery of the page before, select a page.
        """
        query = delivery_query().where(issues.c.id == issue_id).order_by(deliveries.c.subscriber)
        if states is not None:
            query = query.where(in_states(states))
        if after is not None:
            last = select(subscribers.c.number).where(subscribers.c.id == after[PREFIX_CHARACTERS:])
            query = query.where(deliveries.c.subscriber > last.scalar_subquery())
        async with self.database.read() as connection:
            rows = (await connection.execute(query.limit(limit))).mappings()
            return [delivery_details(row) for row in rows]

    async def delivery(self, delivery_id: str) -> DeliveryDetails | None:
        """Return the delivery with this id, the left part of its Message-ID."""
        query = delivery_query().where(
            issues.c.delivery_prefix == delivery_id[:PREFIX_CHARACTERS],
            subscribers.c.id == delivery_id[PREFIX_CHARACTERS:],
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else delivery_details(row)

    async def deliveries_to(
        self, subscriber_id: str, *, limit: int = 50, before: str | None = None
    ) -> Sequence[DeliveryDetails]:
        """Return a subscriber's latest deliveries, newest first; those `before` an issue (id)."""
        query = (
            delivery_query()
            .where(subscribers.c.id == subscriber_id)
            .order_by(issues.c.number.desc())
            .limit(limit)
        )
        if before is not None:
            last = select(issues.c.number).where(issues.c.id == before)
            query = query.where(issues.c.number < last.scalar_subquery())
        async with self.database.read() as connection:
            return [delivery_details(row) for row in (await connection.execute(query)).mappings()]

    async def feeds(self) -> Sequence[FeedDetails]:
        """Return all feeds, also removed ones: the active feeds first, by name."""
        arrived = (
            select(
                articles.c.feed_id,
                func.count().label("articles"),
                func.max(articles.c.gathered_at).label("last_article_at"),
            )
            .group_by(articles.c.feed_id)
            .subquery()
        )
        query = (
            select(feeds, arrived.c.articles, arrived.c.last_article_at)
            .outerjoin(arrived, arrived.c.feed_id == feeds.c.id)
            .order_by(feeds.c.active.desc(), feeds.c.name, feeds.c.id)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            FeedDetails(
                feed_state_of(row),
                row["active"],
                row["gone_at"],
                row["articles"] or 0,
                row["last_article_at"],
            )
            for row in rows
        ]

    async def feed_states(self) -> Sequence[FeedState]:
        """Return the roster's feeds, also those that their publishers ended, by name."""
        active = select(feeds).where(feeds.c.active).order_by(feeds.c.name, feeds.c.id)
        async with self.database.read() as connection:
            return [feed_state_of(row) for row in (await connection.execute(active)).mappings()]

    async def articles(self, *, limit: int = 20) -> Sequence[ArticleDetails]:
        """Return the latest articles, newest first."""
        return await self._articles(_article_query().limit(limit))

    async def articles_by_prefix(self, prefix: str) -> Sequence[ArticleDetails]:
        """Return the articles whose ids start with `prefix`, at most ten."""
        return await self._articles(_article_query().where(_starts_with(articles.c.id, prefix)).limit(10))

    async def articles_by_id(self, ids: Collection[str]) -> Sequence[ArticleDetails]:
        """Return the articles with these ids, newest first."""
        async with self.database.read() as connection:
            these = is_in(connection, articles.c.id, ids)
        return await self._articles(_article_query().where(these))

    async def _articles(self, query: Query) -> Sequence[ArticleDetails]:
        async with self.database.read() as connection:
            return [_article_details(row) for row in (await connection.execute(query)).mappings()]


def _starts_with(column: Any, prefix: str) -> Any:  # noqa: ANN401 - SQLAlchemy's columns
    """Return the condition that an id starts with `prefix`: a range, for which the index is used."""
    return (column >= prefix) & (column < prefix + "\x7f")


def _unconfirmed() -> Query:
    """Return the query for the number of people with a sign-up and without a subscription."""
    subscribed = exists().where(subscriptions.c.subscriber == sign_ups.c.subscriber)
    return select(func.count(sign_ups.c.subscriber.distinct())).where(~subscribed)


def _issue_query() -> Query:
    return (
        select(
            *issues.c["number", "told_from", "told_through", "article_ids", "readers"],
            *issues.c[ISSUE_COLUMNS],
            *(editions.c[name].label(f"of_{name}") for name in EDITION),
        )
        .join(editions, editions.c.key == issues.c.edition_key)
        .order_by(issues.c.number.desc())
    )


def _issue_details(row: Row, counts: issue_books.Counts) -> IssueDetails:
    return IssueDetails(
        **{name: row[name] for name in ISSUE_COLUMNS},
        served_from=row["told_from"],
        served_through=row["told_through"],
        edition=edition_of({name: row[f"of_{name}"] for name in EDITION}),
        article_ids=tuple(row["article_ids"]),
        books=Books(
            due=row["readers"],
            **{state.value: counts.get(state, 0) for state in issue_books.ENDED},
            waiting=sum(counts.get(state, 0) for state in issue_books.OPEN),
        ),
    )


def _article_query() -> Query:
    return (
        select(articles, *SUMMARY_COLUMNS)
        .outerjoin(summaries, summaries.c.position == articles.c.position)
        .order_by(articles.c.position.desc())
    )


def _article_details(row: Row) -> ArticleDetails:
    condensed = row["made_by"] is not None
    return ArticleDetails(
        article=article_of(row),
        state=row["state"],
        problem=row["problem"],
        summary=summary_of(row) if condensed else None,
    )
