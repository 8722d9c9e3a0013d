"""An issue planned for subscribers in a real database."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.model import DesiredSubscription, Issue, Preferences
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON, a_subscriber, an_edition
from tests.deliver.fakes import an_issue

DAY = timedelta(days=1)


async def plan_issue(
    database: Database,
    readers: int,
    *,
    at: datetime = NOON,
    channel: str = "smtp",
    following: timedelta = DAY,
    domains: int = 1,
) -> list[str]:
    """Plan an issue for `readers` subscribers, and the next one `following` later; return delivery ids."""
    edition = an_edition()
    key = identity.edition_key(edition)
    names = ["example.org", *(f"example{n}.org" for n in range(1, domains))]
    people = [a_subscriber(f"reader{n}@{names[n % domains]}", name=f"Reader {n}") for n in range(readers)]
    subscriptions = [
        DesiredSubscription(person, "morning", Preferences(), edition, key, at) for person in people
    ]
    await SqlSubscriberStore(database).save_roster_subscriptions(subscriptions, at, starts_after=at - DAY)
    compose = SqlComposeStore(database)
    [group] = await compose.due_groups(at)
    issue: Issue = an_issue(
        id=identity.issue_id(key, at.isoformat(), 0), edition_key=key, created_at=at, due_at=at
    )
    assert await compose.record_issue(group, issue, at + following, channel) == readers
    return [identity.delivery_id(issue.id, person.id, channel) for person in people]
