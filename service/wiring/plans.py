"""Plans: what is due when, for whom, and why an article is or is not in somebody's issue. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.core.listings import ArticleLine, IssueLine
from service.core.model import Edition, Group, Membership, Newsletter, SubscriptionStatus
from service.core.schedules import Occurrence, occurrences, parse_schedule
from service.store.compose import ComposeRecords
from service.wiring.readers import Reader

if TYPE_CHECKING:
    from service.wiring.house import House

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment at which some readers get an issue; `waiting` counts the articles that fit it by now."""

    at: datetime
    local: str
    edition: Edition
    readers: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an article is, was or will be in somebody's issue, and the reason as a sentence."""

    newsletter: str
    told: bool | None
    why: str


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


async def verdicts(house: House, line: ArticleLine, memberships: Sequence[Membership]) -> list[Verdict]:
    """Return, for each of somebody's newsletters, what became or will become of the article there."""
    return [await _verdict(house, line, membership) for membership in memberships]


def _moments(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return when the group is due, beginning with the moment that it waits for, if that has come already."""
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else min(group.due_at - MOMENT, now)
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]


async def _verdict(house: House, line: ArticleLine, membership: Membership) -> Verdict:
    subscription = membership.subscription
    name = subscription.newsletter
    if why := _unreachable(membership) or _unfit(line, membership.edition):
        return Verdict(name, told=False, why=why)
    if line.summary is None:
        return Verdict(name, told=None, why="it is not condensed so far; caveat condense does that")
    if line.article.position <= subscription.told_through:
        return await _past(house, line, membership)
    return await _future(house, line, membership)


def _unreachable(membership: Membership) -> str | None:
    """Return why nothing at all goes to somebody, None when it does."""
    if membership.suppressed:
        return f"their address must not be mailed: {membership.suppressed}"
    status = membership.subscription.status
    return None if status is SubscriptionStatus.ACTIVE else f"the subscription is {status.value}"


def _unfit(line: ArticleLine, edition: Edition) -> str | None:
    """Return why an article can never be in any issue of an edition, None when it can."""
    topics = line.article.topics
    if edition.topics and not set(edition.topics) & set(topics):
        return f"its topics ({_listed(topics)}) are not among theirs ({_listed(edition.topics)})"
    return f"it could not be condensed: {line.problem}" if line.state == "set_aside" else None


async def _past(house: House, line: ArticleLine, membership: Membership) -> Verdict:
    """Say which issue told it, or why one passed it by."""
    name, article = membership.subscription.newsletter, line.article
    issues = {issue.id: issue for issue in await house.overview.issues(name, limit=1_000)}
    for delivery in await house.overview.deliveries_to(membership.subscriber.id, limit=200):
        issue = issues.get(delivery.issue_id)
        if issue is None or not issue.told_from < article.position <= issue.told_through:
            continue
        when = f"issue {issue.id[:8]} of {occasion(issue)}"
        if article.id in issue.article_ids:
            return Verdict(name, told=True, why=f"it was told in {when} ({delivery.state.value})")
        most = membership.edition.stories
        return Verdict(
            name,
            told=False,
            why=f"{when} left it out: it tells at most {most} stories, and others weighed more",
        )
    return Verdict(name, told=False, why="it came before their first issue, or its issue was skipped")


async def _future(house: House, line: ArticleLine, membership: Membership) -> Verdict:
    """Say which issue will tell it, as far as is known by now."""
    subscription, article = membership.subscription, line.article
    due, name = subscription.next_due_at, subscription.newsletter
    local = due.astimezone(ZoneInfo(membership.edition.timezone))
    when = f"the issue of {local:%Y-%m-%d %H:%M} {membership.edition.timezone}"
    rested = article.gathered_at + house.settings.fetch.settle
    if rested > due:
        return Verdict(name, told=None, why=f"it is still settling then, so the one after {when} tells it")
    reader = Reader(membership.edition, subscription.told_through, membership.subscriber)
    preview = await house.preview(reader, at=max(due, house.clock()))
    if article.id in {told.id for story in preview.digest.stories for told in story.articles}:
        return Verdict(name, told=None, why=f"it will be in {when}, unless heavier news come until then")
    most = membership.edition.stories
    why = f"as things stand {when} leaves it out: it tells {most} stories, and others weigh more"
    return Verdict(name, told=None, why=why)


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics) or "none"
