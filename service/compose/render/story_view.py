"""Story view: a story as the themes get it, in full or as one line (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from service.compose.render.links import web_link
from service.compose.render.points import (
    PointView,
    SentenceView,
    view_points,
)
from service.compose.render.sources import (
    MAX_NAME_CHARACTERS,
    SourceView,
    first_publisher,
    keyed_sources,
    listed_publishers,
    other_articles,
    publisher_sources,
    shown_title,
    source_keys,
)
from service.compose.render.text_cleaning import clean, shorten
from service.compose.render.times import newest_dated, publication_label
from service.compose.stories.denials import headline_doubt
from service.compose.stories.shortening import top_points
from service.core.identity_cache import IdentityCache
from service.core.languages import primary_language
from service.core.model import Article, Digest, Grade, Placement, Story
from service.text.i18n import Localizer, text_direction

CONTENTS_CHARACTERS = 480
MIN_HEADLINE_CHARACTERS, MAX_HEADLINE_CHARACTERS = 40, 64


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story. `lang` is "" if it is the digest's language; `told_by` lists the publishers.

    `placement` is `lead`, `story`, `short` or `web`. The last two have no points: themes show the headline,
    its link and caveats, and in `told_first` the `publisher` of the first article and the number of the
    others. `number` is the place in the issue, the same on the web page.

    `doubt` is the label of the caveat that speaks against the headline ("Denied"), "" if none does: it stands
    behind the headline where that is shown alone.

    `time` is that of the newest article, "" if none has a date; `several` is true for several articles.
    `first_issue` names the issue that had an update's story first ("first reported in the issue of ..."), ""
    if that is not known; `first_issue_url` is its web page, "" if there is none. `caveats` qualify the
    headline. `top` is what a short theme shows of the points: those chosen first, which cannot be separated,
    and the caveats of the story.

    `sources` has one article per publisher. `keyed` are the articles with a sentence here, each with the
    letter that stands behind its sentences; () if all sentences are of the first article. `others` are all
    but the first article; `unnamed` is the number of those that do not fit.
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
    placement: str = Placement.STORY.value
    publisher: str = ""
    told_first: str = ""
    keyed: tuple[SourceView, ...] = ()
    first_issue: str = ""
    first_issue_url: str = ""
    doubt: str = ""

    @property
    def marked_headline(self) -> str:
        """The headline with its doubt: "Plant poisons river (Denied)"."""
        return f"{self.headline}{self.mark}"

    @property
    def mark(self) -> str:
        """The doubt in brackets, as it follows the headline; "" without one."""
        return f" ({self.doubt})" if self.doubt else ""

    @property
    def closing(self) -> tuple[SentenceView, ...]:
        """The caveats of the whole story, which stand last among the `points`."""
        return _closing(self.points)

    @property
    def top_closing(self) -> tuple[SentenceView, ...]:
        """The caveats of the whole story among the `top`."""
        return _closing(self.top)

    @property
    def unkeyed(self) -> tuple[SourceView, ...]:
        """Those of `others` that are not in `keyed`, where themes have named and linked them."""
        named = {source.url for source in self.keyed}
        return tuple(other for other in self.others if not other.url or other.url not in named)


@dataclass(frozen=True, slots=True)
class SectionView:
    """Adjacent stories of one topic; `title` is "" for stories without a section."""

    title: str
    stories: tuple[StoryView, ...]


MAX_CACHED_VIEWS = 5_000  # 15 MB; those of the editions that are rendered next to each other

ViewCache = IdentityCache[Story, StoryView]
"""Views of stories that several editions show in one theme, whose labels they have."""


def view_stories(
    digest: Digest,
    localizer: Localizer,
    issue_url: Callable[[str], str] | None = None,
    cache: ViewCache | None = None,
) -> tuple[StoryView, ...]:
    """Return all stories of the digest, those of the web page too, numbered from 1.

    `issue_url` returns the address of the web page of an earlier issue (id), None without web pages. Views in
    the `cache` are not made again.
    """
    cache = ViewCache(MAX_CACHED_VIEWS) if cache is None else cache
    # With more stories, each is shorter in a list of contents on few lines.
    longest = max(
        MIN_HEADLINE_CHARACTERS,
        min(MAX_HEADLINE_CHARACTERS, CONTENTS_CHARACTERS // max(len(digest.stories), 1)),
    )
    language = localizer.language, localizer.locale, localizer.zone
    shown_in = *language, digest.at, digest.compact, longest
    views = []
    for number, story in enumerate(digest.stories, start=1):
        view = cache.get(story, shown_in, partial(_story, story, longest, digest, localizer))
        numbered = replace(view, number=number)
        views.append(_with_first_issue(numbered, story, digest, localizer, issue_url))
    return tuple(views)


def in_sections(stories: Sequence[StoryView], digest: Digest) -> tuple[SectionView, ...]:
    """Return the stories of the placement `story` in their sections, in their order."""
    shown = (story for story in stories if story.placement == Placement.STORY)
    return tuple(
        SectionView(title, tuple(found))
        for title, found in groupby(shown, key=lambda story: section_title(digest.stories[story.number - 1]))
    )


def section_title(story: Story) -> str:
    """Return the title of a story's section: its topic as words, `Climate policy` for `climate-policy`."""
    words = clean(story.section, MAX_NAME_CHARACTERS).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def foreign_language(article: Article, localizer: Localizer) -> str:
    """Return the article's language, "" if it is that of the digest."""
    language = primary_language(article.language)
    return "" if language in {"", primary_language(localizer.language)} else language


def lines_of(story: StoryView) -> Iterator[SentenceView]:
    """Yield the sentences of the story: caveats of the headline, points and their caveats."""
    yield from story.caveats
    for point in story.points:
        yield from (point.line, *point.caveats)


def _closing(points: Sequence[PointView]) -> tuple[SentenceView, ...]:
    found = [point for point in points if point.grade == Grade.STORY]
    return tuple(line for point in found for line in (point.line, *point.caveats))


def _story(story: Story, longest: int, digest: Digest, localizer: Localizer) -> StoryView:
    lead, at = story.articles[0], digest.at
    headline = shown_title(lead, localizer)
    newest = newest_dated(story.articles)
    language = foreign_language(lead, localizer)
    keys = source_keys(story)
    seen_at = newest.effective_published_at
    caveats, points = view_points(story.points, seen_at, localizer, keys)
    is_line = story.placement in (Placement.SHORT, Placement.WEB)
    top = () if is_line else view_points(top_points(story.points), seen_at, localizer, keys)[1]
    shown = {point.article.id for point in story.points}
    others = other_articles(story.articles, at, localizer, shown=shown, compact=digest.compact)
    return StoryView(
        number=0,
        headline=headline,
        short=shorten(headline, longest),
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
        placement=story.placement.value,
        publisher=clean(lead.publisher, MAX_NAME_CHARACTERS),
        doubt=_doubt(story, localizer),
        told_first=first_publisher(story.publishers, localizer),
        keyed=keyed_sources(story, keys, at, localizer),
    )


def _doubt(story: Story, localizer: Localizer) -> str:
    lead = story.articles[0]
    own = (point for point in story.points if point.article.id == lead.id)
    doubt = headline_doubt(lead.title, lead.language, own)
    return localizer.text(doubt.kind.value) if doubt and doubt.kind else ""


def _with_first_issue(
    view: StoryView,
    story: Story,
    digest: Digest,
    localizer: Localizer,
    issue_url: Callable[[str], str] | None,
) -> StoryView:
    first = story.first_issue if story.is_update else None
    if first is None:
        return view
    day = localizer.short_date(first.at, digest.at)
    return replace(
        view,
        first_issue=localizer.text("first_issue", day=day),
        first_issue_url=issue_url(first.id) if issue_url else "",
    )
