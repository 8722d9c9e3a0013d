"""The audit log: who changed what and when, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from service.app.accounts.audit import NOBODY, entries
from service.core.model import AuditEntry
from service.web.admin.access.audit_sentences import details_of, sentence_of
from service.web.admin.context import AdminContext

ENTRIES_PER_PAGE = 50
MAX_NUMBER_DIGITS = 18  # of an entry; a larger one does not fit into the database's integer


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry as the page shows it: who did what as a sentence, and the other facts."""

    entry: AuditEntry
    who: str
    sentence: str
    details: str


async def show_audit(context: AdminContext) -> Response:
    """Show a page of the log; `before` is the number of the last entry of the page before."""
    given = context.query("before")
    is_number = given.isascii() and given.isdecimal() and len(given) <= MAX_NUMBER_DIGITS
    before = int(given) if is_number else None
    # One more than is shown tells whether there is a next page.
    found = await entries(context.app, before, ENTRIES_PER_PAGE + 1)
    shown = found[:ENTRIES_PER_PAGE]
    return context.page(
        "access/audit.html",
        lines=[AuditLine(entry, _who(entry), sentence_of(entry), details_of(entry)) for _, entry in shown],
        is_first=before is None,
        next_before=shown[-1][0] if len(found) > ENTRIES_PER_PAGE else None,
    )


def _who(entry: AuditEntry) -> str:
    is_stranger = not entry.account and entry.name == NOBODY
    return "Somebody who is not logged in" if is_stranger else entry.name
