"""Search of subscribers: pages of a list, in bounded time for any filter.

walk        the next WALKED subscribers are tested one by one: this fills the page if many of them match
candidates  else an index gives at most MAX_CANDIDATES of those that can match, which are tested

A filter that neither fills a page nor has a narrow index ends a page early, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    exists,
    func,
    literal,
    select,
    text,
    union_all,
)

from service.core.model import SubscriptionStatus
from service.core.subscriber_search.listing import (
    BoundedCount,
    ListedSubscriber,
    ListedSubscription,
    SubscriberFilter,
    SubscriberPage,
)
from service.core.subscriber_search.search_text import TRIGRAM, search_term, trigram_numbers, trigrams
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import Query, is_in
from service.store.schema import (
    editions,
    subscriber_search,
    subscribers,
    subscriptions,
    suppressions,
)
from service.store.subscriber_search import hash_key

WALKED = 3_000  # subscribers; a filter that 1 of 60 passes fills a page with them, in about 3 ms
MAX_CANDIDATES = 5_000  # that are tested for a page: about 10 ms
MAX_COUNTED = 2_000  # candidates among which matches are counted
SAMPLED = 500  # subscribers by which the rarest trigrams of a term are found
MAX_TRIGRAMS = 4  # of a term that are looked up: the rarest; more make the search slower
END = 2**62  # a number behind every subscriber's

PERSON = subscriber_search.c.subscriber
BY_TRIGRAMS = text(
    "SELECT rowid AS number FROM subscriber_trigrams WHERE subscriber_trigrams MATCH :trigrams"
    " AND rowid < :below ORDER BY rowid DESC LIMIT :most"
).columns(number=BigInteger)


@dataclass(frozen=True, slots=True)
class SubscriberFinder:
    """Pages and counts of the list of subscribers."""

    database: Database

    async def page(
        self, wanted: SubscriberFilter, *, after: int | None = None, limit: int = 50
    ) -> SubscriberPage:
        """Return the next `limit` subscribers after the one with the number `after`, newest first."""
        below = END if after is None else after
        async with self.database.read() as connection:
            walked = _walk(below, WALKED)
            numbers = await _matching(connection, walked, wanted, limit + 1)
            rest = None
            if len(numbers) <= limit:
                candidates = await _candidates(connection, wanted, below, MAX_CANDIDATES)
                numbers = await _matching(connection, candidates, wanted, limit + 1)
                if len(numbers) <= limit:
                    rest = await _last_of_full(connection, candidates, MAX_CANDIDATES)
            people = await _people(connection, numbers[:limit])
        if len(numbers) > limit:
            return SubscriberPage(people, numbers[limit - 1])
        return SubscriberPage(people, rest, is_partial=rest is not None)

    async def count(self, wanted: SubscriberFilter) -> BoundedCount:
        """Return the number of subscribers that match, counted up to a limit."""
        async with self.database.read() as connection:
            if wanted.is_empty:
                every = select(func.count()).select_from(subscriber_search)
                return BoundedCount(await connection.scalar(every) or 0)
            candidates = await _candidates(connection, wanted, END, MAX_COUNTED)
            found = len(await _matching(connection, candidates, wanted, MAX_COUNTED))
            rest = await _last_of_full(connection, candidates, MAX_COUNTED)
        return BoundedCount(found, or_more=rest is not None)


def _walk(below: int, most: int) -> Subquery:
    """Return the next subscribers, as a table with the column `number`."""
    query = select(PERSON.label("number")).where(below > PERSON)
    return query.order_by(PERSON.desc()).limit(most).subquery()


async def _matching(
    connection: StoreConnection, candidates: Subquery, wanted: SubscriberFilter, most: int
) -> Sequence[int]:
    """Return the first of the candidates that match."""
    query = (
        select(PERSON)
        .join(candidates, candidates.c.number == PERSON)
        .where(*_conditions(connection, wanted))
        .order_by(PERSON.desc())
        .limit(most)
    )
    return (await connection.execute(query)).scalars().all()


async def _last_of_full(connection: StoreConnection, candidates: Subquery, most: int) -> int | None:
    """Return the last of `most` candidates; None if they are fewer, so that there are no others."""
    query = select(func.count(), func.min(candidates.c.number))
    number, last = (await connection.execute(query)).one()
    return None if number < most else last


def _conditions(connection: StoreConnection, wanted: SubscriberFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if term := search_term(wanted.text):
        # Neither function has wildcards, so that a term is only a text.
        position = func.instr if connection.dialect.name == "sqlite" else func.strpos
        found.append(position(subscriber_search.c.text, term) > 0)
    if wanted.newsletter or wanted.status:
        of_person = [subscriptions.c.subscriber == PERSON]
        if wanted.newsletter:
            of_person.append(subscriptions.c.newsletter == wanted.newsletter)
        if wanted.status:
            of_person.append(subscriptions.c.status == wanted.status)
        found.append(exists().where(*of_person))
    if wanted.suppressed:
        same = suppressions.c.address_hash == subscribers.c.address_hash
        found.append(exists().where(subscribers.c.number == PERSON, same))
    return found


async def _candidates(
    connection: StoreConnection, wanted: SubscriberFilter, below: int, most: int
) -> Subquery:
    """Return at most so many candidates by the narrowest index, as a table with the column `number`."""
    term = search_term(wanted.text)
    has_term = len(term) >= TRIGRAM
    listed = await _listed(connection, wanted, below, most)
    # A filter with few subscribers is complete; a term is usually narrower than a filter with many.
    if listed is not None and (not has_term or await _last_of_full(connection, listed, most) is None):
        return listed
    return await _by_trigrams(connection, term, below, most) if has_term else _walk(below, most)


async def _by_trigrams(connection: StoreConnection, term: str, below: int, most: int) -> Subquery:
    if connection.dialect.name == "sqlite":
        rarest = await _rarest(connection, trigrams(term))
        quoted = ('"{}"'.format(trigram.replace('"', '""')) for trigram in rarest)
        return BY_TRIGRAMS.bindparams(trigrams=" AND ".join(quoted), below=below, most=most).subquery()
    numbers = literal(trigram_numbers(term), subscriber_search.c.trigrams.type)
    query = select(PERSON.label("number")).where(
        subscriber_search.c.trigrams.bool_op("@>")(numbers),
        func.strpos(subscriber_search.c.text, term) > 0,
        below > PERSON,
    )
    return query.order_by(PERSON.desc()).limit(most).subquery()


async def _rarest(connection: StoreConnection, parts: Sequence[str]) -> Sequence[str]:
    """Return the rarest of these trigrams, by a sample of all subscribers."""
    if len(parts) <= MAX_TRIGRAMS:
        return parts
    last = await connection.scalar(select(func.max(PERSON))) or 0
    spread = list(range(last, 0, -max(last // SAMPLED, 1)))[:SAMPLED]
    query = select(subscriber_search.c.text).where(is_in(connection, PERSON, spread))
    sample = "\0".join((await connection.execute(query)).scalars())
    return sorted(parts, key=sample.count)[:MAX_TRIGRAMS]


async def _listed(
    connection: StoreConnection, wanted: SubscriberFilter, below: int, most: int
) -> Subquery | None:
    """Return the subscribers with a suppression or a subscription; None for no filter, or a wide one."""
    if wanted.suppressed:
        hashes = select(suppressions.c.address_hash).limit(MAX_CANDIDATES)
        keys = [hash_key(hashed) for hashed in (await connection.execute(hashes)).scalars()]
        if len(keys) == MAX_CANDIDATES:
            return None
        of_them = is_in(connection, subscriber_search.c.hash_key, keys)
        query = select(PERSON.label("number")).where(of_them, below > PERSON)
        return query.order_by(PERSON.desc()).limit(most).subquery()
    if not (wanted.newsletter or wanted.status):
        return None
    named = select(editions.c.newsletter).distinct().order_by(editions.c.newsletter)
    newsletters = (
        [wanted.newsletter] if wanted.newsletter else (await connection.execute(named)).scalars().all()
    )
    statuses = [wanted.status] if wanted.status else list(SubscriptionStatus)
    parts = [_of(newsletter, status, below, most) for newsletter in newsletters for status in statuses]
    if not parts:
        return _walk(0, 1)
    every = union_all(*parts).subquery()
    return select(every.c.number).distinct().order_by(every.c.number.desc()).limit(most).subquery()


def _of(newsletter: str, status: SubscriptionStatus, below: int, most: int) -> Query:
    number = subscriptions.c.subscriber
    part = select(number.label("number")).where(
        subscriptions.c.newsletter == newsletter, subscriptions.c.status == status, number < below
    )
    ordered = part.order_by(number.desc()).limit(most).subquery()
    return select(ordered.c.number)


async def _people(connection: StoreConnection, numbers: Sequence[int]) -> tuple[ListedSubscriber, ...]:
    chosen = select(
        *subscribers.c["number", "id", "email", "name"],
        suppressions.c.reason,
    ).outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
    people = (
        await connection.execute(
            chosen.where(is_in(connection, subscribers.c.number, numbers)).order_by(
                subscribers.c.number.desc()
            )
        )
    ).all()
    theirs = select(*subscriptions.c["subscriber", "newsletter", "status", "declared", "paused_until"])
    rows = await connection.execute(
        theirs.where(is_in(connection, subscriptions.c.subscriber, numbers)).order_by(
            subscriptions.c.newsletter
        )
    )
    lists: dict[int, list[ListedSubscription]] = {}
    for row in rows:
        lists.setdefault(row.subscriber, []).append(_subscription(row))
    return tuple(
        ListedSubscriber(p.number, p.id, p.email, p.name, p.reason, tuple(lists.get(p.number, ())))
        for p in people
    )


def _subscription(row: Any) -> ListedSubscription:  # noqa: ANN401 - a row of SQLAlchemy
    return ListedSubscription(row.newsletter, SubscriptionStatus(row.status), row.declared, row.paused_until)
