"""Subscribers: import, export, listings, and changes that an operator makes for one subscriber."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, BinaryIO

from service.app.erasure import erase_person
from service.core.model import Membership
from service.core.progress import Progress, no_progress
from service.core.read_models import BounceDetails, Suppression
from service.core.validators import read_email
from service.store.bounces import SqlBounceStore
from service.subscribers import actions
from service.subscribers.diff import RosterDifference, differences
from service.subscribers.export import export_subscribers
from service.subscribers.import_formats import RefusedRow
from service.subscribers.importer import (
    MAX_TRANSACTION_ROWS,
    ImportOptions,
    ImportResult,
    import_subscribers,
)
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
    "pause_until",
    "roster_differences",
    "set_status",
    "suppress",
    "suppression",
    "unsuppress",
]

MEMBERSHIPS_PER_PAGE = 2_000  # read at once, so that a listing of any size fits into memory


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
    transaction_rows: int = MAX_TRANSACTION_ROWS,
) -> ImportResult:
    """Import the subscribers in a file. `default_newsletters` (ids) are for rows that name none."""
    now = app.clock()
    newsletters = {newsletter.id: newsletter for newsletter in app.roster.newsletters}
    terms = ImportOptions(
        newsletters, now - FIRST_ISSUE_LOOKBACK, default_newsletters, dry_run, transaction_rows
    )
    return await import_subscribers(
        app.subscribers, source, name, terms, now, on_refusal=on_refusal, on_note=on_note, progress=progress
    )


def export_lines(app: Application, form: str, newsletter: str | None) -> AsyncIterator[str]:
    """Yield the lines of an export file with the subscribers of `newsletter`, with None of all."""
    return export_subscribers(app.subscribers, form, newsletter=newsletter)


async def all_memberships(app: Application) -> AsyncIterator[Membership]:
    """Yield all memberships, in the order in which the subscribers were stored."""
    after: str | None = None
    while page := await app.subscribers.memberships_page(after, MEMBERSHIPS_PER_PAGE):
        after = page[-1].subscriber.id
        for membership in page:
            yield membership


async def roster_differences(app: Application) -> AsyncIterator[RosterDifference]:
    """Yield the differences between the configuration files and the database."""
    feeds = [line.state.feed for line in await app.queries.feeds() if line.active]
    async for difference in differences(app.subscribers, app.roster, feeds, app.clock()):
        yield difference


STATUS_ACTIONS = {"pause": actions.pause, "resume": actions.resume, "unsubscribe": actions.unsubscribe}
"""The action of each command that changes a subscriber's status."""


async def set_status(app: Application, what: str, subscriber_id: str, newsletter: str | None) -> int:
    """Pause, resume or unsubscribe a subscriber (id); return the number of changed subscriptions."""
    return await STATUS_ACTIONS[what](app.subscribers, subscriber_id, newsletter, app.clock())


async def pause_until(app: Application, subscriber_id: str, newsletter: str | None, day: date) -> int:
    """Pause a subscriber (id) until a day; return the number of changed subscriptions.

    Raises UsageError for a day that is not after today, or more than a year ahead.
    """
    return await actions.pause(app.subscribers, subscriber_id, newsletter, app.clock(), day)


async def suppression(app: Application, email: str) -> Suppression | None:
    """Return why and since when this address is suppressed; None when it is not."""
    return await app.subscribers.suppression(email)


async def bounces_of(app: Application, email: str) -> Sequence[BounceDetails]:
    """Return the bounces of deliveries to this address, newest first."""
    return await SqlBounceStore(app.database).bounces_of(email)


async def suppress(app: Application, email: str, reason: str) -> None:
    """Suppress this address, whatever the files say. Raises UsageError for an invalid address."""
    await app.subscribers.suppress(read_email(email), reason, app.clock())


async def unsuppress(app: Application, email: str) -> bool:
    """Lift the suppression of this address; return whether there was one."""
    return await app.subscribers.unsuppress(email)


async def erase(app: Application, email: str) -> bool:
    """Erase a subscriber's data and the files of mails to them; return whether they were known."""
    return await erase_person(app.subscribers, email, app.clock(), app.settings.mail.folder)
