"""The last manual sends, for a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.core.model import ManualSend
from service.store.sends import FirstIssue, ManualSendStore

if TYPE_CHECKING:
    from service.app.factories.application import Application


@dataclass(frozen=True, slots=True)
class LastSend:
    """A send with its first issue, None if it made none because nothing was new."""

    send: ManualSend
    first: FirstIssue | None
    title: str


async def last_sends(app: Application, limit: int) -> Sequence[LastSend]:
    """Return the last sends by page, command line and API, newest first; `title` is the newsletter's."""
    store = ManualSendStore(app.database)
    found = await store.latest(limit)
    first = await store.first_issues([one.issues[0] for one in found if one.issues])
    titles = {one.id: one.title for one in app.roster.newsletters}
    return [
        LastSend(one, issue, titles.get(issue.newsletter, issue.newsletter) if issue else "")
        for one in found
        for issue in [first.get(one.issues[0]) if one.issues else None]
    ]
