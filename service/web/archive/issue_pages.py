"""Issue pages: /issues/ID, its downloads as Markdown and EPUB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.archive.archive import ArchivedIssue, IssueArchive, ListEntry
from service.core.archive_links import PUBLIC, sign_up_url
from service.web.archive.epub import MIME_TYPE
from service.web.archive.rendering import IssueRenderer
from service.web.archive.responses import RenderedBodies, cacheable, key_of, page_number_of

if TYPE_CHECKING:
    from service.app.archive.issue_page import IssuePage

MAX_DOWNLOAD_PAGES = 5  # of 200 stories each; the web page has the others
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class IssuePages:
    """The pages of single issues. A wrong key, an unknown issue and one without a page look the same: 404."""

    archive: IssueArchive
    renderer: IssueRenderer
    bodies: RenderedBodies = field(default_factory=RenderedBodies)

    async def show(self, request: Request) -> Response:
        """Show an issue, or one part of a long one."""
        issue, number = await self.issue(request), page_number_of(request)
        around = await self.archive.neighbours(issue)
        name = (issue.stored.id, HTML, number, issue.links.page, *(one and one.issue.id for one in around))
        body = self.bodies.get(name) or await self._rendered(issue, number, around, name)
        return self._response(request, issue, body, HTML)

    async def markdown(self, request: Request) -> Response:
        """Return the issue as a Markdown file."""
        return await self._download(request, "md", "text/markdown", self.renderer.markdown)

    async def epub(self, request: Request) -> Response:
        """Return the issue as an EPUB file."""
        return await self._download(request, "epub", MIME_TYPE, self.renderer.epub)

    async def picture(self, request: Request) -> Response:
        """Return the picture of the issue, as its mail has it."""
        issue = await self.issue(request)
        picture = await self.archive.picture(issue)
        if picture is None:
            raise HTTPException(404)
        return self._response(request, issue, picture.data, "image/jpeg")

    async def issue(self, request: Request) -> ArchivedIssue:
        """Return the issue that the URL names, if the visitor may read it. Raises HTTPException 404, 410."""
        found = await self.archive.issue(request.path_params["issue"], key_of(request))
        if found is None:
            raise HTTPException(404)
        if found.stored.is_withdrawn:
            raise HTTPException(410)
        return found

    async def _rendered(
        self,
        issue: ArchivedIssue,
        number: int,
        around: tuple[ListEntry | None, ListEntry | None],
        name: Hashable,
    ) -> bytes:
        page = await self.archive.page(issue, number)
        if page is None:
            raise HTTPException(404)
        settings = self.archive.settings
        newsletter = issue.newsletter.id
        is_public = issue.newsletter.archive == PUBLIC
        found = await self.archive.newsletter(newsletter, "") if is_public else None
        html = await asyncio.to_thread(
            self.renderer.html,
            page,
            before=around[0],
            after=around[1],
            links=found.links if found else None,
            sign_up=sign_up_url(settings.site.url, newsletter) if newsletter in self.archive.open_ids else "",
        )
        return self.bodies.put(name, html.encode())

    async def _download(
        self, request: Request, ending: str, media_type: str, write: Callable[[Sequence[IssuePage]], bytes]
    ) -> Response:
        issue = await self.issue(request)
        name = (issue.stored.id, ending, issue.links.page)
        body = self.bodies.get(name)
        if body is None:
            pages = await self.archive.pages(issue, MAX_DOWNLOAD_PAGES)
            body = self.bodies.put(name, await asyncio.to_thread(write, pages))
        disposition = f'attachment; filename="{issue.newsletter.id}-{issue.stored.id[:8]}.{ending}"'
        return self._response(request, issue, body, media_type, {"Content-Disposition": disposition})

    def _response(
        self,
        request: Request,
        issue: ArchivedIssue,
        body: bytes,
        media_type: str,
        headers: dict[str, str] | None = None,
    ) -> Response:
        return cacheable(
            request,
            body,
            media_type,
            is_public=issue.newsletter.archive == PUBLIC,
            headers=headers,
        )
