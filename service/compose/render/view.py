"""Digest view: a digest as the themes get it, with clean text and complete links (pure).

Themes get nothing else: no article, no edition, no raw text of a feed. The names of the fields are those of
the template variables.

Each sentence has its source and time. For a story of one article, `several` is false and themes show them
once, under the headline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.compose.render.links import sentence_link, web_link
from service.compose.render.points import (
    PointView,
    SentenceView,
    count_caveats,
    longest_sentence,
    view_points,
)
from service.compose.render.sources import (
    MAX_NAME_CHARACTERS,
    SourceView,
    listed_publishers,
    other_articles,
    publisher_sources,
)
from service.compose.render.text_cleaning import (
    MAX_TITLE_CHARACTERS,
    clean,
    reading_minutes,
    shorten,
)
from service.compose.render.times import newest_dated, publication_label
from service.compose.stories.shortening import top_points
from service.core.archive_links import NONE
from service.core.model import Article, Digest, Placement, SentenceChange, Site, SourceHealth, Story
from service.core.placeholders import Placeholder
from service.text.i18n import Localizer, text_direction
from service.text.languages import primary_language

CONTENTS_CHARACTERS = 480
MIN_HEADLINE_CHARACTERS, MAX_HEADLINE_CHARACTERS = 40, 64
MAX_PREHEADER_CHARACTERS = 180
MAX_JUDGE_CHARACTERS = 120  # a model and a host
MAX_STORY_BYTES = 14_000
MAX_CORRECTIONS_BYTES = 8_000
MAX_UNHEALTHY_SOURCES = 5
MIN_SENTENCE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story. `lang` is "" if it is the digest's language; `told_by` lists the publishers.

    `time` is that of the newest article, "" if none has a date; `several` is true for several articles.
    `caveats` qualify the headline. `top` is what a short theme shows of the points: those chosen first,
    which cannot be separated, and the caveats of the story. `sources` has one article per publisher,
    `others` all but the first article; `unnamed` is the number of those that do not fit.
    """

    number: int
    headline: str
    short: str
    url: str
    lang: str
    direction: str
    time: str
    told_by: str
    several: bool
    update: bool
    caveats: tuple[SentenceView, ...]
    points: tuple[PointView, ...]
    sources: tuple[SourceView, ...]
    others: tuple[SourceView, ...] = ()
    unnamed: int = 0
    top: tuple[PointView, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A sentence that was sent, and the one in its place `now`, "" if it was removed."""

    told: str
    now: str
    url: str


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """An article that was edited after it was sent; `time` is that of the edit, `lang` as in a story."""

    headline: str
    url: str
    publisher: str
    time: str
    lang: str
    direction: str
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """The values of a theme; its templates call it `page`. Placeholders are filled for each recipient.

    `caveats` is the number of caveats in all stories, `top_caveats` in the `top` of all stories; neither
    counts context. `marked` is true if a line has a label or a hint. `judge` names the language models or
    people who helped to choose key points, "" if there were none. `web_url` is the issue's web page,
    `report_url` where readers report a wrong sentence, `subscribe_url` where others subscribe; each is "" if
    there is no such page.
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


def make_digest_view(
    digest: Digest,
    localizer: Localizer,
    *,
    title: str,
    site: Site,
    issue_id: str,
    archive: str = NONE,
    subscribe_url: str = "",
) -> DigestView:
    """Return the view of a digest in the language and time zone of the localizer."""
    on_web = archive != NONE
    detailed = digest.placed(Placement.LEAD, Placement.STORY)
    # With more stories, each is shorter in the table of contents, to keep that to a few lines.
    short = max(
        MIN_HEADLINE_CHARACTERS,
        min(MAX_HEADLINE_CHARACTERS, CONTENTS_CHARACTERS // max(len(detailed), 1)),
    )
    stories = tuple(
        _story(story, number, short, digest, localizer) for number, story in enumerate(detailed, start=1)
    )
    return DigestView(
        title=clean(title, MAX_TITLE_CHARACTERS),
        lang=localizer.language,
        direction=localizer.direction,
        day=localizer.full_date(digest.at),
        minutes=reading_minutes([text for story in stories for text in _texts(story)]),
        publishers=len({source.publisher for story in stories for source in story.sources}),
        stories=stories,
        left_out=len(digest.stories) - len(detailed) + digest.left_out,
        preheader=_preheader(stories),
        site=clean(site.name, MAX_TITLE_CHARACTERS),
        site_url=web_link(site.url),
        sent_by=sender_line(site),
        issue=issue_id,
        corrections=_corrections(digest, localizer),
        unheard=_unhealthy_sources(digest, localizer),
        judge=_judges(digest),
        caveats=sum(count_caveats(story.caveats, story.points) for story in stories),
        marked=any(line.label or line.hint for story in stories for line in _lines(story)),
        top_caveats=sum(count_caveats(story.caveats, story.top) for story in stories),
        web_url=Placeholder.ISSUE_URL.marker if on_web else "",
        report_url=Placeholder.REPORT_URL.marker if on_web else "",
        subscribe_url=web_link(subscribe_url),
    )


def sender_line(site: Site) -> str:
    """Return the sender's name and postal address, without the name if the address contains it."""
    name, address = clean(site.name, MAX_TITLE_CHARACTERS), clean(site.postal_address)
    return address if name and name in address else " · ".join(part for part in (name, address) if part)


def _preheader(stories: Sequence[StoryView]) -> str:
    """Return the text that inboxes show after the subject: the other headlines, or the point chosen first.

    The point is shown with its caveats.
    """
    lines = [story.headline for story in stories[1:]]
    first = [point for story in stories for point in story.top[:1]]
    lines = lines or [line.plain for point in first for line in (point.line, *point.caveats)]
    return shorten(" · ".join(lines), MAX_PREHEADER_CHARACTERS)


def _story(story: Story, number: int, short: int, digest: Digest, localizer: Localizer) -> StoryView:
    lead, at = story.articles[0], digest.at
    shown = {point.article.id for point in story.points}
    others = other_articles(story.articles, at, localizer, shown=shown, compact=digest.compact)
    headline = clean(story.headline, MAX_TITLE_CHARACTERS) or localizer.text("untitled")
    newest = newest_dated(story.articles)
    language = _foreign_language(lead, localizer)
    caveats, points = view_points(story.points, newest.effective_published_at, localizer)
    _, top = view_points(top_points(story.points), newest.effective_published_at, localizer)
    return StoryView(
        number=number,
        headline=headline,
        short=shorten(headline, short),
        url=web_link(lead.url),
        lang=language,
        direction=text_direction(lead.language) if language else localizer.direction,
        time=publication_label(newest, at, localizer),
        told_by=listed_publishers(story.publishers, localizer),
        several=len(story.articles) > 1,
        update=story.is_update,
        caveats=caveats,
        points=points,
        sources=publisher_sources(story.articles, at, localizer),
        others=others.named,
        unnamed=others.unnamed,
        top=top,
    )


def _corrections(digest: Digest, localizer: Localizer) -> tuple[CorrectionView, ...]:
    pairs = [(change.sent, change.current) for found in digest.corrections for change in found.changes]
    longest = longest_sentence([line.text for pair in pairs for line in pair if line], MAX_CORRECTIONS_BYTES)
    return tuple(
        CorrectionView(
            headline=clean(found.article.title, MAX_TITLE_CHARACTERS) or localizer.text("untitled"),
            url=web_link(found.article.url),
            publisher=clean(found.article.publisher, MAX_NAME_CHARACTERS),
            time=localizer.time(found.edit.at, digest.at),
            lang=_foreign_language(found.article, localizer),
            direction=text_direction(found.article.language)
            if _foreign_language(found.article, localizer)
            else localizer.direction,
            changes=tuple(_change(change, found.article, longest) for change in found.changes),
        )
        for found in digest.corrections
    )


def _change(change: SentenceChange, article: Article, longest: int) -> ChangeView:
    if change.current is None:
        return ChangeView(clean(change.sent.text, longest), "", "")
    url = sentence_link(article.url, change.current.text)
    return ChangeView(clean(change.sent.text, longest), clean(change.current.text, longest), url)


def _unhealthy_sources(digest: Digest, localizer: Localizer) -> str:
    """Return the first unhealthy sources and the number of the others, "" if all are healthy."""
    names = [_with_day(source, digest.at, localizer) for source in digest.unhealthy_sources]
    listed = ", ".join(names[:MAX_UNHEALTHY_SOURCES])
    more = len(names) - MAX_UNHEALTHY_SOURCES
    return localizer.text("and_more", listed=listed, n=more) if more > 0 else listed


def _judges(digest: Digest) -> str:
    """Return the judges of the stories, each once; they are names from the settings or of an import."""
    judges = dict.fromkeys(
        judge for story in digest.placed(Placement.LEAD, Placement.STORY) for judge in story.judges
    )
    return ", ".join(clean(judge, MAX_JUDGE_CHARACTERS) for judge in judges)


def _with_day(source: SourceHealth, at: datetime, localizer: Localizer) -> str:
    """Return the name of the source, with the day on which it was last healthy, if there is one."""
    name = clean(source.name, MAX_NAME_CHARACTERS)
    if source.last_healthy_at is None:
        return name
    return localizer.text("since", name=name, day=localizer.short_date(source.last_healthy_at, at))


def _foreign_language(article: Article, localizer: Localizer) -> str:
    """Return the article's language, "" if it is that of the digest."""
    language = primary_language(article.language)
    return "" if language in {"", primary_language(localizer.language)} else language


def _texts(story: StoryView) -> Iterator[str]:
    yield story.headline
    for line in _lines(story):
        yield from (line.introduction, line.text)


def _lines(story: StoryView) -> Iterator[SentenceView]:
    yield from story.caveats
    for point in story.points:
        yield from (point.line, *point.caveats)
