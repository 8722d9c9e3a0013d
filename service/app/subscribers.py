"""The crowd: people by the thousand, in and out of the record, for the doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

from service.core.ids import subscriber_id
from service.core.model import Membership
from service.core.progress import Progress, silent
from service.core.read_models import Barred, BounceLine
from service.deliver.channels.file.outbox_files import remove_of
from service.store.bounces import BounceRecords
from service.subscribers import actions as choices
from service.subscribers.addresses import read_address
from service.subscribers.diff import Difference, differences
from service.subscribers.export import export_people
from service.subscribers.import_formats import Refusal
from service.subscribers.importer import Arrived, Terms, import_people
from service.subscribers.sync import FIRST_NEWS

if TYPE_CHECKING:
    from service.app.factories.application import House

__all__ = [
    "Arrived",
    "Refusal",
    "barred",
    "came_back",
    "choose",
    "everybody",
    "forget",
    "give_out",
    "parted",
    "suppress",
    "take_in",
    "unsuppress",
]

PAGE = 2_000


async def take_in(
    house: House,
    source: BinaryIO,
    name: str,
    *,
    usual: Sequence[str],
    dry_run: bool,
    refused: Callable[[Refusal], None],
    noted: Callable[[str], None] = lambda _note: None,
    progress: Progress = silent,
) -> Arrived:
    """Take over the people in a file; `usual` are the newsletters of those who name none."""
    now = house.clock()
    newsletters = {newsletter.id: newsletter for newsletter in house.roster.newsletters}
    terms = Terms(newsletters, now - FIRST_NEWS, usual, dry_run)
    return await import_people(
        house.people, source, name, terms, now, refused=refused, noted=noted, progress=progress
    )


def give_out(house: House, form: str, newsletter: str | None) -> AsyncIterator[str]:
    """Yield the lines of a file with everybody who gets `newsletter` (None: any)."""
    return export_people(house.people, form, newsletter=newsletter)


async def everybody(house: House) -> AsyncIterator[Membership]:
    """Yield every membership, in the order in which people came."""
    after: str | None = None
    while page := await house.people.memberships_page(after, PAGE):
        after = page[-1].subscriber.id
        for membership in page:
            yield membership


async def parted(house: House) -> AsyncIterator[Difference]:
    """Yield where the files and the record part."""
    feeds = [line.state.feed for line in await house.overview.feeds() if line.active]
    async for difference in differences(house.people, house.roster, feeds, house.clock()):
        yield difference


CHOICES = {"pause": choices.pause, "resume": choices.resume, "unsubscribe": choices.unsubscribe}
"""What somebody can be made to do on their behalf, by the command's name."""


async def choose(house: House, what: str, subscriber_id: str, newsletter: str | None) -> int:
    """Pause, resume or unsubscribe somebody on their behalf; return how many subscriptions that changed."""
    return await CHOICES[what](house.people, subscriber_id, newsletter, house.clock())


async def barred(house: House, email: str) -> Barred | None:
    """Return why this address is not mailed and since when; None when it is."""
    return await BounceRecords(house.database).barred(email)


async def came_back(house: House, email: str) -> Sequence[BounceLine]:
    """Return which deliveries to the person came back, the last first."""
    return await BounceRecords(house.database).came_back(email)


async def suppress(house: House, email: str, reason: str) -> None:
    """Never mail this address again, whatever the files say. Raises UsageError for what is no address."""
    await house.people.suppress(read_address(email), reason, house.clock())


async def unsuppress(house: House, email: str) -> bool:
    """Allow the address again; return whether it was suppressed."""
    return await house.people.unsuppress(email)


async def forget(house: House, email: str) -> bool:
    """Erase who somebody was, and the mails to them that are files; return whether there was anybody."""
    known = await choices.forget(house.people, email, house.clock())
    await asyncio.to_thread(remove_of, house.settings.mail.folder, subscriber_id(email))
    return known
