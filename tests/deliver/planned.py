"""Readers with an issue planned for them, in a real record."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.model import Issue, Placement, Wishes
from service.store.compose import ComposeRecords
from service.store.database import Database
from service.store.subscribers import PeopleRecords
from tests.builders import NOON, a_subscriber, an_edition
from tests.deliver.fakes import an_issue

DAY = timedelta(days=1)


async def plan(
    database: Database,
    readers: int,
    *,
    at: datetime = NOON,
    channel: str = "smtp",
    following: timedelta = DAY,
    domains: int = 1,
) -> list[str]:
    """Plan an issue for so many readers, the next one for a while later; return the ids of the deliveries."""
    edition = an_edition()
    key = identity.edition_key(edition)
    names = ["example.org", *(f"example{n}.org" for n in range(1, domains))]
    people = [a_subscriber(f"reader{n}@{names[n % domains]}", name=f"Reader {n}") for n in range(readers)]
    placements = [Placement(person, "morning", Wishes(), edition, key, at) for person in people]
    await PeopleRecords(database).save_placements(placements, at, starts_after=at - DAY)
    compose = ComposeRecords(database)
    [group] = await compose.due_groups(at)
    issue: Issue = an_issue(
        id=identity.issue_id(key, at.isoformat(), 0), edition_key=key, created_at=at, due_at=at
    )
    assert await compose.record_issue(group, issue, at + following, channel) == readers
    return [identity.delivery_id(issue.id, person.id, channel) for person in people]
