"""Issues as tables and headings show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.app.archive.issue_page import fill_name
from service.app.forecast import issue_time
from service.core.read_models import IssueDetails
from service.web.admin.context import AdminContext

NOT_SENT = ("refused", "uncertain", "suppressed", "cancelled")
"""States of the books whose mails are neither sent nor waiting."""


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue with the title of its newsletter, its subject without a recipient's name, and its state.

    `occurrence` is the time that it was due at in the zone of its schedule, for the record; pages show its
    moment in their own zone. `state` is a word, and `kind` the style of its badge.
    """

    issue: IssueDetails
    title: str
    subject: str
    occurrence: str
    state: str
    kind: str

    @property
    def missed(self) -> tuple[str, ...]:
        """The states of mails that did not arrive for certain, where there are such mails."""
        return tuple(name for name in NOT_SENT if getattr(self.issue.books, name))


def issue_rows(context: AdminContext, issues: Sequence[IssueDetails]) -> list[IssueRow]:
    """Return the issues for a table."""
    return [issue_row(context, issue) for issue in issues]


def issue_row(context: AdminContext, issue: IssueDetails) -> IssueRow:
    """Return the issue for a table or heading."""
    newsletter = context.app.roster.newsletter(issue.newsletter)
    state, kind = _state(issue)
    return IssueRow(
        issue,
        newsletter.title if newsletter else issue.newsletter,
        fill_name(issue.subject) or "(no subject)",
        issue_time(issue) if issue.by_hand else f"{issue_time(issue)} {issue.edition.timezone}",
        state,
        kind,
    )


def _state(issue: IssueDetails) -> tuple[str, str]:
    if issue.cancelled_at:
        return "cancelled", "bad"
    if issue.paused_at:
        return "paused", "warn"
    return ("being sent", "") if issue.books.waiting else ("finished", "good")
