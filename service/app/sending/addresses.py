"""Addresses that a person typed or pasted: read from any common form, sorted by whether they are mailed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.app.sending.manual_send import unreachable
from service.core.errors import UsageError
from service.core.ids import subscriber_id
from service.core.validators import InvalidValue, read_email
from service.store.send_audience import SendAudience

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_ADDRESSES = 5_000  # of one send; a larger list is a newsletter of its own
MAX_CHARACTERS = 320  # of one address (RFC 3696, erratum 1690)
_LINE = re.compile(r"[\n\r,;]+")
_IN_BRACKETS = re.compile(r"<([^<>\s]{1,64}@[^<>\s]{1,255})>")


@dataclass(frozen=True, slots=True)
class NamedRecipients:
    """Addresses of which `reached` get the mail; `left_out` are the others, each with the reason.

    `known` are all that have a subscription to the newsletter, mailed or not.
    """

    reached: tuple[str, ...]
    known: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def read_addresses(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the addresses of a text, each once, and what is no address, each with the reason.

    They are separated by commas, semicolons, white space or lines; `Amina <amina@example.org>` is read too.
    Raises UsageError for too many.
    """
    words: list[str] = []
    for part in _LINE.split(text):
        found = _IN_BRACKETS.findall(part)
        words += found or part.split()
    if len(words) > MAX_ADDRESSES:
        raise UsageError(f"there are {len(words):,} addresses; one send takes {MAX_ADDRESSES:,} at most")
    addresses: dict[str, str] = {}
    invalid: dict[str, str] = {}
    for word in words:
        try:
            address = read_email(word[: MAX_CHARACTERS + 1])
        except InvalidValue:
            invalid[word[:MAX_CHARACTERS]] = "is no email address"
        else:
            addresses.setdefault(subscriber_id(address), address)
    return tuple(addresses.values()), tuple(invalid.items())


async def sort_recipients(app: Application, newsletter: str, addresses: Collection[str]) -> NamedRecipients:
    """Return which of these addresses a send of the newsletter (id) would reach."""
    audience, ids = SendAudience(app.database), {subscriber_id(address): address for address in addresses}
    members = await audience.members(newsletter, ids)
    people = await audience.known(ids.keys() - members.keys())
    left_out: list[tuple[str, str]] = []
    for key, address in ids.items():
        if (member := members.get(key)) is not None:
            if reason := unreachable(member.status, member.suppressed, member.paused_until):
                left_out.append((address, reason))
        else:
            left_out.append((address, "does not get this newsletter" if key in people else "is not known"))
    not_reached = {address for address, _ in left_out}
    return NamedRecipients(
        tuple(address for address in ids.values() if address not in not_reached),
        tuple(address for key, address in ids.items() if key in members),
        tuple(left_out),
    )
