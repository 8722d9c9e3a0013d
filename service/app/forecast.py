"""Plans: what is due when, for whom, and why an article is or is not in somebody's issue. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.app.readers import Reader
from service.compose.explain import Case, Given, Verdict, explain
from service.core.model import Edition, Group, Membership, Newsletter
from service.core.read_models import ArticleLine, IssueLine
from service.core.schedules import Occurrence, occurrences, parse_schedule
from service.store.compose import ComposeRecords

if TYPE_CHECKING:
    from service.app.factories.application import House

MOMENT = timedelta(microseconds=1)
ISSUES_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment at which some readers get an issue; `waiting` counts the articles that fit it by now."""

    at: datetime
    local: str
    edition: Edition
    readers: int
    waiting: int


async def plan_of(house: House, newsletters: Sequence[Newsletter], ahead: timedelta) -> list[Slot]:
    """Return what is due within the time ahead, in order."""
    records, now = ComposeRecords(house.database), house.clock()
    slots: list[Slot] = []
    through = await records.tellable_through(now)
    for newsletter in newsletters:
        for group in await records.groups_of(newsletter.id, None):
            fitting = await records.tellable(group.edition, group.told_through, through)
            slots += [
                Slot(max(o.at, now), o.name.replace("T", " "), group.edition, group.size, len(fitting))
                for o in _moments(group, now, now + ahead)
            ]
    return sorted(slots, key=lambda slot: (slot.at, slot.edition.newsletter, slot.edition.timezone))


def occasion(issue: IssueLine) -> str:
    """Return for which moment an issue was made: its local date and time, or that it was sent by hand."""
    kind, by_hand, _ = issue.occurrence.partition(":")
    if by_hand and kind in ("manual", "again"):
        return f"{issue.created_at:%Y-%m-%d %H:%M} UTC, by hand"
    return issue.occurrence.replace("T", " ")


async def verdicts(
    house: House, line: ArticleLine, memberships: Sequence[Membership]
) -> list[tuple[str, Verdict]]:
    """Return, for each of somebody's newsletters (ids), what became or will become of the article there."""
    now, settle = house.clock(), house.settings.fetch.settle
    through = await ComposeRecords(house.database).tellable_through(now - settle)
    found = []
    for membership in memberships:
        case = await _case(house, line, membership, through)
        found.append((membership.subscription.newsletter, explain(case, now=now, settle=settle)))
    return found


async def _case(house: House, line: ArticleLine, membership: Membership, through: int) -> Case:
    """Return everything that is known of an article and a reader."""
    subscription, position = membership.subscription, line.article.position
    coming = None
    if subscription.told_through < position <= through:
        reader = Reader(membership.edition, subscription.told_through, membership.subscriber)
        coming = (await house.preview(reader)).digest
    return Case(
        membership,
        line.article,
        condensed=line.summary is not None,
        set_aside=line.problem if line.state == "set_aside" else None,
        given=await _given(house, membership, position),
        through=through,
        coming=coming,
    )


async def _given(house: House, membership: Membership, position: int) -> Given | None:
    """Return the issue of somebody's in whose range an article lies."""
    issues = await house.overview.issues(membership.subscription.newsletter, limit=ISSUES_LOOKED_AT)
    by_id = {issue.id: issue for issue in issues if issue.told_from < position <= issue.told_through}
    for delivery in await house.overview.deliveries_to(membership.subscriber.id, limit=ISSUES_LOOKED_AT):
        if (issue := by_id.get(delivery.issue_id)) is not None:
            return Given(issue.due_at, issue.article_ids, delivery.state)
    return None


def _moments(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return when the group is due, beginning with the moment that it waits for, if that has come already."""
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else min(group.due_at - MOMENT, now)
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]
