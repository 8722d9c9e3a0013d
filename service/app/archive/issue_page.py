"""Issue page: an issue as its web page and its files show it, with nothing of a recipient (pure).

It is made from the stored digest. An issue from before digests were stored has the text of its mail instead,
without the paragraphs that hold a recipient's own values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from service.compose.render.links import web_link
from service.compose.render.notices import CorrectionView, unhealthy_sources, view_corrections
from service.compose.render.story_view import (
    StoryView,
    lines_of,
    section_title,
    view_stories,
)
from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean, shorten
from service.compose.render.view import PictureView
from service.core.archive_links import PUBLIC, IssueLinks
from service.core.model import Digest, Newsletter, Picture, Placement, Story
from service.core.placeholders import MARKER, Placeholder, fill
from service.core.read_models import StoredIssue
from service.text.i18n import Localizer, text_direction

MAX_DESCRIPTION_CHARACTERS = 280  # what previews of shared links show at most
MAX_MAIL_CHARACTERS = 400_000  # of a mail's text; a digest of 102 kB has less
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_URL = re.compile(r"https?://[!-~]{1,2000}")
_BLANK_LINES = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class StoryGroup:
    """Adjacent stories under one heading. `kind` is `lead`, `section`, `short` or `web`.

    `title` is the topic of a section, "" for a group without a heading of its own.
    """

    kind: str
    title: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A part of a line of the mail's text; `url` is "" unless it is a link."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class IssuePage:
    """The issue, or one part of its stories: page `number` of `numbers`, counted from 1.

    `lang` and `direction` are those of the edition. `description` is the text for previews of shared links.
    `mail` are the lines of the mail's text in paragraphs, for an issue without a stored digest. `localizer`
    has the labels of the digest themes.
    """

    id: str
    newsletter: str
    title: str
    day: str
    lang: str
    direction: str
    headline: str
    description: str
    created_at: datetime
    links: IssueLinks
    is_public: bool
    localizer: Localizer
    groups: tuple[StoryGroup, ...] = ()
    corrections: tuple[CorrectionView, ...] = ()
    unheard: str = ""
    judge: str = ""
    left_out: int = 0
    total: int = 0
    number: int = 1
    numbers: int = 1
    mail: tuple[tuple[tuple[TextPiece, ...], ...], ...] = ()
    picture: PictureView | None = None

    @property
    def stories(self) -> tuple[StoryView, ...]:
        """All stories of this part, in their order."""
        return tuple(story for group in self.groups for story in group.stories)

    @property
    def marked(self) -> bool:
        """Whether a sentence has a label or a hint, which the page explains."""
        return any(line.label or line.hint for story in self.stories for line in lines_of(story))


def page_of_digest(
    stored: StoredIssue,
    newsletter: Newsletter,
    links: IssueLinks,
    localizer: Localizer,
    digest: Digest,
    *,
    first: int,
    total: int,
    page_size: int,
    issue_url: Callable[[str], str] | None = None,
    picture: Picture | None = None,
) -> IssuePage:
    """Return the page of these stories, which begin at index `first` of all `total` stories.

    `issue_url` returns the address of the web page of an earlier issue (id), None without web pages.
    `picture` is that of the lead.
    """
    stories = [replace(one, number=one.number + first) for one in view_stories(digest, localizer, issue_url)]
    is_first = first == 0
    headlines = [story.headline for story in stories]
    subject = clean(fill_name(stored.subject), MAX_TITLE_CHARACTERS)
    base = _base(stored, newsletter, links, localizer, digest.at)
    return replace(
        base,
        picture=replace(PictureView.of(picture), url=links.picture) if picture else None,
        headline=(headlines[0] if headlines and is_first else subject) or base.title,
        description=shorten(
            " · ".join(story.marked_headline for story in stories), MAX_DESCRIPTION_CHARACTERS
        ),
        groups=_groups(stories, digest.stories),
        corrections=view_corrections(digest, localizer) if is_first else (),
        unheard=unhealthy_sources(digest, localizer) if is_first else "",
        judge=", ".join(dict.fromkeys(clean(name) for story in digest.stories for name in story.judges)),
        left_out=digest.left_out,
        total=total,
        number=first // page_size + 1,
        numbers=max(1, -(-total // page_size)),
    )


def one_page(pages: Sequence[IssuePage]) -> IssuePage:
    """Return all stories of an issue as one page, for a file."""
    groups = tuple(group for page in pages for group in page.groups)
    return replace(pages[0], groups=groups, number=1, numbers=1)


def page_of_mail(
    stored: StoredIssue, newsletter: Newsletter, links: IssueLinks, localizer: Localizer, text: str
) -> IssuePage:
    """Return the page of an issue without a stored digest, from the plain text of its mail."""
    page = _base(stored, newsletter, links, localizer, stored.created_at)
    return replace(page, mail=public_paragraphs(text))


def public_paragraphs(text: str) -> tuple[tuple[tuple[TextPiece, ...], ...], ...]:
    """Return the paragraphs of a mail's text as lines, without those that hold a recipient's values.

    A greeting loses the name only.
    """
    clean_text = _CONTROLS.sub("", fill_name(text[:MAX_MAIL_CHARACTERS]))
    paragraphs = _BLANK_LINES.split(clean_text)
    return tuple(
        tuple(_pieces(line.rstrip()) for line in paragraph.strip("\n").split("\n"))
        for paragraph in paragraphs
        if paragraph.strip() and not MARKER.search(paragraph)
    )


def fill_name(text: str) -> str:
    """Return the text of a mail without the recipient's name."""
    return fill(text, {Placeholder.NAME: ""})


def _base(
    stored: StoredIssue, newsletter: Newsletter, links: IssueLinks, localizer: Localizer, at: datetime
) -> IssuePage:
    subject = clean(fill_name(stored.subject), MAX_TITLE_CHARACTERS)
    title = clean(newsletter.title, MAX_TITLE_CHARACTERS)
    return IssuePage(
        id=stored.id,
        newsletter=newsletter.id,
        title=title,
        day=localizer.full_date(at),
        lang=localizer.language,
        direction=text_direction(localizer.language),
        headline=subject or title,
        description=subject,
        created_at=stored.created_at,
        links=links,
        is_public=newsletter.archive == PUBLIC,
        localizer=localizer,
    )


def _groups(views: Sequence[StoryView], stories: Sequence[Story]) -> tuple[StoryGroup, ...]:
    pairs = zip(views, stories, strict=True)
    return tuple(
        StoryGroup(kind, title, tuple(view for view, _ in found))
        for (kind, title), found in groupby(pairs, key=lambda pair: _group_of(pair[1]))
    )


def _group_of(story: Story) -> tuple[str, str]:
    if story.placement is Placement.STORY:
        return "section", section_title(story)
    return story.placement.value, ""


def _pieces(line: str) -> tuple[TextPiece, ...]:
    """Return the line with its web addresses as links."""
    pieces, start = [], 0
    for found in _URL.finditer(line):
        if url := web_link(found[0]):
            pieces += [TextPiece(line[start : found.start()]), TextPiece(found[0], url)]
            start = found.end()
    return tuple(piece for piece in (*pieces, TextPiece(line[start:])) if piece.text)
