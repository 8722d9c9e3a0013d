"""Digest view: a digest as the themes get it, with clean text and complete links (pure).

Themes get nothing else: no article, no edition, no raw text of a feed. The names of the fields are those of
the template variables.

Each sentence has its source and time. For a story of one article, `several` is false and themes show them
once, under the headline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from service.compose.render.inbox import SEPARATOR, preheader, preheader_padding, subject_line
from service.compose.render.links import web_link
from service.compose.render.notices import CorrectionView, unhealthy_sources, view_corrections
from service.compose.render.points import PointView, SentenceView, count_caveats
from service.compose.render.sources import SourceView
from service.compose.render.story_view import (
    SectionView,
    StoryView,
    ViewCache,
    in_sections,
    lines_of,
    view_stories,
)
from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean, reading_minutes
from service.core.archive_links import NONE
from service.core.content_ids import picture_url
from service.core.model import Digest, Picture, Placement, Site
from service.core.placeholders import NAME_IN_PHRASE, Placeholder, earlier_issue_url, name_phrase
from service.text.i18n import Localizer

SHOWN_WIDTH = 544  # CSS pixels of a picture: that of the text in the widest theme
MAX_JUDGE_CHARACTERS = 120  # a model and a host


@dataclass(frozen=True, slots=True)
class PictureView:
    """The picture of the lead: its address in the mail, the size in which it is shown, who published it.

    It shows nothing that the headline does not say, so its alternative text `alt` is empty.
    """

    url: str
    width: int
    height: int
    publisher: str
    alt: str = ""

    @classmethod
    def of(cls, picture: Picture) -> PictureView:
        """Return the view of a picture: at half of its pixels, if that fills the width."""
        width = min(picture.width, SHOWN_WIDTH)
        height = max(round(picture.height * width / picture.width), 1)
        publisher = clean(picture.publisher, MAX_TITLE_CHARACTERS)
        return cls(picture_url(picture), width, height, publisher)


@dataclass(frozen=True, slots=True)
class DigestView:
    """The values of a theme; its templates call it `page`. Placeholders are filled for each recipient.

    `stories` are all stories of the mail: the `lead` (None if there is none), those of the `sections` and the
    `shorts`, which have one line each. `more` is the number of those that are only on the web page, 0 if it
    cannot be read. `left_out` is the number of stories that are on neither.

    `subject` and `preheader` are what inboxes show; `padding` is invisible and follows the preheader.
    `counts` sums up the issue ("12 stories · 9 caveats · 4 min"), `for_name` follows it (" · for Amina";
    nothing for a recipient without a name). `caveats` is the number of caveats in all stories, `top_caveats`
    in the `top` of all stories; neither counts context. `marked` is true if a line has a label or a hint.
    `judge` names the language models or people who helped to choose key points, "" if there were none.

    `web_url` is the issue's web page, `subscribe_url` where others subscribe, `report_url` where readers
    report a wrong sentence (of a story with `#story-` and its number behind it); "" if there is no such page.
    `picture` is that of the lead, None if the newsletter shows none.
    """

    title: str
    lang: str
    direction: str
    day: str
    minutes: int
    publishers: int
    stories: tuple[StoryView, ...]
    left_out: int
    preheader: str
    site: str
    site_url: str
    sent_by: str
    issue: str
    corrections: tuple[CorrectionView, ...] = ()
    unheard: str = ""
    judge: str = ""
    caveats: int = 0
    top_caveats: int = 0
    marked: bool = False
    name: str = Placeholder.NAME.marker
    address: str = Placeholder.ADDRESS.marker
    unsubscribe_url: str = Placeholder.UNSUBSCRIBE_URL.marker
    preferences_url: str = Placeholder.PREFERENCES_URL.marker
    web_url: str = ""
    report_url: str = ""
    subscribe_url: str = ""
    subject: str = ""
    padding: str = ""
    counts: str = ""
    for_name: str = ""
    lead: StoryView | None = None
    sections: tuple[SectionView, ...] = ()
    shorts: tuple[StoryView, ...] = ()
    more: int = 0
    picture: PictureView | None = None


VIEWS = frozenset((DigestView, SectionView, StoryView, PointView, SentenceView, SourceView))
"""The types that a template gets thousands of times in an issue."""


def make_digest_view(
    digest: Digest,
    localizer: Localizer,
    *,
    title: str,
    site: Site,
    issue_id: str,
    archive: str = NONE,
    subscribe_url: str = "",
    views: ViewCache | None = None,
) -> DigestView:
    """Return the view of a digest in the language and time zone of the localizer.

    `archive` is that of the newsletter, `subscribe_url` where others subscribe, "" if they cannot.
    """
    on_web = archive != NONE
    mail = replace(digest, stories=digest.placed(Placement.LEAD, Placement.STORY, Placement.SHORT))
    on_page = len(digest.stories) - len(mail.stories)
    stories = view_stories(mail, localizer, earlier_issue_url if on_web else None, views)
    name = clean(title, MAX_TITLE_CHARACTERS)
    counted = _Counts.of(stories)
    counts = counted.text(localizer)
    shown_first = preheader(stories, counts)
    return DigestView(
        title=name,
        lang=localizer.language,
        direction=localizer.direction,
        day=localizer.full_date(digest.at),
        minutes=counted.minutes,
        publishers=len({source.publisher for story in stories for source in story.sources}),
        stories=stories,
        left_out=digest.left_out + (0 if on_web else on_page),
        preheader=shown_first,
        site=clean(site.name, MAX_TITLE_CHARACTERS),
        site_url=web_link(site.url),
        sent_by=sender_line(site),
        issue=issue_id,
        corrections=view_corrections(digest, localizer),
        unheard=unhealthy_sources(digest, localizer),
        judge=_judges(digest),
        caveats=counted.caveats,
        marked=any(line.label or line.hint for story in stories for line in lines_of(story)),
        top_caveats=sum(count_caveats(story.caveats, story.top) for story in stories),
        web_url=Placeholder.ISSUE_URL.marker if on_web else "",
        report_url=Placeholder.REPORT_URL.marker if on_web else "",
        subscribe_url=web_link(subscribe_url),
        subject=subject_line(stories, digest.stories, localizer, name),
        padding=preheader_padding(shown_first),
        counts=counts,
        for_name=name_phrase(localizer.text("for_name", name=NAME_IN_PHRASE)),
        lead=next(iter(_placed(stories, Placement.LEAD)), None),
        sections=in_sections(stories, digest),
        shorts=_placed(stories, Placement.SHORT),
        more=on_page if on_web else 0,
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the head of a mail counts; `caveats` are those of all points, without context."""

    stories: int
    caveats: int
    minutes: int

    @classmethod
    def of(cls, stories: Sequence[StoryView]) -> _Counts:
        caveats = sum(count_caveats(story.caveats, story.points) for story in stories)
        return cls(
            len(stories), caveats, reading_minutes([text for story in stories for text in _texts(story)])
        )

    def text(self, localizer: Localizer) -> str:
        """Return the counts in words: "12 stories · 9 caveats · 4 min"; "" without stories."""
        if not self.stories:
            return ""
        caveats = (localizer.text("caveats", n=self.caveats),) if self.caveats else ()
        return SEPARATOR.join(
            (
                localizer.text("stories", n=self.stories),
                *caveats,
                localizer.text("short_minutes", n=self.minutes),
            )
        )


def sender_line(site: Site) -> str:
    """Return the sender's name and postal address, without the name if the address contains it."""
    name, address = clean(site.name, MAX_TITLE_CHARACTERS), clean(site.postal_address)
    return address if name and name in address else " · ".join(part for part in (name, address) if part)


def _judges(digest: Digest) -> str:
    """Return the judges of the stories, each once; they are names from the settings or of an import."""
    judges = dict.fromkeys(judge for story in digest.stories for judge in story.judges)
    return ", ".join(clean(judge, MAX_JUDGE_CHARACTERS) for judge in judges)


def _placed(stories: Sequence[StoryView], *placements: Placement) -> tuple[StoryView, ...]:
    return tuple(story for story in stories if story.placement in placements)


def _texts(story: StoryView) -> Iterator[str]:
    yield story.headline
    for line in lines_of(story):
        yield from (line.introduction, line.text)
