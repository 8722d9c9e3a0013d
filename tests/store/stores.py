"""All stores on one database, with short methods for the steps of a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.model import (
    Article,
    Batch,
    Delivery,
    DeliveryState,
    DesiredSubscription,
    Edition,
    FeedState,
    Group,
    Issue,
    Membership,
    Preferences,
    RenderedMail,
    Subscription,
)
from service.deliver.ports import StateChange
from service.gather.ports import PollResult
from service.store.compose import SqlComposeStore
from service.store.condense import SqlCondenseStore
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.gather import SqlGatherStore
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition, condensed

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_desired_subscription(
    name: str = "amina", edition: Edition | None = None, **changes: object
) -> DesiredSubscription:
    edition = edition or an_edition()
    person = a_subscriber(f"{name}@example.org", name=name.title())
    placement = DesiredSubscription(
        person, edition.newsletter, Preferences(), edition, identity.edition_key(edition), NOON
    )
    return replace(placement, **changes)


def an_issue(group: Group, *, through: int = 1, occurrence: str = "2026-03-02T12:00") -> Issue:
    return Issue(
        id=identity.issue_id(group.edition_key, occurrence, group.served_through),
        newsletter=group.edition.newsletter,
        edition_key=group.edition_key,
        occurrence=occurrence,
        due_at=group.due_at or NOON,
        served_from=group.served_through,
        served_through=through,
        rendered=RenderedMail("Talks resume", "<p>Talks resume</p>", "Talks resume"),
        article_ids=("a", "b"),
        created_at=NOON,
    )


@dataclass
class Stores:
    """Every store of one database."""

    database: Database

    def __post_init__(self) -> None:
        self.gather = SqlGatherStore(self.database)
        self.condense = SqlCondenseStore(self.database)
        self.compose = SqlComposeStore(self.database)
        self.deliver = SqlDeliverStore(self.database)
        self.subscribers = SqlSubscriberStore(self.database)
        self.queries = Queries(self.database)

    async def subscribe(self, *names: str, edition: Edition | None = None, **changes: object) -> None:
        """Make the roster declare these subscribers, and no others."""
        placements = [a_desired_subscription(name, edition, **changes) for name in names]
        await self.subscribers.save_roster_subscriptions(placements, NOON - DAY, starts_after=NOON - DAY)

    async def publish(self, *titles: str, at: datetime = NOON - HOUR, topics: tuple[str, ...] = ("world",)):
        """Store and condense articles with these titles."""
        articles = [an_article(title, gathered_at=at, topics=topics) for title in titles]
        await self.store_articles(articles)
        for article in articles:
            await self.condense.record_summaries({article.id: condensed(article).summary}, at)

    async def store_articles(self, articles: Sequence[Article]) -> int:
        """Store these articles without summaries."""
        poll = PollResult(FeedState(a_feed(), next_poll_at=NOON), tuple(articles))
        [stored] = await self.gather.record_polls([poll])
        return stored

    async def due_group(self, now: datetime = NOON) -> Group:
        """Return the only group that is due."""
        [group] = await self.compose.due_groups(now)
        return group

    async def plan_issue_for(self, *names: str, edition: Edition | None = None) -> Issue:
        """Subscribe these people and plan their issue."""
        await self.subscribe(*names, edition=edition)
        group = await self.due_group()
        issue = an_issue(group)
        assert await self.compose.record_issue(group, issue, NOON + DAY, "file") == len(names)
        return issue

    async def take_batch(self, token: str, now: datetime = NOON, limit: int = 500) -> Batch:
        """Take a batch under a lease of one minute."""
        return await self.deliver.take_batch("file", token, now, now + MINUTE, limit)

    async def record_state(
        self, token: str, deliveries: Sequence[Delivery], state: DeliveryState, now: datetime = NOON, **more
    ) -> int:
        """Record the state of all deliveries; return how many were changed."""
        changes = [StateChange(delivery, state, now, **more) for delivery in deliveries]
        return len(await self.deliver.record_changes(token, changes))

    async def states(self, issue: Issue) -> dict[str, str]:
        """Return the state of each delivery, by first name."""
        rows = await self.queries.deliveries(issue.id)
        return {row.address.split("@")[0]: row.state.value for row in rows}

    async def membership(self, name: str = "amina") -> Membership:
        """Return the only membership of a subscriber."""
        [membership] = await self.subscribers.memberships(email=f"{name}@example.org")
        return membership

    async def subscription(self, name: str = "amina") -> Subscription:
        """Return the only subscription of a subscriber."""
        return (await self.membership(name)).subscription
