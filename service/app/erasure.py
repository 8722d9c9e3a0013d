"""Erasure of a person: their rows, and the files of mails to them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from service.core.ids import subscriber_id
from service.deliver.channels.file.outbox_files import remove_messages_to
from service.store.subscribers import SqlSubscriberStore
from service.subscribers import actions


async def erase_person(
    subscribers: SqlSubscriberStore, email: str, now: datetime, mail_folder: Path | None
) -> bool:
    """Erase a person's data and the files of mails to them; return whether they were known."""
    known = await actions.erase(subscribers, email, now)
    if mail_folder is not None:
        await asyncio.to_thread(remove_messages_to, mail_folder, subscriber_id(email))
    return known
