"""Sending by hand: the same road as a scheduled issue, now and once, for the people who are named.

The command line and the API plan with `plan_send`. It only plans: issues and deliveries stand in the record
when it returns, and whoever delivers finds them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.app.factories.deliver import channel_of
from service.app.readers import not_subscribed
from service.compose.stage import ManualSendReport, compose_manual
from service.core.errors import ArticleChanged, IdempotencyKeyReused, UnknownName, UsageError
from service.core.model import ManualSend, Membership, Newsletter, SubscriptionStatus
from service.core.progress import Progress, no_progress
from service.core.send_request import SendRequest
from service.deliver.ports import SendingPause
from service.runtime.job_queue import deliver_jobs
from service.store.coordination import SqlCoordination
from service.store.deliver import SqlDeliverStore
from service.store.sends import DraftComposeStore, ManualSendStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = [
    "ManualSendReport",
    "Recipients",
    "ResumeResult",
    "dry_run",
    "find_earlier_send",
    "pause",
    "plan_send",
    "recipients_of",
    "resume",
    "send",
]


@dataclass(frozen=True, slots=True)
class ResumeResult:
    """What `resume` lifted: by issue (id) how many deliveries go on, and the pause of all sending, if any."""

    deliveries: Mapping[str, int]
    sending_pause: SendingPause | None = None


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is meant: `chosen`, None for everybody; `left_out` says of others (ids) why they are not mailed."""

    newsletter: Newsletter
    chosen: tuple[Membership, ...] | None
    count: int
    left_out: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The subscribers' ids; None for everybody."""
        return None if self.chosen is None else tuple(m.subscriber.id for m in self.chosen)


async def recipients_of(house: Application, wanted: SendRequest) -> Recipients:
    """Return who is meant. Raises UsageError for a newsletter or an address that is not known."""
    newsletter = house.roster.newsletter(wanted.newsletter)
    if newsletter is None:
        raise UnknownName("newsletter", wanted.newsletter, [found.id for found in house.roster.newsletters])
    if wanted.addresses is None:
        groups = await house.composer.store.groups_of(newsletter.id, None)
        return Recipients(newsletter, None, sum(group.size for group in groups), {})
    known = [entry.subscriber.email for entry in house.roster.subscribers]
    chosen: dict[str, Membership] = {}
    out: dict[str, str] = {}
    unknown: list[str] = []
    for address in dict.fromkeys(wanted.addresses):
        found = await house.subscribers.memberships(newsletter=newsletter.id, email=address)
        if not found:
            unknown.append(str(not_subscribed(address, newsletter.id, known)))
        elif why := _out_of_reach(found[0]):
            out[found[0].subscriber.id] = why
        else:
            chosen[found[0].subscriber.id] = found[0]
    if unknown:
        raise UsageError(" ".join(unknown))
    return Recipients(newsletter, tuple(chosen.values()), len(chosen), out)


async def find_earlier_send(house: Application, wanted: SendRequest) -> ManualSend | None:
    """Return the send that this is a repetition of, None for one that is new. Raises KeyReused."""
    return _checked(
        await ManualSendStore(house.database).find(wanted.as_send(house.clock()), wanted.repeat_window),
        wanted,
    )


async def plan_send(
    house: Application, wanted: SendRequest, recipients: Recipients, *, progress: Progress = no_progress
) -> tuple[ManualSend, bool]:
    """Plan the send: its issues and deliveries, in one transaction, once for its key.

    Return it and whether it is new, rather than the one that was asked for before. What failed to compose is
    in its `problems`; when nothing else came of it, nothing is recorded and it may be tried again.
    Raises KeyReused.
    """
    async with house.stage_locks["compose"]:
        if before := await find_earlier_send(house, wanted):
            return before, False
        try:
            recorded, is_new = await _drafted(house, wanted, recipients, progress)
        except ArticleChanged:
            recorded, is_new = await _drafted(house, wanted, recipients, progress)
    await house.hint({"deliver": deliver_jobs(recorded.deliveries)})
    return _checked(recorded, wanted) or recorded, is_new


async def _drafted(
    house: Application, wanted: SendRequest, recipients: Recipients, progress: Progress
) -> tuple[ManualSend, bool]:
    """Compose the send's issues and record them, all or none. Raises WordsChanged."""
    send, draft = wanted.as_send(house.clock()), DraftComposeStore(house.database)
    report = await compose_manual(
        replace(house.composer, store=draft),
        recipients.newsletter.id,
        recipients.ids,
        now=send.at,
        repeat=wanted.repeat,
        key=send.id,
        progress=progress,
    )
    send = replace(
        send, nothing_new=report.nothing_new, left_out=recipients.left_out, problems=report.problems
    )
    if report.problems and not draft.issues:
        return send, True
    records = ManualSendStore(house.database)
    return await records.record(send, draft, house.composer.channel, wanted.repeat_window)


async def send(house: Application, wanted: SendRequest) -> ManualSend:
    """Plan what is wanted, or return what was planned for it before. Raises UsageError."""
    before = await find_earlier_send(house, wanted)
    if before is not None:
        return before
    planned, _ = await plan_send(house, wanted, await recipients_of(house, wanted))
    return planned


async def dry_run(house: Application, wanted: SendRequest, recipients: Recipients) -> ManualSendReport:
    """Return what the send would be; nothing is recorded."""
    return await compose_manual(
        house.composer,
        recipients.newsletter.id,
        recipients.ids,
        now=house.clock(),
        repeat=wanted.repeat,
        dry_run=True,
    )


async def pause(house: Application, issue_ids: Sequence[str]) -> None:
    """Let nobody take up the deliveries of these issues until they are resumed."""
    await SqlDeliverStore(house.database).pause_issues(issue_ids, house.clock())


async def resume(house: Application, issue_ids: Sequence[str]) -> ResumeResult:
    """Let these issues go on, and hint whoever delivers; return what was lifted.

    Where all sending was halted, it goes on too.
    """
    lifted = None
    if server := channel_of(house.settings).server:
        pauses = SqlCoordination(house.database)
        pause = await pauses.sending_pause(server)
        lifted = pause if await pauses.end_pause(server) else None
    waiting = {
        issue_id: await SqlDeliverStore(house.database).resume(issue_id, house.clock())
        for issue_id in issue_ids
    }
    await house.hint({"deliver": deliver_jobs(sum(waiting.values()))})
    return ResumeResult(waiting, lifted)


def _checked(found: ManualSend | None, wanted: SendRequest) -> ManualSend | None:
    """Return what was found, when it is what is wanted. Raises KeyReused when it is something else."""
    if found is not None and found.request != wanted.request_hash:
        raise IdempotencyKeyReused
    return found


def _out_of_reach(membership: Membership) -> str | None:
    """Return why somebody who has the newsletter is not sent it, None when they are."""
    if membership.suppressed:
        return f"must not be mailed: {membership.suppressed}"
    said = {
        SubscriptionStatus.PAUSED: "paused it",
        SubscriptionStatus.UNSUBSCRIBED: "unsubscribed from it",
        SubscriptionStatus.ENDED: "does not get it any more",
    }
    return said.get(membership.subscription.status)
