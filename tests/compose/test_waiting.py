"""Stories wait for an issue with enough of them, but not until they are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service.compose.lateness import DuePlan, plan_due_group
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.compose.waiting import oldest_allowed, stories_wait
from service.core.model import Group
from tests.builders import a_newsletter, an_article, an_edition, condensed

MONDAY_SEVEN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def plan(schedule: str = "daily 07:00") -> DuePlan:
    edition = an_edition(schedule=schedule)
    return plan_due_group(Group(edition, "edition", 0, MONDAY_SEVEN, 1), a_newsletter(), MONDAY_SEVEN)


def story(*ages: timedelta) -> StoryUpdate:
    """Return a story with an article for each age at MONDAY_SEVEN."""
    articles = tuple(condensed(an_article(f"Age {age}", gathered_at=MONDAY_SEVEN - age)) for age in ages)
    return StoryUpdate(GroupedStory(articles))


def waits(*stories: StoryUpdate, schedule: str = "daily 07:00", **newsletter: object) -> bool:
    return stories_wait(stories, a_newsletter(min_stories=3, **newsletter), plan(schedule))


def test_fewer_stories_than_the_newsletter_wants_wait():
    assert waits(story(HOUR), story(2 * HOUR))


def test_enough_stories_do_not_wait():
    assert not waits(story(HOUR), story(HOUR), story(HOUR))


def test_no_story_is_no_reason_to_wait():
    assert not waits()


def test_a_newsletter_that_is_sent_empty_never_waits():
    assert not waits(story(HOUR), empty="send")


def test_a_story_that_would_be_a_week_old_by_the_next_issue_ends_the_waiting():
    assert waits(story(6 * DAY))
    assert not waits(story(6 * DAY + HOUR), story(HOUR))


def test_an_older_story_is_as_old_as_its_newest_article():
    assert waits(story(8 * DAY, HOUR))


def test_the_stories_of_a_monthly_newsletter_wait_for_two_months():
    assert waits(story(20 * DAY), schedule="monthly 2 07:00")
    assert not waits(story(32 * DAY), schedule="monthly 2 07:00")


def test_an_issue_has_articles_of_a_week_or_of_two_periods():
    assert oldest_allowed(plan()) == MONDAY_SEVEN - 7 * DAY
    assert oldest_allowed(plan("every 3h from 07:00 to 22:00")) == MONDAY_SEVEN - 7 * DAY
    assert oldest_allowed(plan("weekly mon 07:00")) == MONDAY_SEVEN - 14 * DAY
