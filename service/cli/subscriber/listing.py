"""`caveat subscriber list`: everybody, or a page of those that a search finds."""

from __future__ import annotations

from typing import Any

from service.app import subscribers
from service.app.factories.application import Application
from service.app.people.search import find_subscribers, subscriber_filter
from service.cli.subscriber.memberships import membership_record
from service.cli.ui.open_app import run_in_app
from service.cli.ui.output import print_json, print_message, print_records
from service.core.errors import UsageError

EMPTY = "There is no subscriber yet; caveat subscriber add ADDRESS adds one."
MAX_LIMIT = 1_000  # people on a page


def print_everybody(newsletter: str | None, *, as_json: bool) -> None:
    """Print all memberships, or those of a newsletter."""

    async def work(app: Application) -> bool:
        records = []
        async for membership in subscribers.all_memberships(app):
            if newsletter not in (None, membership.subscription.newsletter):
                continue
            record = membership_record(membership, preferences=as_json)
            if as_json:
                print_json(record)  # at once: a million records do not fit into memory as a table
            else:
                records.append(record)
        if not as_json:
            print_records(records, as_json=False, empty_message=EMPTY)
        return True

    run_in_app(work, apply_roster=True)


def print_page(text: str, newsletter: str | None, limit: int, after: str | None, *, as_json: bool) -> None:
    """Print a page of the people whose address or name has this text, newest first."""
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"--limit is from 1 to {MAX_LIMIT}")
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise UsageError("--after is the number that the page before printed")

    async def work(app: Application) -> bool:
        wanted = subscriber_filter(text, newsletter or "")
        page = await find_subscribers(app, wanted, after=None if after is None else int(after), limit=limit)
        records: list[dict[str, Any]] = []
        for person in page.people:
            records += [
                membership_record(membership, preferences=as_json)
                for membership in await app.subscribers.memberships(subscriber_id=person.id)
                if newsletter in (None, membership.subscription.newsletter)
            ]
        print_records(records, as_json=as_json, empty_message="Nobody matches.")
        if page.next is not None:
            print_message(f"More: --after {page.next}")
        return True

    run_in_app(work, apply_roster=True)
