"""The audit record: each change by a person is stored with who, when and what, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.core.model import Account, AuditEntry
from service.store.audit import SqlAuditStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

COMMAND_LINE = "command line"
"""Name in the record of a person with a shell."""

NOBODY = "nobody"
"""Name in the record of a person who is not logged in."""


async def record(
    app: Application, account: Account | None, action: str, subject: str = "", **details: object
) -> None:
    """Store that the account (None: nobody) did something.

    `action` is a stable key in the past tense, such as `issue_cancelled`; `subject` is the id of what was
    changed. `details` are JSON values; never a password, token or key.
    """
    entry = AuditEntry(
        app.clock(),
        account.id if account else "",
        account.name if account else NOBODY,
        action,
        subject,
        details,
    )
    await SqlAuditStore(app.database).append(entry)


async def record_command(app: Application, action: str, subject: str = "", **details: object) -> None:
    """Store that a person with a shell did something; see `record`."""
    entry = AuditEntry(app.clock(), "", COMMAND_LINE, action, subject, details)
    await SqlAuditStore(app.database).append(entry)


async def entries(app: Application, before: int | None, limit: int) -> Sequence[tuple[int, AuditEntry]]:
    """Return entries with their numbers, newest first; `before` is the last number of the page before."""
    return await SqlAuditStore(app.database).page(before, limit)
