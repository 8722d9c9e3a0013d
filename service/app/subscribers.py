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
    app: Application,
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
    now = app.clock()
    newsletters = {newsletter.id: newsletter for newsletter in app.roster.newsletters}
    terms = ImportOptions(newsletters, now - FIRST_ISSUE_LOOKBACK, default_newsletters, dry_run)
    return await import_subscribers(
        app.subscribers, source, name, terms, now, on_refusal=on_refusal, on_note=on_note, progress=progress
    )


def export_lines(app: Application, form: str, newsletter: str | None) -> AsyncIterator[str]:
    """Yield the lines of a file with everybody who gets `newsletter` (None: any)."""
    return export_subscribers(app.subscribers, form, newsletter=newsletter)


async def all_memberships(app: Application) -> AsyncIterator[Membership]:
    """Yield every membership, in the order in which people came."""
    after: str | None = None
    while page := await app.subscribers.memberships_page(after, MEMBERSHIPS_PER_PAGE):
        after = page[-1].subscriber.id
        for membership in page:
            yield membership


async def roster_differences(app: Application) -> AsyncIterator[RosterDifference]:
    """Yield where the files and the record part."""
    feeds = [line.state.feed for line in await app.overview.feeds() if line.active]
    async for difference in differences(app.subscribers, app.roster, feeds, app.clock()):
        yield difference


STATUS_ACTIONS = {"pause": choices.pause, "resume": choices.resume, "unsubscribe": choices.unsubscribe}
"""What somebody can be made to do on their behalf, by the command's name."""


async def set_status(app: Application, what: str, subscriber_id: str, newsletter: str | None) -> int:
    """Pause, resume or unsubscribe somebody on their behalf; return how many subscriptions that changed."""
    return await STATUS_ACTIONS[what](app.subscribers, subscriber_id, newsletter, app.clock())


async def suppression(app: Application, email: str) -> Suppression | None:
    """Return why this address is not mailed and since when; None when it is."""
    return await SqlBounceStore(app.database).suppression(email)


async def bounces_of(app: Application, email: str) -> Sequence[BounceDetails]:
    """Return which deliveries to the person came back, the last first."""
    return await SqlBounceStore(app.database).bounces_of(email)


async def suppress(app: Application, email: str, reason: str) -> None:
    """Never mail this address again, whatever the files say. Raises UsageError for what is no address."""
    await app.subscribers.suppress(read_email(email), reason, app.clock())


async def unsuppress(app: Application, email: str) -> bool:
    """Allow the address again; return whether it was suppressed."""
    return await app.subscribers.unsuppress(email)


async def erase(app: Application, email: str) -> bool:
    """Erase who somebody was, and the mails to them that are files; return whether there was anybody."""
    known = await choices.erase(app.subscribers, email, app.clock())
    await asyncio.to_thread(remove_messages_to, app.settings.mail.folder, subscriber_id(email))
    return known
