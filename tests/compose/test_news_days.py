"""The order of stories against an editor's, on invented days of news that no weight was learned on.

The figures of docs/benchmarks/ranking.md are higher than the least ones here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from service.compose.stories.updates import StoryUpdate
from tests.compose.news_days import LAST_FITTED_DAY, NewsPair, read_days, read_pairs
from tests.compose.ranked import ranked

LEAST_ACCURACY, LEAST_GAIN = 0.82, 0.12


@pytest.fixture(scope="module")
def days() -> dict[int, list[StoryUpdate]]:
    return {day: updates for day, updates in read_days().items() if day > LAST_FITTED_DAY}


@pytest.fixture(scope="module")
def pairs() -> list[NewsPair]:
    return [pair for pair in read_pairs() if pair.day > LAST_FITTED_DAY and pair.first == pair.second]


def accuracy(points: dict[int, list[float]], pairs: Sequence[NewsPair]) -> float:
    """Return the share of pairs of which the preferred story has more points."""
    right = [(points[pair.day][pair.a] > points[pair.day][pair.b]) == pair.first for pair in pairs]
    return sum(right) / len(right)


def our_points(updates: Sequence[StoryUpdate]) -> list[float]:
    totals = {id(one.update): one.score.total for one in ranked(*updates, topics=())}
    return [totals[id(update)] for update in updates]


def publishers(update: StoryUpdate) -> float:
    age = update.story.articles[0].article.effective_published_at.timestamp() / 1e12
    return update.story.independent_publishers + age


def age(update: StoryUpdate) -> float:
    return update.story.articles[0].article.effective_published_at.timestamp()


def test_each_day_has_sixty_stories_of_which_some_are_in_other_languages():
    for updates in read_days().values():
        languages = [update.story.articles[0].article.language for update in updates]

        assert len(updates) == 60
        assert 4 <= sum(language != "en" for language in languages) <= 15


@pytest.mark.parametrize("simple", [publishers, age])
def test_the_score_agrees_with_an_editor_more_often_than_a_simple_order(
    simple: Callable[[StoryUpdate], float], days, pairs
):
    ours = accuracy({day: our_points(updates) for day, updates in days.items()}, pairs)
    theirs = accuracy({day: [simple(update) for update in updates] for day, updates in days.items()}, pairs)

    assert ours >= LEAST_ACCURACY
    assert ours >= theirs + LEAST_GAIN
