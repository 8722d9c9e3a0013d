"""Sending by hand: the same road as a scheduled issue, now and once, for the people who are named.

The command line and the API plan with `plan_send`. It only plans: issues and deliveries stand in the record
when it returns, and whoever delivers finds them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service.compose.stage import ManualReport, compose_manual
from service.core import identity
from service.core.contracts import Progress, silent
from service.core.errors import KeyReused, UnknownName, UsageError, WordsChanged
from service.core.model import ManualSend, Membership, Newsletter, SubscriptionStatus
from service.dispatch import deliver_jobs
from service.store.accord import AccordRecords
from service.store.deliver import DeliverRecords
from service.store.sends import Draft, SendRecords
from service.wiring.delivering import relay_of
from service.wiring.readers import nobody

if TYPE_CHECKING:
    from service.wiring.house import House

__all__ = [
    "ManualReport",
    "Recipients",
    "Wanted",
    "dry_run",
    "left_out",
    "pause",
    "plan_send",
    "recipients_of",
    "resume",
    "send",
    "sent_before",
]

SLIP = timedelta(minutes=1)
"""The same request without a key of its own, so soon after the first, is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: a newsletter (its id), to these addresses, None for everybody.

    `again` tells once more what they were told last. The same `key` is the same send, however often it is
    asked for; without one ("") it is the same request within a minute.
    """

    newsletter: str
    to: tuple[str, ...] | None
    again: bool = False
    key: str = ""

    @property
    def request(self) -> str:
        """The same for the same request, however the addresses are spelled and ordered."""
        people = [] if self.to is None else sorted({identity.subscriber_id(address) for address in self.to})
        how = ("all" if self.to is None else "some", "again" if self.again else "new")
        return identity.digest_of("request", self.newsletter, *how, *people)

    def send(self, now: datetime) -> ManualSend:
        """Return the send that this would be at `now`."""
        key = f"key {self.key}" if self.key else f"request {self.request} {now.isoformat()}"
        return ManualSend(identity.send_id(key), self.request, now)

    @property
    def slip(self) -> timedelta | None:
        """Within what time the same request is the same send, None where the key alone says so."""
        return None if self.key else SLIP


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


async def recipients_of(house: House, wanted: Wanted) -> Recipients:
    """Return who is meant. Raises UsageError for a newsletter or an address that is not known."""
    newsletter = house.roster.newsletter(wanted.newsletter)
    if newsletter is None:
        raise UnknownName("newsletter", wanted.newsletter, [found.id for found in house.roster.newsletters])
    if wanted.to is None:
        groups = await house.composer.store.groups_of(newsletter.id, None)
        return Recipients(newsletter, None, sum(group.size for group in groups), {})
    known = [entry.subscriber.email for entry in house.roster.subscribers]
    chosen: dict[str, Membership] = {}
    out: dict[str, str] = {}
    unknown: list[str] = []
    for address in dict.fromkeys(wanted.to):
        found = await house.people.memberships(newsletter=newsletter.id, email=address)
        if not found:
            unknown.append(str(nobody(address, newsletter.id, known)))
        elif why := _out_of_reach(found[0]):
            out[found[0].subscriber.id] = why
        else:
            chosen[found[0].subscriber.id] = found[0]
    if unknown:
        raise UsageError(" ".join(unknown))
    return Recipients(newsletter, tuple(chosen.values()), len(chosen), out)


async def sent_before(house: House, wanted: Wanted) -> ManualSend | None:
    """Return the send that this is a repetition of, None for one that is new. Raises KeyReused."""
    return _checked(await SendRecords(house.database).find(wanted.send(house.clock()), wanted.slip), wanted)


async def plan_send(
    house: House, wanted: Wanted, recipients: Recipients, *, progress: Progress = silent
) -> tuple[ManualSend, bool]:
    """Plan the send: its issues and deliveries, in one transaction, once for its key.

    Return it and whether it is new, rather than the one that was asked for before. What failed to compose is
    in its `problems`; when nothing else came of it, nothing is recorded and it may be tried again.
    Raises KeyReused.
    """
    async with house.turn["compose"]:
        if before := await sent_before(house, wanted):
            return before, False
        try:
            recorded, is_new = await _drafted(house, wanted, recipients, progress)
        except WordsChanged:
            recorded, is_new = await _drafted(house, wanted, recipients, progress)
    await house.hint({"deliver": deliver_jobs(recorded.deliveries)})
    return _checked(recorded, wanted) or recorded, is_new


async def _drafted(
    house: House, wanted: Wanted, recipients: Recipients, progress: Progress
) -> tuple[ManualSend, bool]:
    """Compose the send's issues and record them, all or none. Raises WordsChanged."""
    send, draft = wanted.send(house.clock()), Draft(house.database)
    report = await compose_manual(
        replace(house.composer, store=draft),
        recipients.newsletter.id,
        recipients.ids,
        now=send.at,
        again=wanted.again,
        key=send.id,
        progress=progress,
    )
    send = replace(
        send, nothing_new=report.nothing_new, left_out=recipients.left_out, problems=report.problems
    )
    if report.problems and not draft.issues:
        return send, True
    records = SendRecords(house.database)
    return await records.record(send, draft, house.composer.channel, wanted.slip)


async def send(house: House, wanted: Wanted) -> ManualSend:
    """Plan what is wanted, or return what was planned for it before. Raises UsageError."""
    before = await sent_before(house, wanted)
    if before is not None:
        return before
    planned, _ = await plan_send(house, wanted, await recipients_of(house, wanted))
    return planned


async def dry_run(house: House, wanted: Wanted, recipients: Recipients) -> ManualReport:
    """Return what the send would be; nothing is recorded."""
    return await compose_manual(
        house.composer,
        recipients.newsletter.id,
        recipients.ids,
        now=house.clock(),
        again=wanted.again,
        dry_run=True,
    )


async def pause(house: House, issue_ids: Sequence[str]) -> None:
    """Let nobody take up the deliveries of these issues until they are resumed."""
    for issue_id in issue_ids:
        await DeliverRecords(house.database).pause(issue_id, house.clock())


async def resume(house: House, issue_ids: Sequence[str]) -> None:
    """Let these issues go on, and hint whoever delivers. Where all sending was halted, it goes on too."""
    if house.settings.mail.channel == "smtp":
        await AccordRecords(house.database).end_halt(relay_of(house.settings.mail.smtp).name)
    resumed = [await DeliverRecords(house.database).resume(issue_id, house.clock()) for issue_id in issue_ids]
    await house.hint({"deliver": deliver_jobs(sum(resumed))})


def left_out(wanted: Wanted, reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return who of those named is not sent it, as address and why; `reasons` go by subscriber id."""
    named = {identity.subscriber_id(address): address for address in wanted.to or ()}
    return [(address, reasons[key]) for key, address in named.items() if key in reasons]


def _checked(found: ManualSend | None, wanted: Wanted) -> ManualSend | None:
    """Return what was found, when it is what is wanted. Raises KeyReused when it is something else."""
    if found is not None and found.request != wanted.request:
        raise KeyReused
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
