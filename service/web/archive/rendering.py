"""Rendering of issues: as a page, as a fragment for feeds, as Markdown and as EPUB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.app.archive.archive import ListEntry
from service.core.archive_links import NewsletterLinks
from service.text.i18n import Localizer
from service.web.archive.epub import EpubBook, EpubChapter, write_epub
from service.web.archive.responses import numbered
from service.web.pages import Pages

if TYPE_CHECKING:
    from service.app.archive.issue_page import IssuePage

CONTENT = "issue_content.html"


class IssueRenderer:
    """Renders the pages of issues with the site's templates. All methods are for a thread of their own."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def html(
        self,
        page: IssuePage,
        *,
        before: ListEntry | None = None,
        after: ListEntry | None = None,
        links: NewsletterLinks | None = None,
        sign_up: str = "",
    ) -> str:
        """Return the web page. `links` are those of the list of issues, which only a public issue has."""
        return self._pages.html(
            "issue.html",
            self.labels(page),
            page=page,
            canonical=numbered(page.links.page, page.number),
            numbered=lambda number: numbered(page.links.page, number),
            before=before,
            after=after,
            list=links,
            sign_up=sign_up,
        )

    def content(self, page: IssuePage) -> str:
        """Return what the issue says, as a fragment that is well-formed as HTML and as XML."""
        labels = self.labels(page)
        return self._pages.html(CONTENT, labels, page=page, more=labels.text("more_stories"))

    def markdown(self, pages: Sequence[IssuePage]) -> bytes:
        """Return the issue of these pages as a Markdown file in UTF-8."""
        from service.app.archive.markdown import markdown_of  # noqa: PLC0415 - with all of compose

        return markdown_of(pages, self.labels(pages[0]).text("more_stories")).encode()

    def epub(self, pages: Sequence[IssuePage]) -> bytes:
        """Return the issue of these pages as an EPUB file."""
        first = pages[0]
        chapters = [
            EpubChapter(
                self.content(page),
                tuple(
                    (f"story-{story.number}", story.headline)
                    for story in page.stories
                    if story.placement in {"lead", "story"}
                ),
            )
            for page in pages
        ]
        book = EpubBook(
            id=first.id,
            title=first.title,
            subtitle=first.day,
            language=first.lang,
            direction=first.direction,
            publisher=self._pages.site_name,
            created_at=first.created_at,
            contents=first.localizer.text("in_this_issue"),
        )
        return write_epub(book, chapters)

    def labels(self, page: IssuePage) -> Localizer:
        """Return the labels of the web pages in the language of the issue."""
        return self._pages.labels_of(page.lang)
