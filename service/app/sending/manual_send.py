"""Manual send: a newsletter now and once, for named subscribers or for all of them.

`send` plans only: it records issues and deliveries, and a deliver worker sends them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from service.app.preview import not_subscribed
from service.compose.stage import ManualSendReport, compose_manual
from service.core.errors import ArticleChanged, IdempotencyKeyReused, UnknownName, UsageError
from service.core.model import ManualSend, Membership, Newsletter, SubscriptionStatus
from service.core.progress import Progress, no_progress
from service.core.send_request import SendRequest
from service.store.sends import DraftComposeStore, ManualSendStore
from service.subscribers.preferences import own_editions

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = [
    "DryRun",
    "ManualSendReport",
    "Recipients",
    "SendResult",
    "dry_run",
    "send",
]

UNREACHABLE = {
    SubscriptionStatus.PAUSED: "paused it",
    SubscriptionStatus.UNSUBSCRIBED: "unsubscribed from it",
    SubscriptionStatus.ENDED: "does not get it any more",
}
"""Why a subscription with this status is left out; the sentence begins with the address."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of a request: `chosen`, or with None all `count` subscribers of the newsletter.

    `left_out` has the reason for each named subscriber (id) who is not mailed.
    """

    newsletter: Newsletter
    chosen: tuple[Membership, ...] | None
    count: int
    left_out: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The subscribers' ids; None for all."""
        return None if self.chosen is None else tuple(m.subscriber.id for m in self.chosen)


@dataclass(frozen=True, slots=True)
class SendResult:
    """The recorded send. `is_new` is False when an earlier request planned it."""

    planned: ManualSend
    is_new: bool


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a send would plan, and for which recipients."""

    recipients: Recipients
    report: ManualSendReport


async def send(
    app: Application,
    request: SendRequest,
    *,
    confirm: Callable[[Recipients], None] = lambda _recipients: None,
    progress: Progress = no_progress,
) -> SendResult:
    """Plan a send in one transaction, once for its key, or return the send that has this key already.

    `confirm` is called with the recipients of a new send before anything is planned; it may raise. Problems
    of composing are in the result. A send without any issue, because of them, is not recorded and can be
    repeated. Raises UsageError for an unknown newsletter or address, and IdempotencyKeyReused.
    """
    if earlier := await _earlier_send(app, request):
        return SendResult(earlier, is_new=False)
    recipients = await _recipients(app, request)
    confirm(recipients)
    async with app.stage_locks["compose"]:
        if earlier := await _earlier_send(app, request):
            return SendResult(earlier, is_new=False)
        try:
            recorded, is_new = await _record(app, request, recipients, progress)
        except ArticleChanged:
            recorded, is_new = await _record(app, request, recipients, progress)
    await app.notify_workers("deliver", recorded.deliveries)
    return SendResult(_same_request(recorded, request), is_new)


async def dry_run(app: Application, request: SendRequest) -> DryRun:
    """Return what `send` would plan; record nothing. Raises UsageError like `send`."""
    recipients = await _recipients(app, request)
    report = await compose_manual(
        app.composer,
        recipients.newsletter.id,
        recipients.ids,
        now=app.clock(),
        repeat=request.repeat,
        dry_run=True,
    )
    return DryRun(recipients, report)


async def _recipients(app: Application, request: SendRequest) -> Recipients:
    newsletter = app.roster.newsletter(request.newsletter)
    if newsletter is None:
        raise UnknownName("newsletter", request.newsletter, [known.id for known in app.roster.newsletters])
    if request.addresses is None:
        groups = await app.composer.store.groups_of(newsletter.id, None)
        return Recipients(newsletter, None, sum(group.size for group in groups), {})
    chosen: dict[str, Membership] = {}
    left_out: dict[str, str] = {}
    unknown: list[str] = []
    for address in dict.fromkeys(request.addresses):
        found = await app.subscribers.memberships(newsletter=newsletter.id, email=address)
        if not found:
            unknown.append(address)
        elif reason := unreachable(found[0].subscription.status, found[0].suppressed, found[0].pause_end):
            left_out[found[0].subscriber.id] = reason
        else:
            chosen[found[0].subscriber.id] = found[0]
    if unknown:
        known = [entry.subscriber.email for entry in app.roster.subscribers]
        raise UsageError(" ".join(str(not_subscribed(one, newsletter.id, known)) for one in unknown))
    return Recipients(newsletter, tuple(chosen.values()), len(chosen), left_out)


async def _earlier_send(app: Application, request: SendRequest) -> ManualSend | None:
    """Return the send that this request repeats, None for a new request. Raises IdempotencyKeyReused."""
    store = ManualSendStore(app.database)
    found = await store.find(request.as_send(app.clock()), request.repeat_window)
    return _same_request(found, request) if found else None


async def _record(
    app: Application, request: SendRequest, recipients: Recipients, progress: Progress
) -> tuple[ManualSend, bool]:
    """Compose the issues and record all or none; return the send and whether it is new.

    Raises ArticleChanged.
    """
    planned = request.as_send(app.clock())
    draft = DraftComposeStore(app.database, own_editions(app.roster.newsletters))
    report = await compose_manual(
        replace(app.composer, store=draft),
        recipients.newsletter.id,
        recipients.ids,
        now=planned.at,
        repeat=request.repeat,
        key=planned.id,
        progress=progress,
    )
    planned = replace(
        planned, nothing_new=report.nothing_new, left_out=recipients.left_out, problems=report.problems
    )
    if report.problems and not draft.issues:
        return planned, True
    store = ManualSendStore(app.database)
    return await store.record(planned, draft, app.composer.channel, request.repeat_window)


def _same_request(found: ManualSend, request: SendRequest) -> ManualSend:
    """Return the send. Raises IdempotencyKeyReused when another request planned it."""
    if found.request != request.request_hash:
        raise IdempotencyKeyReused
    return found


def unreachable(
    status: SubscriptionStatus, suppressed: str | None, pause_end: date | datetime | None
) -> str | None:
    """Return why a subscriber of the newsletter is not mailed, None when they are.

    `suppressed` is the reason why their address gets no mail, `pause_end` the end of their pause.
    """
    if suppressed:
        return f"must not be mailed: {suppressed}"
    if pause_end is not None:
        return f"paused it until {pause_end:%Y-%m-%d}"
    return UNREACHABLE.get(status)
