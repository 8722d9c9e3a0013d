"""The crowd: people by the thousand, in and out of the record, for the doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

from service.core.ids import subscriber_id
from service.core.model import Membership
from service.core.progress import Progress, no_progress
from service.core.read_models import BounceDetails, Suppression
from service.core.validators import read_email
from service.deliver.channels.file.outbox_files import remove_messages_to
from service.store.bounces import SqlBounceStore
from service.subscribers import actions as choices
from service.subscribers.diff import RosterDifference, differences
from service.subscribers.export import export_subscribers
from service.subscribers.import_formats import RefusedRow
from service.subscribers.importer import ImportOptions, ImportResult, import_subscribers
from service.subscribers.sync import FIRST_ISSUE_LOOKBACK

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = [
    "ImportResult",
    "RefusedRow",
    "all_memberships",
    "bounces_of",
    "erase",
    "export_lines",
    "import_file",
    "roster_differences",
    "set_status",
    "suppress",
    "suppression",
    "unsuppress",
]

MEMBERSHIPS_PER_PAGE = 2_000


async def import_file(
    house: Application,
    source: BinaryIO,
    name: str,
    *,
    default_newsletters: Sequence[str],
    dry_run: bool,
    on_refusal: Callable[[RefusedRow], None],
    on_note: Callable[[str], None] = lambda _note: None,
    progress: Progress = no_progress,
) -> ImportResult:
    """Take over the people in a file; `usual` are the newsletters of those who name none."""
    now = house.clock()
    newsletters = {newsletter.id: newsletter for newsletter in house.roster.newsletters}
    terms = ImportOptions(newsletters, now - FIRST_ISSUE_LOOKBACK, default_newsletters, dry_run)
    return await import_subscribers(
        house.subscribers, source, name, terms, now, on_refusal=on_refusal, on_note=on_note, progress=progress
    )


def export_lines(house: Application, form: str, newsletter: str | None) -> AsyncIterator[str]:
    """Yield the lines of a file with everybody who gets `newsletter` (None: any)."""
    return export_subscribers(house.subscribers, form, newsletter=newsletter)


async def all_memberships(house: Application) -> AsyncIterator[Membership]:
    """Yield every membership, in the order in which people came."""
    after: str | None = None
    while page := await house.subscribers.memberships_page(after, MEMBERSHIPS_PER_PAGE):
        after = page[-1].subscriber.id
        for membership in page:
            yield membership


async def roster_differences(house: Application) -> AsyncIterator[RosterDifference]:
    """Yield where the files and the record part."""
    feeds = [line.state.feed for line in await house.overview.feeds() if line.active]
    async for difference in differences(house.subscribers, house.roster, feeds, house.clock()):
        yield difference


STATUS_ACTIONS = {"pause": choices.pause, "resume": choices.resume, "unsubscribe": choices.unsubscribe}
"""What somebody can be made to do on their behalf, by the command's name."""


async def set_status(house: Application, what: str, subscriber_id: str, newsletter: str | None) -> int:
    """Pause, resume or unsubscribe somebody on their behalf; return how many subscriptions that changed."""
    return await STATUS_ACTIONS[what](house.subscribers, subscriber_id, newsletter, house.clock())


async def suppression(house: Application, email: str) -> Suppression | None:
    """Return why this address is not mailed and since when; None when it is."""
    return await SqlBounceStore(house.database).suppression(email)


async def bounces_of(house: Application, email: str) -> Sequence[BounceDetails]:
    """Return which deliveries to the person came back, the last first."""
    return await SqlBounceStore(house.database).bounces_of(email)


async def suppress(house: Application, email: str, reason: str) -> None:
    """Never mail this address again, whatever the files say. Raises UsageError for what is no address."""
    await house.subscribers.suppress(read_email(email), reason, house.clock())


async def unsuppress(house: Application, email: str) -> bool:
    """Allow the address again; return whether it was suppressed."""
    return await house.subscribers.unsuppress(email)


async def erase(house: Application, email: str) -> bool:
    """Erase who somebody was, and the mails to them that are files; return whether there was anybody."""
    known = await choices.erase(house.subscribers, email, house.clock())
    await asyncio.to_thread(remove_messages_to, house.settings.mail.folder, subscriber_id(email))
    return known
