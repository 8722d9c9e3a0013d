"""Drafts: the articles of a document's entries, as their feed gives them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.core.ids import article_id
from service.core.model import Block, Entry, Feed
from service.gather.cleaning.block_text import NO_TEXT, BlockText
from service.gather.cleaning.characters import one_line
from service.gather.cleaning.titles import title_of_text
from service.gather.entries.categories import mapped_topics
from service.gather.entries.match import AmbiguousNames, DocumentItem
from service.gather.entries.publisher import repeats_title, source_name, without_publisher
from service.gather.entries.seen_items import FeedStatistics, SeenItem
from service.gather.entries.teasers import needs_full_text
from service.gather.language import detect_language
from service.gather.web_addresses import safe_web_url


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """Where a document comes from: its feed, what is remembered of the feed, and the response's headers."""

    feed: Feed
    seen_items: str
    url: str
    content_type: str
    now: datetime
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article as its feed gives it. `needs_full_text`: it is a teaser, so its page should be fetched.

    `cut` says why a limit left out a part of the text, "" when none did. `unused_page` says why its page was
    not used, "" when it was, or when nothing is missed without it. `feed_rank` is its place in the document,
    0 for the first item. `topics` are those of its categories, which say more of
    the item, before those of its feed.
    """

    id: str
    url: str
    title: str
    text: str
    language: str
    publisher: str
    published_at: datetime | None
    published_day_only: bool = False
    needs_full_text: bool = False
    blocks: tuple[Block, ...] = ()
    cut: str = ""
    unused_page: str = ""
    feed_rank: int | None = None
    topics: tuple[str, ...] = ()
    picture: str = ""

    @property
    def text_note(self) -> str:
        """Why the text is not all of the article, as a phrase for people; "" for nothing."""
        cut = f"its text was cut: {self.cut}" if self.cut else ""
        page = f"its page was not used: {self.unused_page}" if self.unused_page else ""
        return "; ".join(filter(None, (cut, page)))


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the document: the fingerprint of its bytes, and its content unless it was seen before."""

    raw: str
    entry: Entry | None = None
    known: SeenItem | None = None
    read: BlockText = NO_TEXT
    title: str = ""
    cut: bool = False

    @property
    def text(self) -> str:
        """The item's text."""
        return self.read.text


@dataclass(frozen=True, slots=True)
class DraftBuilder:
    """Builds the drafts of one document. Ambiguous guids and links belong to several of its items."""

    context: DocumentContext
    statistics: FeedStatistics
    ambiguous: AmbiguousNames
    language: str
    feed_title: str

    def draft(self, row: Row, document_item: DocumentItem, rank: int) -> ArticleDraft:
        """Return the article draft of one item; `rank` is its place in the document."""
        feed, item = self.context.feed, document_item.item
        entry = row.entry or Entry("", "", "", "")
        url = safe_web_url(entry.url)
        source = source_name(entry, feed, self.feed_title, self.context.url)
        full_title = row.title or one_line(row.text, 100)
        made = "" if row.title else title_of_text(row.text, feed.language or "")
        title = made or without_publisher(full_title, source)
        repeats = repeats_title(row.text, title, source)
        guid = entry.guid if item.guid not in self.ambiguous[0] else ""
        page = url if item.link and item.link not in self.ambiguous[1] else ""
        incomplete = needs_full_text(
            feed.full_text, row.text, cut=row.cut, short=self.statistics.short, judged=self.statistics.judged
        )
        return ArticleDraft(
            id=article_id(feed.id, guid, page, f"{full_title}\n{item.words}"),
            url=url,
            title=title,
            text="" if repeats else row.text,
            blocks=() if repeats else row.read.blocks,
            language=feed.language or detect_language(f"{title}. {row.text}", self.language),
            publisher=source or feed.name,
            published_at=document_item.published_at,
            published_day_only=document_item.day_only,
            needs_full_text=bool(incomplete and url),
            cut=row.read.cut,
            feed_rank=rank,
            topics=tuple(dict.fromkeys((*mapped_topics(feed.categories, entry.categories), *feed.topics))),
            picture=entry.picture,
        )


def unique_drafts(drafts: Sequence[ArticleDraft]) -> tuple[ArticleDraft, ...]:
    """Return the drafts with a title or text, each article once."""
    return tuple({draft.id: draft for draft in drafts if draft.title or draft.text}.values())
