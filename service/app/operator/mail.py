"""The operator's mail: once a day at most, when something is wrong, and when all is well again.

From HOUR until midnight in the operator's time zone a mail is planned at once when something has been wrong
for PATIENCE and today had no mail; while it lasts, one at HOUR of each day. When nothing is wrong any more,
one mail says so. The id of a mail is made of the day and the address, so a restart, a second process or a
crash cannot plan a second one. Mails about drafts that wait for an editor are planned in the same way, one
for each newsletter and due time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.app.accounts.manage import admin_url
from service.app.operator.observations import installation_of, observe
from service.app.operator.problems import Problem, dated, problems_of
from service.app.transactional_mail import transactional_issue, transactional_renderer
from service.core import ids as identity
from service.core.errors import UsageError
from service.core.model import DraftState, Issue, MailKind, RenderedMail, Subscriber
from service.core.schedules import start_of_day
from service.store.drafts import SqlDraftStore
from service.store.operator_state import OperatorState, SqlOperatorState, first_seen
from service.store.transactional import SqlSignUpStore

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.compose.render.transactional import OperatorLine

HOUR = 7  # local: nobody reads mail before, and what goes wrong at night may be well by then
PATIENCE = timedelta(minutes=15)  # a restart of the mail server or of a site takes less
DRAFT_AGE = timedelta(days=1)  # of the oldest draft in a mail; records of mails live a week


@dataclass(frozen=True, slots=True)
class OperatorReport:
    """What is wrong now, and what was planned: the number of mails about it, and about drafts."""

    problems: tuple[Problem, ...]
    mails: int = 0
    draft_mails: int = 0


async def current_problems(app: Application) -> tuple[Problem, ...]:
    """Return what is wrong now, each with the time since when. Reads only."""
    now = app.clock()
    found = problems_of(await observe(installation_of(app), now), now)
    return dated(found, (await SqlOperatorState(app.database).read()).seen)


async def tell_operator(app: Application) -> OperatorReport:
    """Note what is wrong, and plan the mails that are due. Raises StoreError, TemplateFailed.

    Without an operator nothing is planned.
    """
    now, store = app.clock(), SqlOperatorState(app.database)
    found = problems_of(await observe(installation_of(app), now), now)
    state = await store.read()
    state = replace(state, seen=first_seen(state, [one.key for one in found], now))
    found = dated(found, state.seen)
    mails = 0
    if app.settings.operator:
        is_wrong = _is_due(state, found, now, _zone(app))
        if is_wrong is not None:
            mails = await _plan_report(app, found if is_wrong else (), now)
            state = replace(state, mailed_on=now.astimezone(_zone(app)).date(), is_wrong=is_wrong)
    await store.write(state)
    drafts = await _plan_draft_mails(app, now) if app.settings.operator else 0
    if mails + drafts:
        await app.notify_workers("deliver", mails + drafts)
    return OperatorReport(found, mails, drafts)


async def operator_mails(app: Application) -> Sequence[tuple[Subscriber, RenderedMail]]:
    """Return the mail that each operator would get now. Raises UsageError without an operator."""
    if not app.settings.operator:
        raise UsageError("caveat.yaml names no operator; add a line such as operator: vera@example.org")
    rendered = _rendered(app, await current_problems(app), app.clock())
    return [(_person(address), rendered) for address in app.settings.operator]


def operator_issue(rendered: RenderedMail, person: Subscriber, now: datetime) -> Issue:
    """Return the mail as an issue that no table records, for a test."""
    return transactional_issue(MailKind.OPERATOR, rendered, "", person.id, now)


def _is_due(state: OperatorState, found: Sequence[Problem], now: datetime, zone: ZoneInfo) -> bool | None:
    """Return None if no mail is due, else whether it says that something is wrong."""
    local = now.astimezone(zone)
    if local.hour < HOUR or (state.mailed_on is not None and state.mailed_on >= local.date()):
        return None
    if not found:
        return False if state.is_wrong else None
    # A mail about new trouble waits a little; one that reminds of trouble does not.
    lasting = any(state.seen[one.key] <= now - PATIENCE for one in found)
    return True if lasting else None


async def _plan_report(app: Application, found: Sequence[Problem], now: datetime) -> int:
    zone = _zone(app)
    day = start_of_day(now.astimezone(zone).date(), zone)
    return await _plan(app, MailKind.OPERATOR, _rendered(app, found, now), "", day)


async def _plan_draft_mails(app: Application, now: datetime) -> int:
    """Plan a mail for each newsletter and due time with a new draft that nobody decided about."""
    reviewed = {one.id: one.title for one in app.roster.newsletters if one.review}
    if not reviewed:
        return 0
    waiting = {
        (draft.newsletter, draft.due_at): draft
        for draft in await SqlDraftStore(app.database).drafts_of()
        if draft.state is DraftState.WAITING and draft.due_at > now and draft.created_at > now - DRAFT_AGE
    }
    from service.compose.render.transactional import OperatorLine  # noqa: PLC0415 - jinja2, for a mail only

    planned = 0
    for (newsletter, due_at), draft in waiting.items():
        title = reviewed.get(newsletter, newsletter)
        due = f"{due_at.astimezone(_zone(app)):%a %-d %b, %H:%M}"
        rendered = transactional_renderer(app.settings).review(
            title,
            timezone=_zone(app).key,
            line=OperatorLine(
                f"The issue that is due on {due}",
                f"{draft.size:,} subscriber{'' if draft.size == 1 else 's'}",
                f"caveat draft show {draft.id[:8]}",
                f"{admin_url(app)}/admin/drafts/{draft.id}",
            ),
        )
        planned += await _plan(app, MailKind.REVIEW, rendered, newsletter, due_at)
    return planned


async def _plan(
    app: Application, kind: MailKind, rendered: RenderedMail, newsletter: str, at: datetime
) -> int:
    """Plan the mail to every operator; its id is made of `at`, its age counts from now."""
    store, planned, now = SqlSignUpStore(app.database), 0, app.clock()
    for address in app.settings.operator:
        person = _person(address)
        issue = transactional_issue(kind, rendered, newsletter, person.id, at)
        issue = replace(issue, created_at=now, due_at=now)
        planned += await store.plan_mail(issue, person, app.settings.mail.channel)
    return planned


def _rendered(app: Application, found: Sequence[Problem], now: datetime) -> RenderedMail:
    zone, base = _zone(app), f"{admin_url(app)}/admin"
    return transactional_renderer(app.settings).operator(
        [_line(one, zone, base) for one in found],
        timezone=zone.key,
        at=f"{now.astimezone(zone):%a %-d %b %Y, %H:%M}",
        url=base if app.settings.web.admin.enabled else "",
    )


def _line(one: Problem, zone: ZoneInfo, base: str) -> OperatorLine:
    from service.compose.render.transactional import OperatorLine  # noqa: PLC0415 - as above

    since = f"since {one.since.astimezone(zone):%a %-d %b %Y, %H:%M}" if one.since else ""
    said = f"{one.said[:1].upper()}{one.said[1:]}."
    return OperatorLine(said, since, one.advice, f"{base}{one.page}".rstrip("/"))


def _person(address: str) -> Subscriber:
    return Subscriber(identity.subscriber_id(address), address)


def _zone(app: Application) -> ZoneInfo:
    """Return the operator's time zone: that of the editors' pages."""
    return ZoneInfo(operator_timezone(app))


def operator_timezone(app: Application) -> str:
    """Return `web.admin.timezone`, else the time zone of the first newsletter."""
    first = next(iter(app.roster.newsletters), None)
    return app.settings.web.admin.timezone or (first.timezone if first else "UTC")
