"""Generated news for the benchmark of compose: articles with key points, their stories, and editions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

from service.core.ids import content_id, edition_key, feed_id
from service.core.model import (
    Article,
    CaveatKind,
    CondensedArticle,
    Edition,
    Feed,
    KeyPoint,
    Newsletter,
    Preferences,
    Role,
    Summary,
)
from service.subscribers.preferences import edition_for

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TOPICS = ("world", "business", "science", "sport", "culture", "health", "climate", "technology")
WORDS = 6_000  # of the invented language, as frequent as words are
SENTENCES, SENTENCE_WORDS = 14, 22  # of an article: 2.4 KB in the mean
HARM_WORDS = ("death", "killed", "died", "dead", "lives", "injured", "missing", "deadline", "studies")
HARM_SHARE = 0.08  # of the sentences have one of these words, as in 12,600 sentences of real news
STORY_SIZES = (1, 1, 1, 1, 1, 1, 2, 2, 3, 5)  # articles of a story
PUBLISHERS = 60
FEEDS = tuple(
    Feed(feed_id(url), url, f"Publisher {n}")
    for n in range(PUBLISHERS)
    if (url := f"https://publisher-{n}.example/rss")
)


@dataclass(frozen=True, slots=True)
class News:
    """Condensed articles in the order of arrival, each with its story."""

    articles: tuple[CondensedArticle, ...]
    stories: int


def news(
    stories: int,
    *,
    after: datetime,
    hours: float,
    seed: int,
    sentences: Sequence[str] = (),
    continued: float = 0.0,
) -> News:
    """Return this many stories, told in the `hours` after a time by one to five publishers.

    Their sentences are drawn from `sentences` if there are some, else invented. The share `continued` of them
    are the same stories with every seed, told in other articles.
    """
    random = Random(seed)
    words = [
        "".join(random.choice("bcdfghklmnprstvw") + random.choice("aeiou") for _ in range(2 + n % 3))
        for n in range(WORDS)
    ]
    found = [
        replace(told, story=content_id("story", f"continued-{number}"))
        if number < continued * stories
        else told
        for number in range(stories)
        for told in _story(random, words, f"{seed}-{number}", after, hours, given=sentences)
    ]
    found.sort(key=lambda one: one.article.gathered_at)
    return News(tuple(found), stories)


def _story(
    random: Random, words: list[str], name: str, after: datetime, hours: float, *, given: Sequence[str]
) -> Iterator[CondensedArticle]:
    own = random.sample(words, 60)
    topics = tuple(random.sample(TOPICS, random.choice((1, 1, 2))))
    first = after + timedelta(hours=random.random() * hours)
    story = content_id("story", name)

    def sentence() -> str:
        return random.choice(given) if given else _sentence(random, words, own)

    common = [sentence() for _ in range(5)]
    for teller, publisher in enumerate(random.sample(range(PUBLISHERS), random.choice(STORY_SIZES))):
        sentences = [
            *random.sample(common, 3),
            *(sentence() for _ in range(SENTENCES - 3)),
        ]
        at = min(first + timedelta(minutes=20 * teller), after + timedelta(hours=hours))
        text = " ".join(sentences)
        article = Article(
            id=content_id("article", name, str(teller)),
            feed_id=FEEDS[publisher].id,
            url=f"https://publisher-{publisher}.example/2026/{name}/{teller}",
            title=sentence()[:80] if given else " ".join(random.sample(own, 8)).capitalize(),
            text=text,
            language="en",
            publisher=f"Publisher {publisher}",
            published_at=at,
            gathered_at=at,
            topics=topics,
            feed_rank=random.randrange(20),
        )
        yield CondensedArticle(article, Summary("keypoints", _key_points(random, text, sentences)), story)


def _sentence(random: Random, words: list[str], own: list[str]) -> str:
    chosen = [
        random.choice(own) if random.random() < 0.35 else words[int(len(words) * random.random() ** 3)]
        for _ in range(SENTENCE_WORDS)
    ]
    if random.random() < HARM_SHARE:
        chosen[random.randrange(SENTENCE_WORDS)] = random.choice(HARM_WORDS)
    return f"{' '.join(chosen).capitalize()} {random.randrange(2, 900)}."


def _key_points(random: Random, text: str, sentences: list[str]) -> tuple[KeyPoint, ...]:
    """Return six sentences as key points, the third and the sixth as caveats of those before them."""
    points = []
    for rank, sentence in enumerate(sentences[:6]):
        start = text.index(sentence)
        is_caveat = rank in (2, 5)
        role, owner = (Role.CAVEAT, rank - 1) if is_caveat else (Role.POINT, None)
        point = KeyPoint.from_source(text, start, start + len(sentence), role, owner, rank=rank)
        points.append(replace(point, kind=random.choice(list(CaveatKind))) if is_caveat else point)
    return tuple(points)


def newsletters() -> tuple[Newsletter, ...]:
    """Return ten newsletters: two with all topics, the others with one to four of them."""
    return tuple(
        Newsletter(
            f"n{number}",
            f"Newsletter {number}",
            "daily 13:00",
            "Europe/Berlin",
            topics=() if number < 2 else TOPICS[number % 5 : number % 5 + 1 + number % 4],
            theme=("daily", "brief")[number % 2],
            archive="public",
        )
        for number in range(10)
    )


def editions(count: int) -> list[Edition]:
    """Return this many editions of the newsletters.

    Readers choose topics, stories, points, the language of labels and the format. Two of three editions
    differ from another one only in the schedule.
    """
    schedules = ("daily 13:00", "daily 13:00,19:00", "weekdays 13:00")
    choices = product(range(4), ((8, 4), (12, 3)), ("en", "de"), ("html", "html", "text"))
    made = [
        replace(
            edition_for(newsletter, Preferences(), None),
            topics=tuple(sorted(_topics(newsletter, number, choice))),
            stories=stories,
            points=points,
            language=language,
            format=form,
            schedule=schedule,
        )
        for choice, (stories, points), language, form in choices
        for number, newsletter in enumerate(newsletters())
        for schedule in schedules
    ]
    distinct = sorted(dict.fromkeys(made), key=lambda edition: content_id("draw", edition_key(edition)))
    return distinct[:count]


def _topics(newsletter: Newsletter, number: int, choice: int) -> tuple[str, ...]:
    first, size = (number + 3 * choice) % len(TOPICS), choice
    return newsletter.topics if not choice else (TOPICS + TOPICS)[first : first + size]
