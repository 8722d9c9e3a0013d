"""Forecast: which issues are due, when and for how many subscribers; read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.app.preview import rendered_mail
from service.compose.layout import mail_minutes
from service.compose.size_budget import html_bytes
from service.compose.upcoming import upcoming_issues
from service.core.errors import CaveatError
from service.core.model import DraftState, Edition, Group, Newsletter, Placement
from service.core.read_models import IssueDetails
from service.core.schedules import Occurrence, occurrences, parse_schedule
from service.store.compose import SqlComposeStore
from service.store.drafts import DraftPlace, SqlDraftStore
from service.store.pauses import paused_groups

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_EXPECTED = 200  # groups whose mail is rendered: each takes some hundredths of a second
SHORTEST_TIME = timedelta(microseconds=1)  # a schedule yields times after a moment, without the moment


@dataclass(frozen=True, slots=True)
class ExpectedMail:
    """The mail that a group would get now: its stories by placement, its reading time and its size.

    `html_bytes` are those that count for the limit above which Gmail clips a mail, `message_bytes` those of
    the whole message; None if the channel cannot make one, because of its settings.
    """

    stories: Mapping[Placement, int]
    minutes: int
    html_bytes: int
    message_bytes: int | None


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """An issue that will be due for a group of subscribers. `articles` fit it so far; more may arrive.

    `expected` is the mail as things stand; None for a group without news, for a later issue of the same group
    and beyond MAX_EXPECTED. `waits`: its stories are fewer than the newsletter's `min_stories`, so far.
    `draft` is the one of this issue, or a held one that must be decided about first; None if there is none.
    """

    at: datetime
    local: str
    edition: Edition
    readers: int
    articles: int
    expected: ExpectedMail | None = None
    waits: bool = False
    draft: DraftPlace | None = None


async def forecast(
    app: Application, newsletters: Sequence[Newsletter], ahead: timedelta
) -> list[ForecastIssue]:
    """Return the issues that are due within the time `ahead`, in order of time."""
    store, now = SqlComposeStore(app.database), app.clock()
    through = await store.release_position(now)
    due: list[tuple[Group, ForecastIssue]] = []
    for newsletter in newsletters:
        groups = [*await store.groups_of(newsletter.id, None)]
        groups += await paused_groups(app.database, newsletter.id)
        for group in groups:
            fitting = await store.released_articles(group.edition, group.served_through, through)
            due += [
                (
                    group,
                    ForecastIssue(
                        max(o.at, now), o.name.replace("T", " "), group.edition, group.size, len(fitting)
                    ),
                )
                for o in _due_times(group, now, now + ahead)
            ]
    due.sort(key=lambda pair: (pair[1].at, pair[1].edition.newsletter, pair[1].edition.timezone))
    with_news = {_key(group): group for group, issue in due if issue.articles}
    expected = await _expected_mails(app, list(with_news.values())[:MAX_EXPECTED], now)
    by_id = {newsletter.id: newsletter for newsletter in newsletters}
    drafts = {(one.edition_key, one.served_from): one for one in await SqlDraftStore(app.database).places()}
    found = [
        replace(
            issue,
            expected=expected.pop(_key(group), None),
            draft=_draft_before(drafts.get(_key(group)), issue.at, now),
        )
        for group, issue in due
    ]
    return [replace(issue, waits=_waits(issue, by_id[issue.edition.newsletter])) for issue in found]


async def count_drafts(app: Application, newsletter: str | None = None) -> int:
    """Return the number of drafts of one newsletter (id) or of all that wait for an editor."""
    return len(await SqlDraftStore(app.database).drafts_of(newsletter))


def _draft_before(draft: DraftPlace | None, at: datetime, now: datetime) -> DraftPlace | None:
    """Return the draft if the issue at this time is made of it, or waits until somebody decides about it."""
    if draft is None or draft.due_at > at:
        return None
    return draft if draft.state is DraftState.HELD or max(draft.due_at, now) == at else None


def _waits(issue: ForecastIssue, newsletter: Newsletter) -> bool:
    stories = sum(issue.expected.stories.values()) if issue.expected else issue.articles
    return newsletter.empty == "skip" and 0 < stories < newsletter.min_stories


async def _expected_mails(
    app: Application, groups: Sequence[Group], now: datetime
) -> dict[tuple[str, int], ExpectedMail]:
    """Return the mail of each group that would get one now."""
    found: dict[tuple[str, int], ExpectedMail] = {}
    async for group, upcoming in upcoming_issues(app.composer, groups, now=now):
        try:
            message_bytes = len(await rendered_mail(app, upcoming.issue, None))
        except CaveatError:
            message_bytes = None
        found[_key(group)] = ExpectedMail(
            {one: len(upcoming.digest.placed(one)) for one in Placement},
            mail_minutes(upcoming.digest),
            html_bytes(upcoming.issue.rendered),
            message_bytes,
        )
    return found


def _key(group: Group) -> tuple[str, int]:
    return group.edition_key, group.served_through


def issue_time(issue: IssueDetails) -> str:
    """Return the local date and time that an issue was due at, or the time of a manual send."""
    if issue.by_hand:
        return f"{issue.created_at:%Y-%m-%d %H:%M} UTC, by hand"
    return issue.occurrence.replace("T", " ")


def _due_times(group: Group, now: datetime, until: datetime) -> list[Occurrence]:
    """Return the times when the group is due; an overdue one is first, and only the latest of them.

    A group with a due time, which is paused, is not due before it.
    """
    zone, schedule = ZoneInfo(group.edition.timezone), parse_schedule(group.edition.schedule)
    begin = now if group.due_at is None else group.due_at - SHORTEST_TIME
    found = list(occurrences(schedule, zone, begin, until))
    late = [o for o in found if o.at <= now]
    return [*late[-1:], *found[len(late) :]]
