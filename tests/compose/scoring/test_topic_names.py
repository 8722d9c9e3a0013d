"""Which topics come first in a general newsletter."""

from __future__ import annotations

import pytest

from service.compose.scoring.topic_names import rank_of_topics, topic_rank


@pytest.mark.parametrize("topic", ["world", "Politics", "world news", "السياسة", "политика"])
def test_foreign_news_and_politics_come_first(topic: str):
    assert topic_rank(topic) == 1


@pytest.mark.parametrize(("higher", "lower"), [("wirtschaft", "santé"), ("economia", "science")])
def test_hard_news_comes_before_what_is_useful(higher: str, lower: str):
    assert 1 > topic_rank(higher) > topic_rank(lower) > 0


@pytest.mark.parametrize("topic", ["sport", "Sports", "kultur", "fußball", "спорт", "world sport", "film"])
def test_sport_and_culture_come_late(topic: str):
    assert -1 < topic_rank(topic) < 0


@pytest.mark.parametrize("topic", ["lifestyle", "celebrity", "reisen", "health and food"])
def test_lifestyle_comes_last(topic: str):
    assert topic_rank(topic) == -1


@pytest.mark.parametrize("topic", ["", "harbour", "local"])
def test_other_topics_are_average(topic: str):
    assert topic_rank(topic) == 0


def test_the_first_topic_that_has_a_rank_counts():
    assert rank_of_topics(("harbour", "sport", "world")) == topic_rank("sport")
    assert rank_of_topics(("world", "sport")) == topic_rank("world")
    assert rank_of_topics(("harbour",)) == rank_of_topics(()) == 0
