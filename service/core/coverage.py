"""Coverage: feeds that no newsletter takes, and newsletters that no feed can fill (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from service.core.languages import same_language
from service.core.model import Feed, Newsletter


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """A feed or newsletter that is configured and does nothing, or less than it says.

    `kind` is `feeds` or `newsletters`, `index` the place in that list, `key` the setting that should change,
    "" for none. `problem` says what is wrong, `expected` what to write instead, as a noun.
    """

    kind: str
    index: int
    key: str
    problem: str
    expected: str


def coverage_gaps(feeds: Sequence[Feed], newsletters: Sequence[Newsletter]) -> Iterator[CoverageGap]:
    """Yield the gaps between these feeds and newsletters; none while one of the lists is empty.

    A topic of categories is named once, at the first feed that maps to it.
    """
    if not feeds or not newsletters:
        return
    named: set[str] = set()
    for index, feed in enumerate(feeds):
        for key, problem, expected in feed_gaps(feed, newsletters, known_topics=named):
            yield CoverageGap("feeds", index, key, problem, expected)
        named |= {topic for _, topic in feed.categories}
    for index, newsletter in enumerate(newsletters):
        for language in _missing_languages(newsletter, feeds):
            problem = f"no feed of its topics has the language {language!r}"
            yield CoverageGap("newsletters", index, "languages", problem, "a language of its feeds")


def feed_gaps(
    feed: Feed, newsletters: Sequence[Newsletter], *, known_topics: AbstractSet[str] = frozenset()
) -> Iterator[tuple[str, str, str]]:
    """Yield the key, problem and expected value of each gap of one feed.

    Topics of categories that are in `known_topics` are not named. A language that no newsletter has is no
    gap: readers choose languages themselves.
    """
    by_topic = [one for one in newsletters if not one.topics or {*one.topics} & {*feed.possible_topics}]
    topics = sorted({topic for one in newsletters for topic in one.topics})
    choice = f"one of {', '.join(topics)}"
    if not by_topic:
        yield (
            ("topics" if feed.topics else "categories" if feed.categories else ""),
            f"no newsletter takes the feed {feed.name!r}: {_topics_nobody_has(feed)}",
            choice,
        )
        return
    if all(one.topics for one in newsletters):
        first = {topic: category for category, topic in reversed(feed.categories)}
        for topic, category in reversed(first.items()):
            if topic not in topics and topic not in known_topics:
                yield (
                    "categories",
                    f"no newsletter takes the topic {topic!r} of the category {category!r}",
                    choice,
                )


def _topics_nobody_has(feed: Feed) -> str:
    """Return why no newsletter takes the feed: its topics, and those that its categories map to."""
    own = [topic for topic in feed.possible_topics if topic in feed.topics]
    mapped = {topic: category for category, topic in reversed(feed.categories) if topic not in own}
    names = [*own, *(f"{topic} (category {category!r})" for topic, category in reversed(mapped.items()))]
    if not names:
        return "it has no topic"
    if len(names) == 1:
        return f"none has the topic {names[0]}"
    return f"none has the topics {', '.join(names[:-1])} or {names[-1]}"


def _missing_languages(newsletter: Newsletter, feeds: Sequence[Feed]) -> Iterator[str]:
    """Yield the languages of a newsletter that none of its feeds has; none if one's language is detected."""
    topics = {*newsletter.topics}
    taken = [feed for feed in feeds if not topics or topics & {*feed.possible_topics}]
    known = {same_language(feed.language) for feed in taken}
    if taken and all(feed.language for feed in taken):
        yield from (language for language in newsletter.languages if same_language(language) not in known)
