"""Which topics come first in a general newsletter."""

from __future__ import annotations

import pytest

from service.compose.scoring.topic_names import topic_rank


@pytest.mark.parametrize(
    "topic", ["world", "Politics", "wirtschaft", "économie", "world news", "السياسة", "политика"]
)
def test_hard_news_comes_first(topic: str):
    assert topic_rank(topic) == 1


@pytest.mark.parametrize("topic", ["sport", "Sports", "kultur", "lifestyle", "fußball", "спорт", "celebrity"])
def test_sport_and_entertainment_come_last(topic: str):
    assert topic_rank(topic) == -1


@pytest.mark.parametrize("topic", ["", "harbour", "science", "local", "world sport"])
def test_other_topics_are_average(topic: str):
    assert topic_rank(topic) == 0
