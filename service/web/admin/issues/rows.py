"""Issues as tables and headings show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.app.archive.issue_page import fill_name
from service.app.forecast import issue_time
from service.core.read_models import IssueDetails
from service.web.admin.context import AdminContext


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue with the title of its newsletter, its subject without a recipient's name, and its state.

    `occurrence` is the local time that it was due at. `state` is a word, and `kind` the style of its badge.
    """

    issue: IssueDetails
    title: str
    subject: str
    occurrence: str
    state: str
    kind: str

    @property
    def lost(self) -> int:
        """The number of mails that were refused, or whose outcome is unknown."""
        return self.issue.books.refused + self.issue.books.uncertain


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
        issue_time(issue),
        state,
        kind,
    )


def _state(issue: IssueDetails) -> tuple[str, str]:
    if issue.cancelled_at:
        return "cancelled", "bad"
    if issue.paused_at:
        return "paused", "warn"
    return ("being sent", "") if issue.books.waiting else ("finished", "good")
