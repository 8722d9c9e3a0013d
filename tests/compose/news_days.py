"""Twenty-five invented days of news, and which of two stories belongs higher (news_days.tsv, news_pairs.tsv).

A day is what twelve papers report: 60 stories with the number of publishers, the place in the feed (- for
unknown), hours of age and words. Pairs of one day were judged by headline and opening alone, without these
numbers, twice, in different orders and with the sides exchanged.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core.model import CondensedArticle, EarlierFigure, KeyPoint, StoryPoint, Summary
from tests.builders import NOON, an_article
from tests.compose.digests import caveat, point

FILLER = "It is as described on the page of the agency. "  # nine words, none of which says anything
LAST_FITTED_DAY = 12
"""Weights are learned on the days up to this one, and judged on those after it."""
LAST_SEEN_DAY = 20
"""The days after it were written and judged when the words and weights were settled, and then read once."""


class NewsPair(NamedTuple):
    """Two stories of one day by their numbers, and whether the first and the second judgement prefer `a`."""

    day: int
    a: int
    b: int
    first: bool
    second: bool


def read_days() -> dict[int, list[StoryUpdate]]:
    """Return the stories of each day, in the order of their numbers."""
    days: dict[int, list[StoryUpdate]] = {}
    for row in _rows("news_days.tsv"):
        days.setdefault(int(row["day"]), []).append(_story(row))
    return days


def read_pairs() -> list[NewsPair]:
    """Return the judged pairs."""
    return [
        NewsPair(int(row["day"]), int(row["a"]), int(row["b"]), row["first"] == "a", row["second"] == "a")
        for row in _rows("news_pairs.tsv")
    ]


def _rows(name: str) -> Iterator[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield {key: value or "" for key, value in row.items()}


def _story(row: dict[str, str]) -> StoryUpdate:
    moment = NOON - timedelta(hours=float(row["hours"]))
    opening = row["opening"]
    filler = FILLER * max(1, int(row["words"]) // len(FILLER.split()))
    article = an_article(
        row["title"],
        f"{opening} {filler}".strip(),
        url=f"https://news.example/{row['day']}/{row['story']}",
        feed_id=f"feed of {row['publisher']}",
        publisher=row["publisher"],
        language=row["language"],
        topics=(row["topic"],) if row["topic"] else (),
        published_at=moment,
        gathered_at=moment,
        position=int(row["day"]) * 100 + int(row["story"]),
        feed_rank=None if row["rank"] == "-" else int(row["rank"]),
    )
    points = (KeyPoint.from_source(article.text, 0, len(opening)),) if opening else ()
    story = GroupedStory((CondensedArticle(article, Summary("lead", points)),), int(row["publishers"]))
    return StoryUpdate(story, _new_points(story, row["update"]))


def _new_points(story: GroupedStory, kind: str) -> tuple[StoryPoint, ...] | None:
    article = story.articles[0].article
    plain = point(article, article.title)
    if kind == "figure":
        return (replace(plain, earlier=(EarlierFigure("40", article, "It was 40."),)),)
    if kind == "caveat":
        return (plain, caveat(article, article.title))
    return (plain,) if kind == "plain" else None
