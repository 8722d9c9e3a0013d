"""Sending by hand: the same road as a scheduled issue, now, for the people who are named."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.compose.stage import ManualReport, compose_manual
from service.core.contracts import Progress, silent
from service.core.errors import UsageError
from service.core.listings import DeliveryLine
from service.core.model import DeliveryState, Membership, Newsletter, SubscriptionStatus
from service.store.deliver import DeliverRecords
from service.wiring.readers import nobody

if TYPE_CHECKING:
    from service.wiring.house import House

__all__ = [
    "Delivered",
    "ManualReport",
    "Recipients",
    "deliver_these",
    "due_again",
    "make_issues",
    "recipients_of",
]

UNDER_WAY = (DeliveryState.PLANNED, DeliveryState.ATTEMPTING)
LOOKS, PAUSE = 60, 0.5
"""How often, and how many seconds apart, we look after deliveries that another worker took."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is meant: `chosen`, None for everybody; `left_out` says who was named and is not sent it."""

    newsletter: Newsletter
    chosen: tuple[Membership, ...] | None
    count: int
    left_out: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The subscribers' ids; None for everybody."""
        return None if self.chosen is None else tuple(m.subscriber.id for m in self.chosen)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where the deliveries of some issues stand; `problems` are sentences about why some of them wait."""

    lines: tuple[DeliveryLine, ...] = ()
    problems: tuple[str, ...] = ()


async def recipients_of(house: House, newsletter: Newsletter, addresses: Sequence[str] | None) -> Recipients:
    """Return who is meant by these addresses, or by None: everybody. Raises UsageError for an unknown one."""
    if addresses is None:
        groups = await house.composer.store.groups_of(newsletter.id, None)
        return Recipients(newsletter, None, sum(group.size for group in groups))
    known = [entry.subscriber.email for entry in house.roster.subscribers]
    chosen: dict[str, Membership] = {}
    left_out: list[str] = []
    unknown: list[str] = []
    for address in addresses:
        found = await house.people.memberships(newsletter=newsletter.id, email=address)
        if not found:
            unknown.append(str(nobody(address, newsletter.id, known)))
        elif why := _out_of_reach(found[0]):
            left_out.append(f"{address} {why}")
        else:
            chosen[found[0].subscriber.id] = found[0]
    if unknown:
        raise UsageError(" ".join(unknown))
    return Recipients(newsletter, tuple(chosen.values()), len(chosen), tuple(left_out))


async def make_issues(
    house: House, recipients: Recipients, *, again: bool, dry_run: bool, progress: Progress = silent
) -> ManualReport:
    """Make an issue of what the recipients were not told so far; `again`: of what they were told last."""
    if recipients.ids == ():
        return ManualReport()
    return await compose_manual(
        house.composer,
        recipients.newsletter.id,
        recipients.ids,
        now=house.clock(),
        again=again,
        dry_run=dry_run,
        progress=progress,
    )


async def deliver_these(house: House, issue_ids: Sequence[str], *, progress: Progress = silent) -> Delivered:
    """Deliver what is due, and return what became of the deliveries of these issues.

    Where another worker took some of them, wait for it, half a minute at most.
    """
    problems = (await house.deliver(progress=progress)).problems
    for _ in range(LOOKS):
        lines = [line for issue in issue_ids for line in await house.overview.deliveries(issue)]
        if problems or not any(line.state in UNDER_WAY for line in lines):
            break
        await asyncio.sleep(PAUSE)
    return Delivered(tuple(lines), problems)


async def due_again(house: House, issue_id: str, subscribers: Sequence[str]) -> int:
    """Make these people's (ids) deliveries of an issue due again, whatever came of them; return how many."""
    records = DeliverRecords(house.database)
    return await records.resend(issue_id, tuple(DeliveryState), house.clock(), subscribers=subscribers)


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
