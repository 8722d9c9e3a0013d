"""Archive: who may read which issue on the web, its page, and the list of a newsletter's issues."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from service.app.clock import Clock
from service.app.factories.templates import template_folders
from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean
from service.core import tokens
from service.core.archive_links import (
    NONE,
    PUBLIC,
    IssueLinks,
    NewsletterLinks,
    issue_links,
    newsletter_links,
)
from service.core.model import Digest, Edition, Issue, Newsletter, Picture, Roster
from service.core.read_models import ListedIssue, StoredIssue
from service.settings.values import Settings
from service.store import issue_pictures
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.digests import SqlDigestStore
from service.store.listed_issues import SqlListedIssues
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.sign_up import open_newsletters
from service.text.i18n import Labels, localizer_for

if TYPE_CHECKING:
    from service.app.archive.issue_page import IssuePage

STORIES_PER_PAGE = 200
ISSUES_PER_PAGE = 30
_ISSUE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class ArchivedIssue:
    """An issue that a visitor may read, with its newsletter and the links to it."""

    stored: StoredIssue
    newsletter: Newsletter
    links: IssueLinks


@dataclass(frozen=True, slots=True)
class ArchivedNewsletter:
    """A newsletter whose list of issues a visitor may read, with the links to it."""

    newsletter: Newsletter
    links: NewsletterLinks


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An issue in a list: its local day (`2026-03-02`) and time (`07:00` or ""), and where it is."""

    issue: ListedIssue
    headline: str
    links: IssueLinks


@dataclass(frozen=True)
class IssueArchive:
    """The issues on the web, by the newsletters' setting `archive`. Every coroutine may raise StoreError."""

    settings: Settings
    roster: Roster
    database: Database
    clock: Clock

    async def issue(self, issue_id: str, key: str) -> ArchivedIssue | None:
        """Return the issue if the visitor may read it.

        None for an unknown issue, one of a newsletter without web pages, and a wrong `key` of a signed one.
        """
        found = await self.own_issue(issue_id)
        if found is None or found.newsletter.archive == NONE:
            return None
        is_public = found.newsletter.archive == PUBLIC
        has_key = is_public or tokens.is_signature(await self._key(), tokens.ISSUE, issue_id, key)
        return found if has_key else None

    async def own_issue(self, issue_id: str) -> ArchivedIssue | None:
        """Return the issue for the operator, whoever else may read it."""
        stored = await self._digests.issue(issue_id) if _ISSUE_ID.fullmatch(issue_id) else None
        newsletter = self.roster.newsletter(stored.newsletter) if stored else None
        if stored is None or newsletter is None:
            return None
        links = issue_links(await self._key(), self.settings.site.url, issue_id, newsletter.archive)
        return ArchivedIssue(stored, newsletter, links)

    async def page(self, issue: ArchivedIssue, number: int = 1) -> IssuePage | None:
        """Return page `number` of an issue, counted from 1; None if it has no such page."""
        from service.app.archive.issue_page import page_of_digest, page_of_mail  # noqa: PLC0415 - with all of compose

        first = max(number - 1, 0) * STORIES_PER_PAGE
        stored, edition = issue.stored, issue.stored.edition
        found = await self._digests.part(stored.id, first, STORIES_PER_PAGE)
        picture = await self.picture(issue) if first == 0 else None
        localizer = localizer_for(self._labels, edition.language, edition.timezone)
        if found is None:
            mail = await SqlDeliverStore(self.database).issue(stored.id)
            return page_of_mail(
                stored, issue.newsletter, issue.links, localizer, mail.rendered.text if mail else ""
            )
        digest, total = found
        if first >= max(total, 1):
            return None
        secret, archive = await self._key(), issue.newsletter.archive

        def issue_url(issue_id: str) -> str:
            return issue_links(secret, self.settings.site.url, issue_id, archive).page

        return await asyncio.to_thread(
            page_of_digest,
            stored,
            issue.newsletter,
            issue.links,
            localizer,
            digest,
            first=first,
            total=total,
            page_size=STORIES_PER_PAGE,
            issue_url=issue_url if archive != NONE else None,
            picture=picture,
        )

    async def page_of_preview(
        self, newsletter: Newsletter, issue: Issue, digest: Digest, edition: Edition
    ) -> IssuePage:
        """Return the page that an issue which is not recorded would have, with all its stories."""
        from service.app.archive.issue_page import page_of_digest  # noqa: PLC0415 - with all of compose

        stored = StoredIssue(issue.id, newsletter.id, issue.rendered.subject, edition, issue.created_at)
        links = issue_links(await self._key(), self.settings.site.url, issue.id, newsletter.archive)
        total = len(digest.stories)
        localizer = localizer_for(self._labels, edition.language, edition.timezone)
        return await asyncio.to_thread(
            page_of_digest,
            *(stored, newsletter, links, localizer, digest),
            first=0,
            total=total,
            page_size=max(total, 1),
        )

    async def picture(self, issue: ArchivedIssue) -> Picture | None:
        """Return the picture of an issue, None if it has none."""
        async with self.database.read() as connection:
            return await issue_pictures.of_issue(connection, issue.stored.id)

    async def pages(self, issue: ArchivedIssue, limit: int) -> Sequence[IssuePage]:
        """Return all pages of an issue, at most `limit` of them."""
        found: list[IssuePage] = []
        while len(found) < limit and (page := await self.page(issue, len(found) + 1)):
            found.append(page)
            if page.number == page.numbers:
                break
        return found

    async def newsletter(self, newsletter_id: str, key: str) -> ArchivedNewsletter | None:
        """Return the newsletter if the visitor may read the list of its issues, else None."""
        newsletter = self.roster.newsletter(newsletter_id)
        if newsletter is None or newsletter.archive == NONE:
            return None
        secret, is_public = await self._key(), newsletter.archive == PUBLIC
        has_key = is_public or tokens.is_signature(secret, tokens.ARCHIVE, newsletter_id, key)
        return self._archived(newsletter, secret) if has_key else None

    async def own_newsletters(self) -> Sequence[ArchivedNewsletter]:
        """Return the newsletters that have a list of issues on the web, with the links to it."""
        secret = await self._key()
        return [self._archived(one, secret) for one in self.roster.newsletters if one.archive != NONE]

    async def entries(
        self, newsletter: Newsletter, *, limit: int = ISSUES_PER_PAGE, offset: int = 0
    ) -> Sequence[ListEntry]:
        """Return listed issues of a newsletter, newest first, without the first `offset`."""
        found = await self._listed.latest(newsletter.id, limit=limit, offset=offset)
        secret = await self._key()
        return [self._entry(one, newsletter, secret) for one in found]

    async def count(self, newsletter: Newsletter) -> int:
        """Return the number of listed issues of a newsletter."""
        return await self._listed.count(newsletter.id)

    async def neighbours(self, issue: ArchivedIssue) -> tuple[ListEntry | None, ListEntry | None]:
        """Return the listed issues before and after a public one; (None, None) for another.

        The link to a signed issue must not open the others.
        """
        if issue.newsletter.archive != PUBLIC:
            return None, None
        before, after = await self._listed.neighbours(issue.newsletter.id, issue.stored.id)
        secret = await self._key()
        return (
            self._entry(before, issue.newsletter, secret) if before else None,
            self._entry(after, issue.newsletter, secret) if after else None,
        )

    @cached_property
    def open_ids(self) -> frozenset[str]:
        """The ids of the newsletters that everybody may subscribe to on the web."""
        return frozenset(one.id for one in open_newsletters(self.roster, self.settings.web.sign_up))

    async def sample_url(self, newsletter: Newsletter) -> str:
        """Return the address of the newsletter's latest issue, "" if it has none on the web."""
        if newsletter.archive == NONE:
            return ""
        entries = await self.entries(newsletter, limit=1)
        return entries[0].links.page if entries else ""

    def _archived(self, newsletter: Newsletter, secret: bytes) -> ArchivedNewsletter:
        links = newsletter_links(secret, self.settings.site.url, newsletter.id, newsletter.archive)
        return ArchivedNewsletter(newsletter, links)

    def _entry(self, issue: ListedIssue, newsletter: Newsletter, secret: bytes) -> ListEntry:
        from service.app.archive.issue_page import fill_name  # noqa: PLC0415 - with all of compose

        headline = clean(fill_name(issue.subject), MAX_TITLE_CHARACTERS) or newsletter.title
        links = issue_links(secret, self.settings.site.url, issue.id, newsletter.archive)
        return ListEntry(issue, headline, links)

    async def _key(self) -> bytes:
        return await SqlSubscriberStore(self.database).signing_key()

    @cached_property
    def _labels(self) -> Labels:
        from service.compose.render.theme import (  # noqa: PLC0415 - with all of compose
            DEFAULT_THEME,
            DIGEST_TEMPLATES,
            TemplateFolder,
        )

        return TemplateFolder(DIGEST_TEMPLATES, *template_folders(self.settings)).labels(DEFAULT_THEME)

    @cached_property
    def _digests(self) -> SqlDigestStore:
        return SqlDigestStore(self.database)

    @cached_property
    def _listed(self) -> SqlListedIssues:
        return SqlListedIssues(self.database)
