"""Which feeds no newsletter takes, and which newsletters no feed can fill."""

from __future__ import annotations

from typing import Any

import pytest

from service.core.coverage import CoverageGap, coverage_gaps
from service.core.model import Feed, Newsletter
from tests.builders import a_feed, a_newsletter


def feed(**changes: Any) -> Feed:
    return a_feed(name="Example", **changes)


def gaps(feeds: list[Feed], newsletters: list[Newsletter]) -> list[tuple[str, str, str]]:
    return [(gap.kind, gap.key, gap.problem) for gap in coverage_gaps(feeds, newsletters)]


@pytest.mark.parametrize(
    ("one", "letter", "gap"),
    [
        (feed(topics=()), a_newsletter(), ("", "no newsletter takes the feed 'Example': it has no topic")),
        (feed(topics=("sport",)), a_newsletter(),
         ("topics", "no newsletter takes the feed 'Example': none has the topic sport")),
        (feed(topics=("sport", "chess")), a_newsletter(),
         ("topics", "no newsletter takes the feed 'Example': none has the topics sport or chess")),
        (feed(topics=("sport",), categories=(("welt", "wrold"),)), a_newsletter(),
         ("topics",
          "no newsletter takes the feed 'Example': none has the topics sport or wrold (category 'welt')")),
        (feed(topics=(), categories=(("welt", "wrold"),)), a_newsletter(),
         ("categories",
          "no newsletter takes the feed 'Example': none has the topic wrold (category 'welt')")),
        (feed(categories=(("sport", "sports"),)), a_newsletter(),
         ("categories", "no newsletter takes the topic 'sports' of the category 'sport'")),
    ],
)  # fmt: skip
def test_a_feed_that_nobody_takes(one: Feed, letter: Newsletter, gap: tuple[str, str]):
    assert gaps([one, feed()], [letter])[0] == ("feeds", *gap)


@pytest.mark.parametrize(
    ("one", "letter"),
    [
        (feed(), a_newsletter()),
        (feed(topics=()), a_newsletter(topics=())),
        (feed(topics=("sport",)), a_newsletter(topics=())),
        (feed(topics=(), categories=(("a", "world"),)), a_newsletter()),
    ],
)
def test_a_feed_that_a_newsletter_takes(one: Feed, letter: Newsletter):
    assert gaps([one], [letter]) == []


def test_one_newsletter_that_takes_the_feed_is_enough():
    assert gaps([feed(topics=("sport",))], [a_newsletter(), a_newsletter("sport", topics=("sport",))]) == []


def test_a_language_that_no_feed_of_the_newsletter_has():
    feeds = [feed(language="en"), feed(language="fr", topics=("sport",))]
    letter = a_newsletter(languages=("en", "fr"))
    found = list(coverage_gaps(feeds, [letter, a_newsletter("sport", topics=("sport",))]))
    problem = "no feed of its topics has the language 'fr'"
    assert found == [CoverageGap("newsletters", 0, "languages", problem, "a language of its feeds")]


def test_a_feed_whose_language_is_detected_may_have_any():
    assert gaps([feed(language=None)], [a_newsletter(languages=("fr",))]) == []


def test_without_feeds_or_newsletters_there_is_nothing_to_compare():
    assert gaps([], [a_newsletter()]) == gaps([feed(topics=())], []) == []


def test_a_topic_of_categories_in_many_feeds_is_named_once():
    mapped = feed(categories=(("sport", "sports"), ("football", "sports")))
    assert len(gaps([mapped, mapped, mapped], [a_newsletter()])) == 1
