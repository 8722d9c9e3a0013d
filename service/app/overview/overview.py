"""The overview: one value for the first page of the editors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.app.operator.observations import installation_of, observe
from service.app.operator.problems import FAULTS, Problem, ProblemKind, dated, problems_of
from service.app.overview.due import LATE_AFTER, Upcoming, upcoming
from service.core.model import DraftState
from service.core.read_models import IssueDetails
from service.core.schedules import start_of_day
from service.store.issue_books import IssueBooks
from service.store.operator_state import SqlOperatorState
from service.store.overview import LateDeliveries, OpenDraft, OverviewQueries, TroubledFeed

if TYPE_CHECKING:
    from service.app.factories.application import Application

AHEAD = timedelta(hours=24)
LAST_ISSUES = 8
DAYS = 30  # of the chart of deliveries
ARTICLE_DAYS = 14  # of the chart of articles: there are many more of them
DETAILED = (ProblemKind.ISSUE, ProblemKind.NEWSLETTER, ProblemKind.OUTBOX, ProblemKind.FEEDS)
"""Kinds of problems that the page shows in parts of their own, as it does the faults of a configuration."""


@dataclass(frozen=True, slots=True)
class MailDay:
    """Numbers of mails of the issues of one day."""

    day: date
    sent: int
    refused: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What an installation has: without one of these nothing is sent."""

    feeds: bool
    newsletters: bool
    subscribers: bool

    @property
    def is_complete(self) -> bool:
        """Whether mail can go out."""
        return self.feeds and self.newsletters and self.subscribers


@dataclass(frozen=True, slots=True)
class Overview:
    """What goes out within AHEAD, and what needs a person.

    `alerts` are the problems that have no part of their own on the page. `late` are mails that should have
    left LATE_AFTER ago. `mails` and `articles` are numbers by local day.
    """

    setup: Setup
    upcoming: Upcoming
    drafts: Sequence[OpenDraft]
    feeds: Sequence[TroubledFeed]
    issues: Sequence[IssueDetails]
    paused: Sequence[IssueDetails]
    alerts: Sequence[Problem]
    late: LateDeliveries
    mails: Sequence[MailDay]
    articles: Sequence[tuple[date, int]]


async def overview(app: Application, zone: ZoneInfo) -> Overview:
    """Return the overview of this moment; `zone` is that of the days. Reads only."""
    now, queries = app.clock(), OverviewQueries(app.database)
    seen = await observe(installation_of(app), now)
    first_seen = (await SqlOperatorState(app.database).read()).seen
    drafts = seen.drafts
    groups = await queries.due_groups(now + AHEAD)
    presence = await queries.presence()
    days, bounds = _days(now, zone, DAYS)
    article_days, article_bounds = _days(now, zone, ARTICLE_DAYS)
    numbers = await IssueBooks(app.database).by_day(bounds)
    return Overview(
        setup=Setup(presence.feeds, bool(app.roster.newsletters), presence.subscriptions),
        upcoming=upcoming(groups, [one for one in drafts if one.state is DraftState.HELD], now, now + AHEAD),
        drafts=drafts,
        feeds=seen.feeds,
        issues=await app.queries.issues(limit=LAST_ISSUES, for_page=True),
        paused=seen.paused,
        alerts=[
            replace(one, said=_as_sentence(one.said))
            for one in dated(problems_of(seen, now), first_seen)
            if one.kind not in DETAILED and one.subject != FAULTS
        ],
        late=await queries.late_deliveries(now - LATE_AFTER),
        mails=[MailDay(day, *one) for day, one in zip(days, numbers, strict=True)],
        articles=list(zip(article_days, await queries.articles_by_day(article_bounds), strict=True)),
    )


def _as_sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}."


def _days(now: datetime, zone: ZoneInfo, number: int) -> tuple[list[date], list[datetime]]:
    """Return the last days up to today, and their bounds: the start of each, and the end of the last."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=ago) for ago in reversed(range(number))]
    return days, [start_of_day(day, zone) for day in (*days, today + timedelta(days=1))]
