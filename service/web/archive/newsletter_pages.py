"""Newsletter pages: the list of a newsletter's issues, as a page, as RSS and as JSON Feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.app.archive.archive import ISSUES_PER_PAGE, ArchivedNewsletter, ListEntry
from service.core.archive_links import PUBLIC, sign_up_url
from service.web.archive import feeds
from service.web.archive.feeds import FeedItem
from service.web.archive.issue_pages import IssuePages
from service.web.archive.responses import cacheable, key_of, numbered, page_number_of
from service.web.pages import Pages

FEED_ISSUES = 20  # in a feed
MAX_CONTENT_CHARACTERS = 200_000  # of one issue in a feed; a longer one is linked


@dataclass(frozen=True, slots=True)
class NewsletterPages:
    """The list of a newsletter's issues. A wrong key and an unknown newsletter look the same: 404."""

    issues: IssuePages
    pages: Pages

    async def show(self, request: Request) -> Response:
        """Show a page of the list, newest first."""
        found, number = await self._newsletter(request), page_number_of(request)
        newsletter, archive = found.newsletter, self.issues.archive
        entries = await archive.entries(newsletter, offset=(number - 1) * ISSUES_PER_PAGE)
        total = await archive.count(newsletter)
        if number > 1 and not entries:
            raise HTTPException(404)
        numbers = max(1, -(-total // ISSUES_PER_PAGE))
        labels = self.pages.labels_of(newsletter.language)
        days = {one.issue.day: labels.full_day(date.fromisoformat(one.issue.day)) for one in entries}
        settings, is_public = archive.settings, newsletter.archive == PUBLIC
        body = self.pages.html(
            "issues.html",
            labels,
            newsletter=newsletter,
            links=found.links,
            canonical=numbered(found.links.page, number),
            is_public=is_public,
            entries=entries,
            days=days,
            number=number,
            numbers=numbers,
            newer=numbered(found.links.page, number - 1) if number > 1 else "",
            older=numbered(found.links.page, number + 1) if number < numbers else "",
            sign_up=sign_up_url(settings.site.url, newsletter.id)
            if newsletter.id in self.issues.archive.open_ids
            else "",
        )
        return cacheable(
            request, body.encode(), "text/html", is_public=is_public, changed_at=_newest(entries)
        )

    async def rss(self, request: Request) -> Response:
        """Return the latest issues as RSS 2.0."""
        return await self._feed(request, feeds.RSS_TYPE, feeds.rss)

    async def json(self, request: Request) -> Response:
        """Return the latest issues as JSON Feed 1.1."""
        return await self._feed(request, feeds.JSON_TYPE, feeds.json_feed)

    async def _newsletter(self, request: Request) -> ArchivedNewsletter:
        found = await self.issues.archive.newsletter(request.path_params["newsletter"], key_of(request))
        if found is None:
            raise HTTPException(404)
        return found

    async def _feed(
        self,
        request: Request,
        media_type: str,
        write: Callable[[ArchivedNewsletter, str, Sequence[FeedItem]], bytes],
    ) -> Response:
        found = await self._newsletter(request)
        entries = await self.issues.archive.entries(found.newsletter, limit=FEED_ISSUES)
        items = [await self._item(entry) for entry in entries]
        body = await asyncio.to_thread(write, found, self.pages.site_name, items)
        is_public = found.newsletter.archive == PUBLIC
        return cacheable(request, body, media_type, is_public=is_public, changed_at=_newest(entries))

    async def _item(self, entry: ListEntry) -> FeedItem:
        """Return an issue as an item of a feed, with everything that it says unless that is too long."""
        bodies, archive = self.issues.bodies, self.issues.archive
        name = (entry.issue.id, "content", entry.links.page)
        content = bodies.get(name)
        if content is None:
            issue = await archive.own_issue(entry.issue.id)
            page = await archive.page(issue) if issue else None
            html = await asyncio.to_thread(self.issues.renderer.content, page) if page else ""
            content = bodies.put(name, html.encode() if len(html) <= MAX_CONTENT_CHARACTERS else b"")
        return FeedItem(
            entry.issue.id, entry.links.page, entry.headline, entry.issue.created_at, content.decode()
        )


def _newest(entries: Sequence[ListEntry]) -> datetime | None:
    return max((entry.issue.created_at for entry in entries), default=None)
