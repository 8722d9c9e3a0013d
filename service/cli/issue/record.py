"""The audit record of what a person with a shell did to an issue, as the editors' pages write it."""

from __future__ import annotations

from service.app.accounts.audit import record_command
from service.app.factories.application import Application
from service.core.placeholders import Placeholder, fill
from service.core.read_models import IssueDetails


async def record_issue(app: Application, action: str, issue: IssueDetails, **details: object) -> None:
    """Store that the issue was paused, resumed, cancelled or sent again."""
    newsletter = app.roster.newsletter(issue.newsletter)
    await record_command(
        app,
        action,
        issue.id,
        newsletter=newsletter.title if newsletter else issue.newsletter,
        headline=fill(issue.subject, {Placeholder.NAME: ""}),
        due=issue.occurrence,
        **details,
    )
