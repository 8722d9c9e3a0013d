"""Plans: what is due when, for whom, and why an article is or is not in somebody's issue. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.app.readers import PreviewReader
from service.compose.explain import ArticleExplanation, ExplainInput, PastIssue, explain
from service.core.model import Edition, Group, Membership, Newsletter
from service.core.read_models import ArticleDetails, IssueDetails
from service.core.schedules import Occurrence, occurrences, parse_schedule
from service.store.compose import SqlComposeStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

SHORTEST_TIME = timedelta(microseconds=1)
MAX_ISSUES_READ = 1_000


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """A moment at which some readers get an issue; `waiting` counts the articles that fit it by now."""

    at: datetime
    local: str
    edition: Edition
    readers: int
    articles: int


async def forecast(
    house: Application, newsletters: Sequence[Newsletter], ahead: timedelta
) -> list[ForecastIssue]:
    """Return what is due within the time ahead, in order."""
    records, now = SqlComposeStore(house.database), house.clock()
    slots: list[ForecastIssue] = []
    through = await records.release_position(now)
    for newsletter in newsletters:
        for group in await records.groups_of(newsletter.id, None):
            fitting = await records.released_articles(group.edition, group.served_through, through)
            slots += [
                ForecastIssue(
                    max(o.at, now), o.name.replace("T", " "), group.edition, group.size, len(fitting)
                )
                for o in _moments(group, now, now + ahead)
            ]
    return sorted(slots, key=lambda slot: (slot.at, slot.edition.newsletter, slot.edition.timezone))


def issue_time(issue: IssueDetails) -> str:
    """Return for which moment an issue was made: its local date and time, or that it was sent by hand."""
    kind, by_hand, _ = issue.occurrence.partition(":")
    if by_hand and kind in ("manual", "again"):
        return f"{issue.created_at:%Y-%m-%d %H:%M} UTC, by hand"
    return issue.occurrence.replace("T", " ")


async def explain_article(
    house: Application, line: ArticleDetails, memberships: Sequence[Membership]
) -> list[tuple[str, ArticleExplanation]]:
    """Return, for each of somebody's newsletters (ids), what became or will become of the article there."""
    now, settle = house.clock(), house.settings.fetch.settle
    through = await SqlComposeStore(house.database).release_position(now - settle)
    found = []
    for membership in memberships:
        case = await _case(house, line, membership, through)
        found.append((membership.subscription.newsletter, explain(case, now=now, settle=settle)))
    return found


async def _case(
    house: Application, line: ArticleDetails, membership: Membership, through: int
) -> ExplainInput:
    """Return everything that is known of an article and a reader."""
    subscription, position = membership.subscription, line.article.position
    coming = None
    if subscription.served_through < position <= through:
        reader = PreviewReader(membership.edition, subscription.served_through, membership.subscriber)
        coming = (await house.preview(reader)).digest
    return ExplainInput(
        membership,
        line.article,
        condensed=line.summary is not None,
        set_aside=line.problem if line.state == "set_aside" else None,
        past_issue=await _given(house, membership, position),
        release_position=through,
        next_digest=coming,
    )


async def _given(house: Application, membership: Membership, position: int) -> PastIssue | None:
    """Return the issue of somebody's in whose range an article lies."""
    issues = await house.overview.issues(membership.subscription.newsletter, limit=MAX_ISSUES_READ)
    by_id = {issue.id: issue for issue in issues if issue.served_from < position <= issue.served_through}
    for delivery in await house.overview.deliveries_to(membership.subscriber.id, limit=MAX_ISSUES_READ):
        if (issue := by_id.get(delivery.issue_id)) is not None:
            return PastIssue(issue.due_at, issue.article_ids, delivery.state)
    return None


def _moments(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return when the group is due, beginning with the moment that it waits for, if that has come already."""
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else min(group.due_at - SHORTEST_TIME, now)
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]
