"""Report pages: /issues/ID/report, where readers say which sentence of an issue is wrong.

GET shows the sentences and stores nothing, because mail scanners follow links; a sentence's button POSTs.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.archive.archive import ArchivedIssue
from service.app.archive.reports import KINDS, ReportResult, Reports
from service.web.archive.issue_pages import IssuePages
from service.web.archive.responses import numbered, page_number_of
from service.web.client_ip import ClientAddresses
from service.web.pages import Pages
from service.web.request_bodies import read_form

OWN_SITE = frozenset({"", "none", "same-origin"})
"""Values of Sec-Fetch-Site of a request that no other site started; old browsers send none."""

RETRY_SECONDS = "3600"


@dataclass(frozen=True, slots=True)
class ReportPages:
    """The report page of an issue, for whoever may read the issue."""

    issues: IssuePages
    pages: Pages
    clients: ClientAddresses

    async def show(self, request: Request) -> Response:
        """List the sentences of the issue, each with its buttons."""
        issue, number = await self.issues.issue(request), page_number_of(request)
        found = await self._reports.sentences(issue, number)
        if found is None:
            raise HTTPException(404)
        return self.pages.page(
            "report.html",
            self.pages.labels_of(issue.stored.edition.language),
            newsletter=issue.newsletter,
            found=found,
            issue_url=issue.links.page,
            numbered=lambda other: numbered(issue.links.report, other),
        )

    async def act(self, request: Request) -> Response:
        """Store one report and thank for it; a repeated one changes nothing more."""
        issue = await self.issues.issue(request)
        if request.headers.get("sec-fetch-site", "") not in OWN_SITE:
            raise HTTPException(403)
        fields = await read_form(request)
        said = [(kind, sentence) for kind in KINDS for sentence in fields.get(kind, ())]
        if len(said) != 1:
            raise HTTPException(400)
        (kind, sentence) = said[0]
        result = await self._reports.record(issue, sentence, kind, self.clients.client_of(request))
        if result is ReportResult.TOO_MANY:
            raise HTTPException(429, headers={"Retry-After": RETRY_SECONDS})
        if result is ReportResult.NO_SENTENCE:
            raise HTTPException(400)
        return self._thanks(issue)

    def _thanks(self, issue: ArchivedIssue) -> Response:
        labels = self.pages.labels_of(issue.stored.edition.language)
        return self.pages.page(
            "reported.html", labels, issue_url=issue.links.page, report_url=issue.links.report
        )

    @property
    def _reports(self) -> Reports:
        return Reports(self.issues.archive)
