"""The page: a digest as the themes see it, clean text and finished links (pure).

Themes get nothing else: no article, no edition, no raw text from a feed.

Every line knows its source and time. Where all of a story comes from one article they would say the same
behind every sentence, so `several` tells the themes to say it once, under the headline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from service.compose.render.labels import Wording, direction_of, primary
from service.compose.render.links import sentence_link, web_link
from service.compose.render.text_cleaning import (
    LONGEST_SENTENCE,
    LONGEST_TITLE,
    clean,
    reading_minutes,
    shorten,
)
from service.compose.size_budget import encoded
from service.core.model import Article, Change, Digest, Role, Site, Standing, Story, StoryPoint
from service.core.placeholders import Place

CONTENTS = 480
SHORTEST_HEADLINE, SHORT_HEADLINE = 40, 64
LONGEST_NAME = 48
PREHEADER = 180
NAMED_PUBLISHERS = 3
MOST_SOURCES = 5
HEAVIEST_STORY = 14_000
HEAVIEST_CORRECTIONS = 8_000
MOST_UNHEARD = 5
SHORTEST_SENTENCE = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with where it comes from; `url` leads to it on the publisher's page, or is empty."""

    text: str
    source: str
    time: str
    url: str


@dataclass(frozen=True, slots=True)
class Point:
    """A key point with what qualifies it: caveats are marked as such, context lines are not."""

    line: Line
    caveats: tuple[Line, ...]
    context: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One publisher's article of a story."""

    publisher: str
    title: str
    time: str
    url: str


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story on the page. `lang` is empty when it is the page's own; `told_by` names its publishers.

    `time` is that of its newest article. `several` tells whether there is more than one.
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
    points: tuple[Point, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A sentence that readers were told, and what stands there `now`; an empty one where nothing does."""

    told: str
    now: str
    url: str


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """An article that was changed after it was told. `time` is when that was seen, `lang` as in a story."""

    headline: str
    url: str
    publisher: str
    time: str
    lang: str
    direction: str
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that a theme can show. The four places are filled in for each recipient later."""

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
    name: str = Place.NAME.mark
    address: str = Place.ADDRESS.mark
    unsubscribe_url: str = Place.UNSUBSCRIBE_URL.mark
    preferences_url: str = Place.PREFERENCES_URL.mark


def make_page(digest: Digest, wording: Wording, *, title: str, site: Site, issue_id: str) -> Page:
    """Return the page of a digest in the reader's language and zone."""
    # The more stories, the shorter each in the table of contents, so that it stays a few lines.
    short = max(SHORTEST_HEADLINE, min(SHORT_HEADLINE, CONTENTS // max(len(digest.stories), 1)))
    stories = tuple(
        _story(story, number, short, digest.at, wording)
        for number, story in enumerate(digest.stories, start=1)
    )
    return Page(
        title=clean(title, LONGEST_TITLE),
        lang=wording.language,
        direction=wording.direction,
        day=wording.day(digest.at),
        minutes=reading_minutes([text for story in stories for text in _texts(story)]),
        publishers=len({source.publisher for story in stories for source in story.sources}),
        stories=stories,
        left_out=digest.left_out,
        preheader=_preheader(stories),
        site=clean(site.name, LONGEST_TITLE),
        site_url=web_link(site.url),
        sent_by=sent_by(site),
        issue=issue_id,
        corrections=_corrections(digest, wording),
        unheard=_unheard(digest, wording),
    )


def sent_by(site: Site) -> str:
    """Return the sender with their postal address, the name only once."""
    name, address = clean(site.name, LONGEST_TITLE), clean(site.postal_address)
    return address if name and name in address else " · ".join(part for part in (name, address) if part)


def _preheader(stories: Sequence[StoryView]) -> str:
    """Return what an inbox shows behind the subject, the first headline: the others, or its first point."""
    lines = [story.headline for story in stories[1:]]
    lines = lines or [point.line.text for story in stories for point in story.points[:1]]
    return shorten(" · ".join(lines), PREHEADER)


def _story(story: Story, number: int, short: int, at: datetime, wording: Wording) -> StoryView:
    lead = story.articles[0]
    headline = clean(story.headline, LONGEST_TITLE) or wording.say("untitled")
    newest = max(article.moment for article in story.articles)
    foreign = _foreign(lead, wording)
    return StoryView(
        number=number,
        headline=headline,
        short=shorten(headline, short),
        url=web_link(lead.url),
        lang=foreign,
        direction=direction_of(lead.language) if foreign else wording.direction,
        time=wording.moment(newest, at),
        told_by=_told_by(story.publishers, wording),
        several=len(story.articles) > 1,
        update=story.update,
        points=_points(story.points, newest, wording),
        sources=tuple(islice(_sources(story.articles, at, wording), MOST_SOURCES)),
    )


def _told_by(publishers: Sequence[str], wording: Wording) -> str:
    """Return the first publishers by name and the rest as a number."""
    names = [clean(name, LONGEST_NAME) for name in publishers]
    listed = ", ".join(names[:NAMED_PUBLISHERS])
    more = len(names) - NAMED_PUBLISHERS
    return wording.say("and_more", listed=listed, n=more) if more > 0 else listed


def _sources(articles: Sequence[Article], at: datetime, wording: Wording) -> Iterator[Source]:
    """Yield one source for each publisher, the first of its articles."""
    seen: set[str] = set()
    for article in articles:
        if article.publisher not in seen:
            seen.add(article.publisher)
            yield Source(
                clean(article.publisher, LONGEST_NAME),
                clean(article.title, LONGEST_TITLE),
                wording.moment(article.moment, at),
                web_link(article.url),
            )


def _corrections(digest: Digest, wording: Wording) -> tuple[CorrectionView, ...]:
    pairs = [(change.told, change.now) for found in digest.corrections for change in found.changes]
    longest = _longest_sentence([line.text for pair in pairs for line in pair if line], HEAVIEST_CORRECTIONS)
    return tuple(
        CorrectionView(
            headline=clean(found.article.title, LONGEST_TITLE) or wording.say("untitled"),
            url=web_link(found.article.url),
            publisher=clean(found.article.publisher, LONGEST_NAME),
            time=wording.moment(found.edit.at, digest.at),
            lang=_foreign(found.article, wording),
            direction=direction_of(found.article.language)
            if _foreign(found.article, wording)
            else wording.direction,
            changes=tuple(_change(change, found.article, longest) for change in found.changes),
        )
        for found in digest.corrections
    )


def _change(change: Change, article: Article, longest: int) -> ChangeView:
    if change.now is None:
        return ChangeView(clean(change.told.text, longest), "", "")
    url = sentence_link(article.url, change.now.text)
    return ChangeView(clean(change.told.text, longest), clean(change.now.text, longest), url)


def _unheard(digest: Digest, wording: Wording) -> str:
    """Return the first sources by name and day, and the rest as a number; empty when all are heard."""
    names = [_with_day(source, digest.at, wording) for source in digest.unheard]
    listed = ", ".join(names[:MOST_UNHEARD])
    more = len(names) - MOST_UNHEARD
    return wording.say("and_more", listed=listed, n=more) if more > 0 else listed


def _with_day(source: Standing, at: datetime, wording: Wording) -> str:
    """Return the source's name, with the day on which it was heard last if there is one."""
    name = clean(source.name, LONGEST_NAME)
    if source.last_heard is None:
        return name
    return wording.say("since", name=name, day=wording.short_day(source.last_heard, at))


def _foreign(article: Article, wording: Wording) -> str:
    """Return the article's language where it is not the page's own."""
    language = primary(article.language)
    return "" if language in {"", primary(wording.language)} else language


def _points(points: Sequence[StoryPoint], at: datetime, wording: Wording) -> tuple[Point, ...]:
    """Return the points with their caveats; a caveat whose point is not shown stands as a point itself.

    Their times leave the date out where it is that of `at`, the moment that stands under the headline.
    """
    longest = _longest_sentence([text for point in points for text in (point.text, *point.context)])

    def line(article: Article, text: str) -> Line:
        return Line(
            text=clean(text, longest),
            source=clean(article.publisher, LONGEST_NAME),
            time=wording.moment(article.moment, at),
            url=sentence_link(article.url, text),
        )

    shown: dict[int, Point] = {}
    for index, point in enumerate(points):
        here = line(point.article, point.text)
        context = tuple(line(point.article, text) for text in point.context if clean(text))
        owner = shown.get(point.qualifies) if point.qualifies is not None else None
        if point.role is Role.CAVEAT and owner and point.qualifies is not None:
            shown[point.qualifies] = Point(owner.line, (*owner.caveats, here), (*owner.context, *context))
        else:
            shown[index] = Point(here, (), context)
    return tuple(shown.values())


def _longest_sentence(sentences: Sequence[str], heaviest: int = HEAVIEST_STORY) -> int:
    """Return how many characters of a sentence are shown: all there are, but for a monster of a story."""
    texts = [clean(text) for text in sentences]
    longest = LONGEST_SENTENCE
    while longest > SHORTEST_SENTENCE and sum(encoded(shorten(t, longest)) for t in texts) > heaviest:
        longest = longest * 4 // 5
    return longest


def _texts(story: StoryView) -> Iterator[str]:
    yield story.headline
    for point in story.points:
        yield point.line.text
        yield from (line.text for line in point.caveats)
        yield from (line.text for line in point.context)
