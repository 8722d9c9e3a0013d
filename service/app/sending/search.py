"""Search for recipients of a newsletter by the beginning of their address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.store.send_audience import SendAudience

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_FOUND = 20  # shown below the form


async def find_recipients(app: Application, newsletter: str, text: str) -> Sequence[str]:
    """Return the addresses of subscribers of the newsletter (id) that begin with the text."""
    return await SendAudience(app.database).addresses(newsletter, text, MAX_FOUND)
