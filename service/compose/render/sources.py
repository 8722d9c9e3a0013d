"""Sources: how a story names and links its articles and their publishers (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from string import ascii_lowercase

from service.compose.render.links import web_link
from service.compose.render.text_cleaning import MAX_TITLE_CHARACTERS, clean
from service.compose.render.times import publication_label
from service.compose.render.typography import typographic
from service.core.languages import primary_language
from service.core.model import Article, Story
from service.core.transfer_encoding.text_parts import quoted_printable_size
from service.text.i18n import Localizer

MAX_NAME_CHARACTERS = 48
MAX_NAMED_PUBLISHERS = 3  # under a headline
MAX_SOURCES = 5
MAX_OTHERS_BYTES, MAX_COMPACT_OTHERS_BYTES = 16_000, 6_000
"""Size of a story's list of further articles in both parts of the mail; the second is for an issue that would
be too large. The names go first, then the links. Articles that cannot be named are counted."""
MAX_COMPACT_TITLE_CHARACTERS = 64
NAME_MARKUP_BYTES, LINK_MARKUP_BYTES = 30, 80

_ABJAD = "أبجدهوزحطيكلمنسعفصقرشت"
_LETTERS = {
    **dict.fromkeys(("ar", "fa", "ur"), _ABJAD),
    "he": "אבגדהוזחטיכלמנסעפצקרשת",
    **dict.fromkeys(("ru", "uk", "bg"), "абвгдежзиклмнопрстуфхцчшщэюя"),
}
"""Letters of the sources of a story, by its language: in another script they would turn its direction."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """An article of a story; `url` is "" without a link. `key` is the letter behind its sentences, if any."""

    publisher: str
    title: str
    time: str
    url: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class OtherArticles:
    """The articles of a story besides its first one, and the number of those that are not `named`."""

    named: tuple[SourceView, ...] = ()
    unnamed: int = 0


def shown_title(article: Article, localizer: Localizer, longest: int = MAX_TITLE_CHARACTERS) -> str:
    """Return the title of an article as readers see it, in one line with the marks of its language."""
    return typographic(clean(article.title, longest), article.language) or localizer.text("untitled")


def listed_publishers(publishers: Sequence[str], localizer: Localizer) -> str:
    """Return the names of the first publishers and the number of the others."""
    names = [clean(name, MAX_NAME_CHARACTERS) for name in publishers]
    listed = localizer.text("comma").join(names[:MAX_NAMED_PUBLISHERS])
    more = len(names) - MAX_NAMED_PUBLISHERS
    return localizer.text("and_more", listed=listed, n=more) if more > 0 else listed


def first_publisher(publishers: Sequence[str], localizer: Localizer) -> str:
    """Return the name of the first publisher and the number of the others: "The Wire and 2 more"."""
    listed = clean(publishers[0], MAX_NAME_CHARACTERS)
    more = len(publishers) - 1
    return localizer.text("and_more", listed=listed, n=more) if more else listed


def publisher_sources(
    articles: Sequence[Article], at: datetime, localizer: Localizer
) -> tuple[SourceView, ...]:
    """Return the first article of each publisher, for the first MAX_SOURCES publishers.

    Times have no date if it is that of `at`.
    """
    firsts: dict[str, Article] = {}
    for article in articles:
        firsts.setdefault(article.publisher, article)
    return tuple(_source(article, at, localizer) for article in list(firsts.values())[:MAX_SOURCES])


def source_keys(story: Story) -> dict[str, str]:
    """Return article id -> letter for the first article and those with a sentence, in the story's order.

    Empty if all sentences are of the first article: then its name under the headline says enough.
    """
    shown = {point.article.id for point in story.points} | {story.articles[0].id}
    if len(shown) < 2:
        return {}
    letters = _LETTERS.get(primary_language(story.articles[0].language), ascii_lowercase)
    named = [article.id for article in story.articles if article.id in shown]
    named += sorted(shown - set(named))  # an article that the story has lost, but not its sentence
    return {
        one: letters[place] if place < len(letters) else str(place + 1) for place, one in enumerate(named)
    }


def keyed_sources(
    story: Story, keys: Mapping[str, str], at: datetime, localizer: Localizer
) -> tuple[SourceView, ...]:
    """Return the articles that have a letter, with their letters."""
    articles = {one.id: one for one in (*story.articles, *(point.article for point in story.points))}
    return tuple(replace(_source(articles[one], at, localizer), key=key) for one, key in keys.items())


def other_articles(
    articles: Sequence[Article], at: datetime, localizer: Localizer, *, shown: Collection[str], compact: bool
) -> OtherArticles:
    """Return the articles of a story besides the first one, named and linked as far as the size allows.

    `shown` are the ids of the articles with a sentence in the story, which is linked: where links do not fit,
    the other articles have theirs first. `compact` is for an issue that would be too large.
    """
    room = MAX_COMPACT_OTHERS_BYTES if compact else MAX_OTHERS_BYTES
    longest = MAX_COMPACT_TITLE_CHARACTERS if compact else MAX_TITLE_CHARACTERS
    named: list[SourceView] = []
    for article in articles[1:]:
        source = _source(article, at, localizer, longest)
        room -= _name_bytes(source)
        if room < 0:
            break
        named.append(source)
    unlinked = set[int]()
    for place in sorted(range(len(named)), key=lambda place: articles[place + 1].id in shown):
        cost = _link_bytes(named[place].url)
        if cost > room:
            unlinked.add(place)
        else:
            room -= cost
    sources = (replace(one, url="") if place in unlinked else one for place, one in enumerate(named))
    return OtherArticles(tuple(sources), len(articles) - 1 - len(named))


def _source(
    article: Article, at: datetime, localizer: Localizer, longest: int = MAX_TITLE_CHARACTERS
) -> SourceView:
    return SourceView(
        clean(article.publisher, MAX_NAME_CHARACTERS),
        shown_title(article, localizer, longest),
        publication_label(article, at, localizer),
        web_link(article.url),
    )


def _name_bytes(source: SourceView) -> int:
    name = f"{source.title} ({source.publisher})"
    return quoted_printable_size(escape(name)) + quoted_printable_size(name) + NAME_MARKUP_BYTES


def _link_bytes(url: str) -> int:
    return quoted_printable_size(escape(url)) + quoted_printable_size(url) + LINK_MARKUP_BYTES if url else 0
