"""Sends: what the API asks of the house, answered by sending and the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.app import manual_send as sending
from service.core.model import ManualSend
from service.core.read_models import IssueDetails
from service.core.send_request import SendRequest
from service.web.api_ports import DryRunIssue, DryRunResult

if TYPE_CHECKING:
    from service.app.factories.application import Application


class HouseSends:
    """The Sends of service/web."""

    def __init__(self, house: Application) -> None:
        self._house = house

    async def send(self, wanted: SendRequest) -> ManualSend:
        """Plan what is wanted, or return what was planned for it before. Raises UsageError."""
        return await sending.send(self._house, wanted)

    async def try_out(self, wanted: SendRequest) -> DryRunResult:
        """Return what a send would do; nothing is recorded. Raises UsageError."""
        recipients = await sending.recipients_of(self._house, wanted)
        report = await sending.dry_run(self._house, wanted, recipients)
        drafts = tuple(
            DryRunIssue(p.issue.rendered.subject, p.subscribers, p.stories) for p in report.planned
        )
        return DryRunResult(drafts, report.nothing_new, recipients.left_out, report.problems)

    async def issues(self, newsletter: str | None, limit: int) -> Sequence[IssueDetails]:
        """Return the last issues with their books, newest first; of one newsletter, or of all."""
        return await self._house.overview.issues(newsletter, limit=limit)

    async def issue(self, issue_id: str) -> IssueDetails | None:
        """Return an issue with its books."""
        found = await self._house.overview.issues_by_prefix(issue_id)
        return next((line for line in found if line.id == issue_id), None)

    async def pause(self, issue_id: str) -> None:
        """Stop sending an issue until it is resumed."""
        await sending.pause(self._house, [issue_id])

    async def resume(self, issue_id: str) -> None:
        """Let an issue go on."""
        await sending.resume(self._house, [issue_id])
