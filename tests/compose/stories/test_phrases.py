"""What of a story is compared with followed and muted words."""

from __future__ import annotations

from service.compose.stories.group import GroupedStory
from service.compose.stories.phrases import MATCHED_POINTS, matcher_for, story_text
from service.core.model import CondensedArticle, KeyPoint, Role, Summary
from tests.builders import an_article, condensed

LINES = (
    "The dam gave way",
    "Rain fell for days",
    "Roads are closed",
    "The opera is closed",
    "Trains run late",
)


def a_story(*articles: CondensedArticle) -> GroupedStory:
    return GroupedStory(articles, len(articles))


def found(story: GroupedStory, *phrases: str) -> tuple[str, ...]:
    return matcher_for(phrases).found_in(story_text(story))


def with_points(*ranks: int, roles: tuple[Role, ...] = ()) -> CondensedArticle:
    """Return an article whose lines are key points with these ranks."""
    article = an_article("Toll rises", text=". ".join(LINES))
    points = tuple(
        KeyPoint(line, at := article.text.index(line), at + len(line), role, rank=rank)
        for line, rank, role in zip(LINES, ranks, roles or (Role.POINT,) * len(ranks), strict=False)
    )
    return CondensedArticle(article, Summary("keypoints", points))


def test_the_headline_the_first_points_and_the_topics_count():
    story = a_story(with_points(0, 1, 2, 3, 4))
    assert found(story, "toll", "dam", "rain", "road", "world") == ("toll", "dam", "rain", "road", "world")


def test_a_word_deep_in_the_article_does_not_count():
    assert found(a_story(with_points(0, 1, 2, MATCHED_POINTS, 4)), "opera", "train") == ()
    assert found(a_story(with_points(0)), "opera", "rain") == ()


def test_the_first_points_are_those_of_the_lowest_rank():
    assert found(a_story(with_points(4, 3, 2, 0, 1)), "opera", "dam") == ("opera",)


def test_a_caveat_is_not_what_a_story_is_about():
    assert found(a_story(with_points(0, 0, roles=(Role.POINT, Role.CAVEAT))), "dam", "rain") == ("dam",)


def test_the_headlines_and_topics_of_all_articles_count_each_in_its_language():
    story = a_story(
        condensed(an_article("Dam breaks")),
        condensed(an_article("Nach den Wahlen", language="de", topics=("economy",))),
    )
    assert found(story, "dam", "wahl", "economy") == ("dam", "wahl", "economy")
