"""Overview: what stands in the record, for listings and for the sweep. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.model import Books, DeliveryState, FeedState
from service.core.read_models import (
    ArticleDetails,
    DeliveryBacklog,
    DeliveryDetails,
    FeedDetails,
    IssueDetails,
    PendingWork,
    RecordCounts,
)
from service.store.database import Database
from service.store.dialect import is_in
from service.store.groups import ACTIVE
from service.store.mappers import EDITION, Row, article_of, edition_of, feed_state_of, summary_of
from service.store.schema import (
    IN_DOUBT,
    OUTBOX,
    POLLED,
    TRANSACTIONAL,
    UNCONDENSED,
    WAITING,
    articles,
    corrections,
    deliveries,
    editions,
    feeds,
    groups,
    issues,
    sign_ups,
    subscribers,
    subscriptions,
    summaries,
    suppressions,
)

State = DeliveryState

MAX_COUNTED = 10_000
"""What waits is counted up to here: nobody acts differently on more, and counting a million takes a while."""

ISSUE = ("id", "newsletter", "edition_key", "occurrence", "due_at", "created_at", "subject", "channel")
TOLD = ("told_from", "told_through", "paused_at")

Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Queries:
    """The listings."""

    database: Database

    async def pending_work(self, now: datetime) -> PendingWork:
        """Return how much waits for each stage at `now`."""
        members = exists().where(subscriptions.c.group_number == groups.c.number, ACTIVE)
        waiting = (
            select(feeds.c.id).where(POLLED, feeds.c.next_look_at <= now),
            select(articles.c.position).where(UNCONDENSED),
            select(corrections.c.position).where(WAITING),
            select(groups.c.number).where(groups.c.next_due_at <= now, members),
            select(deliveries.c.due_at).where(OUTBOX, deliveries.c.due_at <= now),
            select(deliveries.c.due_at).where(IN_DOUBT, deliveries.c.due_at <= now),
        )
        counts = (
            select(func.count()).select_from(query.limit(MAX_COUNTED).subquery()).scalar_subquery()
            for query in waiting
        )
        async with self.database.read() as connection:
            looks, new, edited, places, due, in_doubt = (await connection.execute(select(*counts))).one()
        return PendingWork(looks, new + edited, places, min(due + in_doubt, MAX_COUNTED))

    async def next_delivery_due(self, after: datetime) -> datetime | None:
        """Return the first moment after `after` at which a delivery is anybody's to take up, if there is one.

        That is a retry's turn, or the end of the lease under which somebody holds it.
        """
        # The first of each index, because one condition for both would read neither in order.
        firsts = (
            select(func.min(deliveries.c.due_at)).where(kind, deliveries.c.due_at > after).scalar_subquery()
            for kind in (OUTBOX, IN_DOUBT)
        )
        async with self.database.read() as connection:
            moments = (await connection.execute(select(*firsts))).one()
        return min((moment for moment in moments if moment is not None), default=None)

    async def backlog(self, now: datetime) -> DeliveryBacklog:
        """Return what deliver is behind with at `now`."""
        oldest = select(func.min(deliveries.c.due_at)).where(OUTBOX, deliveries.c.due_at <= now)
        uncertain = select(func.count()).where(IN_DOUBT, deliveries.c.state == State.UNCERTAIN)
        async with self.database.read() as connection:
            asked = select(oldest.scalar_subquery(), uncertain.scalar_subquery())
            return DeliveryBacklog(*(await connection.execute(asked)).one())

    async def counts(self) -> RecordCounts:
        """Return how much there is of everything that is listed."""
        tables = (feeds, articles, subscribers, subscriptions, issues, suppressions)
        counted = dict.fromkeys(tables, 0) | {
            # Who only asked is no subscriber yet, and a transactional mail no issue.
            subscribers: _only_asked().scalar_subquery(),
            issues: select(func.count()).select_from(issues.alias()).where(TRANSACTIONAL).scalar_subquery(),
        }
        counts = (
            select(func.count() - less).select_from(table).scalar_subquery()
            for table, less in counted.items()
        )
        async with self.database.read() as connection:
            return RecordCounts(*(await connection.execute(select(*counts))).one())

    async def issues(self, newsletter: str | None = None, *, limit: int = 20) -> Sequence[IssueDetails]:
        """Return the last issues with their books, newest first; of one newsletter, or of all."""
        query = _issue_lines().limit(limit)
        if newsletter is not None:
            query = query.where(issues.c.newsletter == newsletter)
        async with self.database.read() as connection:
            return await _with_books(connection, query)

    async def issues_by_prefix(self, prefix: str) -> Sequence[IssueDetails]:
        """Return the issues whose ids begin so, ten at most; a person types only the first few characters."""
        query = _issue_lines().where(_begins(issues.c.id, prefix)).limit(10)
        async with self.database.read() as connection:
            return await _with_books(connection, query)

    async def paused_issues(self) -> Sequence[IssueDetails]:
        """Return the issues that are paused, newest first."""
        async with self.database.read() as connection:
            return await _with_books(connection, _issue_lines().where(issues.c.paused_at.is_not(None)))

    async def delivery_counts(self, issue_ids: Collection[str]) -> Counter[DeliveryState]:
        """Return how many deliveries of these issues stand where."""
        counting = (
            select(deliveries.c.state, func.count())
            .join(issues, issues.c.number == deliveries.c.issue)
            .where(issues.c.id.in_(issue_ids))
            .group_by(deliveries.c.state)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(counting)).all()
        return Counter({State(state): count for state, count in rows})

    async def deliveries(
        self,
        issue_id: str,
        *,
        states: Collection[DeliveryState] | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Sequence[DeliveryDetails]:
        """Return an issue's deliveries in a fixed order: those in `states` (None: all).

        For many, ask page by page: `after` is the id of the last line of the page before.
        """
        query = _delivery_lines().where(issues.c.id == issue_id).order_by(deliveries.c.subscriber)
        if states is not None:
            query = query.where(deliveries.c.state.in_(states))
        if after is not None:
            last = select(subscribers.c.number).where(subscribers.c.id == after[16:])
            query = query.where(deliveries.c.subscriber > last.scalar_subquery())
        async with self.database.read() as connection:
            rows = (await connection.execute(query.limit(limit))).mappings()
            return [_delivery_line(row) for row in rows]

    async def delivery(self, delivery_id: str) -> DeliveryDetails | None:
        """Return one delivery by its id, the left part of its Message-ID."""
        query = _delivery_lines().where(
            issues.c.delivery_prefix == delivery_id[:16], subscribers.c.id == delivery_id[16:]
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _delivery_line(row)

    async def deliveries_to(self, subscriber_id: str, *, limit: int = 50) -> Sequence[DeliveryDetails]:
        """Return a person's last deliveries, newest first."""
        query = (
            _delivery_lines()
            .where(subscribers.c.id == subscriber_id)
            .order_by(issues.c.number.desc())
            .limit(limit)
        )
        async with self.database.read() as connection:
            return [_delivery_line(row) for row in (await connection.execute(query)).mappings()]

    async def feeds(self) -> Sequence[FeedDetails]:
        """Return every feed that there ever was, the active ones first, by name."""
        came = (
            select(
                articles.c.feed_id,
                func.count().label("articles"),
                func.max(articles.c.gathered_at).label("last_article_at"),
            )
            .group_by(articles.c.feed_id)
            .subquery()
        )
        query = (
            select(feeds, came.c.articles, came.c.last_article_at)
            .outerjoin(came, came.c.feed_id == feeds.c.id)
            .order_by(feeds.c.active.desc(), feeds.c.name, feeds.c.id)
        )
        async with self.database.read() as connection:
            return [
                FeedDetails(
                    feed_state_of(row),
                    row["active"],
                    row["gone_at"],
                    row["articles"] or 0,
                    row["last_article_at"],
                )
                for row in (await connection.execute(query)).mappings()
            ]

    async def feed_states(self) -> Sequence[FeedState]:
        """Return the roster's feeds, also those that their publishers ended, by name."""
        every = select(feeds).where(feeds.c.active).order_by(feeds.c.name, feeds.c.id)
        async with self.database.read() as connection:
            return [feed_state_of(row) for row in (await connection.execute(every)).mappings()]

    async def articles(self, *, limit: int = 20) -> Sequence[ArticleDetails]:
        """Return the last articles, newest first."""
        return await self._articles(_article_lines().limit(limit))

    async def articles_by_prefix(self, prefix: str) -> Sequence[ArticleDetails]:
        """Return the articles whose ids begin so, ten at most."""
        return await self._articles(_article_lines().where(_begins(articles.c.id, prefix)).limit(10))

    async def articles_by_id(self, ids: Collection[str]) -> Sequence[ArticleDetails]:
        """Return the articles with these ids, newest first."""
        async with self.database.read() as connection:
            query = _article_lines().where(is_in(connection, articles.c.id, ids))
            return [_article_line(row) for row in (await connection.execute(query)).mappings()]

    async def _articles(self, query: Query) -> Sequence[ArticleDetails]:
        async with self.database.read() as connection:
            return [_article_line(row) for row in (await connection.execute(query)).mappings()]


def _begins(column: Any, prefix: str) -> Any:  # noqa: ANN401 - SQLAlchemy's columns
    """Return the condition that an id begins with `prefix`: a range, so that the index finds it."""
    return (column >= prefix) & (column < prefix + "\x7f")


def _only_asked() -> Query:
    """Return the query for how many people signed up and are subscribed to nothing."""
    theirs = exists().where(subscriptions.c.subscriber == sign_ups.c.subscriber)
    return select(func.count(sign_ups.c.subscriber.distinct())).where(~theirs)


def _issue_lines() -> Query:
    return (
        select(
            issues.c.number,
            *(issues.c[name] for name in (*ISSUE, *TOLD, "article_ids", "readers")),
            *(editions.c[name].label(f"of_{name}") for name in EDITION),
        )
        .join(editions, editions.c.key == issues.c.edition_key)
        .order_by(issues.c.number.desc())
    )


async def _with_books(connection: AsyncConnection, query: Query) -> list[IssueDetails]:
    rows = (await connection.execute(query)).mappings().all()
    counting = (
        select(deliveries.c.issue, deliveries.c.state, func.count())
        .where(is_in(connection, deliveries.c.issue, [row["number"] for row in rows]))
        .group_by(deliveries.c.issue, deliveries.c.state)
    )
    states: dict[int, dict[str, int]] = {}
    for issue, state, count in (await connection.execute(counting)).all():
        states.setdefault(issue, {})[state] = count
    return [_issue_line(row, states.get(row["number"], {})) for row in rows]


def _issue_line(row: Row, counts: dict[str, int]) -> IssueDetails:
    waiting = (State.PLANNED, State.ATTEMPTING, State.DEFERRED)
    ended = (State.SENT, State.SUPPRESSED, State.REFUSED, State.UNCERTAIN)
    return IssueDetails(
        **{name: row[name] for name in (*ISSUE, *TOLD)},
        edition=edition_of({name: row[f"of_{name}"] for name in EDITION}),
        article_ids=tuple(row["article_ids"]),
        books=Books(
            due=row["readers"],
            **{state.value: counts.get(state, 0) for state in ended},
            waiting=sum(counts.get(state, 0) for state in waiting),
        ),
    )


def _delivery_lines() -> Query:
    return (
        select(
            deliveries,
            issues.c.id.label("issue_id"),
            issues.c.occurrence,
            issues.c.delivery_prefix,
            issues.c.created_at,
            subscribers.c.id.label("subscriber_id"),
            subscribers.c.email,
            subscribers.c.name,
        )
        .join(issues, issues.c.number == deliveries.c.issue)
        .join(subscribers, subscribers.c.number == deliveries.c.subscriber)
    )


def _delivery_line(row: Row) -> DeliveryDetails:
    return DeliveryDetails(
        id=row["delivery_prefix"] + row["subscriber_id"],
        issue_id=row["issue_id"],
        occurrence=row["occurrence"],
        subscriber_id=row["subscriber_id"],
        address=row["email"],
        name=row["name"],
        state=State(row["state"]),
        attempts=row["attempts"],
        at=row["at"] or row["created_at"],
        due_at=row["due_at"],
        reply=row["reply"] or "",
    )


def _article_lines() -> Query:
    return (
        select(articles, summaries.c.method.label("made_by"), summaries.c.key_points, summaries.c.context)
        .outerjoin(summaries, summaries.c.position == articles.c.position)
        .order_by(articles.c.position.desc())
    )


def _article_line(row: Row) -> ArticleDetails:
    condensed = row["made_by"] is not None
    return ArticleDetails(
        article=article_of(row),
        state=row["state"],
        problem=row["problem"],
        summary=summary_of(row["made_by"], row["key_points"], row["context"]) if condensed else None,
    )
