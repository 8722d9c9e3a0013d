"""Sources: every article of a story is named and linked, as far as the size of a mail allows."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from service.compose.render.sources import (
    MAX_COMPACT_OTHERS_BYTES,
    MAX_OTHERS_BYTES,
    MAX_SOURCES,
    OtherArticles,
    listed_publishers,
    other_articles,
    publisher_sources,
)
from service.core.model import Article
from service.core.transfer_encoding.text_parts import quoted_printable_size
from service.text.i18n import localizer_for
from tests.compose.digests import MORNING, published

LABELS = {"en": {"comma": ", ", "and_more": "{listed} and {n} more", "untitled": "Untitled"}}
LOCALIZER = localizer_for(LABELS, "en", "Europe/Berlin")


def others_of(
    articles: list[Article], *, shown: Collection[str] = (), compact: bool = False
) -> OtherArticles:
    return other_articles(articles, MORNING, LOCALIZER, shown=shown, compact=compact)


def size_of(others: OtherArticles) -> int:
    return sum(quoted_printable_size(f"{one.title}{one.publisher}{one.url}") for one in others.named)


def test_a_story_of_one_article_has_no_others():
    assert others_of([published("Alone")]) == OtherArticles()


def test_two_articles_of_one_publisher_are_both_named_and_linked():
    articles = [published(title, "The Wire") for title in ("First", "Second", "Third")]
    others = others_of(articles).named

    assert [(other.title, other.publisher) for other in others] == [
        ("Second", "The Wire"),
        ("Third", "The Wire"),
    ]
    assert [other.url for other in others] == [article.url for article in articles[1:]]


def test_an_article_without_a_title_or_a_link_is_named_too():
    untitled = published("", "The Wire", url="ftp://wire.example/1")

    (other,) = others_of([published("A title"), untitled]).named
    assert (other.title, other.publisher, other.url) == ("Untitled", "The Wire", "")


def test_thirty_articles_are_all_named_and_linked():
    others = others_of([published(f"A story of the day, number {n}", f"Paper {n}") for n in range(31)])

    assert others.unnamed == 0
    assert sum(bool(other.url) for other in others.named) == 30


def test_what_does_not_fit_is_named_without_a_link():
    articles = [published(f"A story of the day, number {n}", f"Paper {n}") for n in range(31)]
    others = others_of(articles, compact=True)

    assert (len(others.named), others.unnamed) == (30, 0)
    assert 0 < sum(bool(other.url) for other in others.named) < 30


def test_articles_without_a_sentence_in_the_story_get_a_link_first():
    articles = [published(f"A story of the day, number {n}", f"Paper {n}") for n in range(31)]
    others = others_of(articles, shown={article.id for article in articles[:28]}, compact=True)

    assert [bool(other.url) for other in others.named[-3:]] == [True] * 3


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("letters", ["a", "字", "👩", "&=", '"'])
def test_a_flood_of_articles_is_counted_beyond_the_size(letters: str, compact: bool):
    articles = [
        published(letters * 400, letters * 100, url=f"https://a.example/{n}?{'&=' * 150}") for n in range(900)
    ]
    others = others_of(articles, compact=compact)

    assert others.named
    assert others.unnamed == 899 - len(others.named) > 0
    assert size_of(others) < (MAX_COMPACT_OTHERS_BYTES if compact else MAX_OTHERS_BYTES)


def test_only_the_first_publishers_are_listed_under_the_headline():
    names = [f"Paper {n}" for n in range(9)]

    assert listed_publishers(names, LOCALIZER) == "Paper 0, Paper 1, Paper 2 and 6 more"
    assert listed_publishers(names[:2], LOCALIZER) == "Paper 0, Paper 1"


def test_each_publisher_is_one_source():
    articles = [published(title, paper) for paper in ("A", "B") for title in ("First", "Second")]
    many = [published("A title", f"Paper {n}") for n in range(9)]

    assert [(one.publisher, one.title) for one in publisher_sources(articles, MORNING, LOCALIZER)] == [
        ("A", "First"),
        ("B", "First"),
    ]
    assert len(publisher_sources(many, MORNING, LOCALIZER)) == MAX_SOURCES
