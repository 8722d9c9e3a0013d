"""The order of an issue's stories, and the parts of each score."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.ranking import Ranker
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core.model import EarlierFigure, Role
from tests.builders import NOON, an_edition
from tests.compose.digests import caveat, point
from tests.compose.ranked import a_report, an_update, headlines, part, ranked, told_by

DAY = timedelta(days=1)


def test_a_rising_toll_leads_above_an_opera_house_that_reopens():
    opera = an_update("Opera house reopens after three years of repairs", hours_old=1, feed_rank=0)
    dam = an_update("Flood toll rises to 58 as second dam gives way", hours_old=6, feed_rank=4)

    assert headlines(opera, dam)[0].startswith("Flood toll")


def test_a_road_disaster_in_a_short_report_comes_before_a_football_report():
    bus = an_update("Six killed as coach leaves motorway", text="One paragraph.", topics=("world",))
    football = an_update("Striker the hero as United lift cup", topics=("sport", "world"), feed_rank=0)

    assert headlines(football, bus)[0].startswith("Six killed")
    assert part("sport", bus) == 0
    assert part("topic", football) < 0 < part("topic", bus)


def test_a_toll_in_words_counts_as_one_in_digits():
    assert part("toll", an_update("Six killed in landslide")) == part(
        "toll", an_update("6 killed in landslide")
    )
    assert part("toll", an_update("Dozens killed in landslide")) > part(
        "toll", an_update("Six killed in landslide")
    )


def test_a_short_report_loses_next_to_nothing():
    short = part("length", an_update(text="It is so."))

    assert -0.1 < short < 0 < part("length", an_update(text="It is so. " * 600))


def test_a_rate_cut_and_a_wealth_tax_come_before_a_harmless_tremor():
    tremor = an_update(
        "Earthquake of magnitude 4.1 shakes coast",
        text="There was no damage, nobody was hurt, and no tsunami warning was issued.",
        hours_old=1,
    )
    rates = an_update("Central bank cuts interest rates to 3 per cent", hours_old=5)
    tax = an_update("Parliament passes wealth tax by two votes", hours_old=9)

    assert headlines(tremor, rates, tax)[-1].startswith("Earthquake")


def test_more_publishers_raise_a_story():
    assert headlines(an_update("small"), an_update("big", publishers=4)) == ["big", "small"]


def test_the_first_item_of_a_feed_comes_before_its_tenth():
    tenth, first = an_update("tenth", feed_rank=9), an_update("first", feed_rank=0)

    assert headlines(tenth, first) == ["first", "tenth"]


def test_a_story_without_a_position_is_between_the_first_and_the_last():
    stories = an_update("last", feed_rank=40), an_update("unknown"), an_update("first", feed_rank=0)

    assert headlines(*stories) == ["first", "unknown", "last"]


def test_the_newer_of_two_equal_stories_comes_first():
    assert headlines(an_update("old", hours_old=9), an_update("new", hours_old=1)) == ["new", "old"]


def test_a_story_without_a_date_is_neither_new_nor_old():
    undated = an_update("undated", hours_old=0, published_at=None)
    stories = an_update("old", hours_old=20), undated, an_update("new", hours_old=1)

    assert headlines(*stories) == ["new", "undated", "old"]


def test_an_article_dated_in_the_future_counts_from_its_gathering():
    future = an_update("dreamt", hours_old=2, published_at=NOON + DAY)

    assert headlines(future, an_update("seen", hours_old=1)) == ["seen", "dreamt"]


def test_the_weight_of_a_feed_raises_its_stories():
    trusted, other = an_update("trusted", feed_id="ours"), an_update("other", feed_id="theirs")

    assert headlines(other, trusted, weights={"ours": 4.0}) == ["trusted", "other"]
    assert headlines(other, trusted, weights={"ours": 0.2}) == ["other", "trusted"]


def test_followed_words_come_first_and_muted_ones_not_at_all():
    harbour = an_update("A word on the harbour")
    big = an_update("Government resigns", publishers=8)

    assert headlines(big, harbour, follow=("harbour",))[0] == "A word on the harbour"
    assert headlines(big, harbour, mute=("harbour",)) == ["Government resigns"]


def test_a_word_in_a_key_point_is_followed_too():
    story = an_update("Something happened", text="The ferry to Ostrel is late.")

    assert part("followed words", story, follow=("Ostrel",)) > 0
    assert part("followed words", story, follow=("Ost",)) == 0


def test_more_of_an_editions_topics_raise_a_story():
    both = an_update(topics=("world", "science"))

    assert part("topics", both, topics=("world", "science")) > part("topics", both, topics=("world",)) == 0


def test_an_update_with_a_new_figure_or_caveat_is_above_one_with_neither():
    report = a_report("Toll rises").article
    plain = point(report, "The road is closed.")
    risen = replace(plain, earlier=(EarlierFigure("40", report, "40 died."),))

    assert part("update", an_update(new_points=(plain,))) < 0
    assert part("update", an_update(new_points=(plain, risen))) > 0
    assert part("update", an_update(new_points=(plain, caveat(report, "It is not confirmed.")))) > 0
    assert part("update", an_update()) == 0


def test_a_score_is_the_sum_of_its_parts_and_puts_the_larger_first():
    stories = ranked(*(an_update(f"story {n}", hours_old=n, publishers=1 + n % 4) for n in range(8)))
    totals = [one.score.total for one in stories]

    assert totals == sorted(totals, reverse=True)
    assert all(sum(value for _, value in one.score.parts) == one.score.total for one in stories)
    assert {"publishers", "freshness"} <= dict(stories[0].score.parts).keys()


# --- what a feed cannot buy ------------------------------------------------------------------------


def test_a_feed_that_repeats_an_article_has_one_publisher():
    same = told_by(["The Shouter"] * 6)

    assert part("publishers", same) == 0


def test_names_of_publishers_made_up_by_one_feed_count_twice_at_most():
    names = [f"Paper {n}" for n in range(8)]
    reports = tuple(a_report(publisher=name, feed_id="one feed") for name in names)
    made_up = StoryUpdate(GroupedStory(reports, len(names)))

    assert part("publishers", made_up) == part("publishers", told_by(names[:2]))


def test_only_publishers_within_two_days_count_together():
    old = [a_report(publisher=name, feed_id=name, hours_old=100) for name in ("A", "B")]
    story = StoryUpdate(GroupedStory((a_report(publisher="C", feed_id="C"), *old), 3))

    assert part("publishers", story) == part("publishers", told_by("AB"))


def test_capitals_and_repeated_words_change_nothing():
    plain, shouted = an_update("Fire in the harbour"), an_update("FIRE, FIRE, FIRE in the HARBOUR")

    assert part("harm", plain) == part("harm", shouted) > 0


def test_a_headline_stuffed_with_harm_stays_behind_what_four_publishers_tell():
    stuffed = an_update("War bomb attack murder massacre terror famine fire flood killed", feed_rank=0)
    news = an_update("Parliament passes wealth tax by two votes", publishers=4)

    assert headlines(stuffed, news)[0].startswith("Parliament")


# --- properties --------------------------------------------------------------------------------

STORIES = st.lists(
    st.builds(
        an_update,
        st.sampled_from(["Fire kills 4", "Horoscope", "Court rules", "Cup final", "A plain title"]),
        st.integers(1, 9),
        hours_old=st.floats(0, 99),
        publisher=st.sampled_from("ABC"),
        topics=st.sampled_from([("world",), ("sport",), ("sport", "world"), ()]),
        feed_rank=st.none() | st.integers(0, 60),
    ),
    max_size=14,
)


@given(STORIES, st.integers(1, 15), st.sampled_from([(), ("world",), ("world", "sport")]))
def test_every_story_is_ranked_once(updates, places, topics):
    found = ranked(*updates, stories=places, topics=topics)

    assert sorted(id(one.update) for one in found) == sorted(map(id, updates))


@given(STORIES)
def test_the_order_does_not_depend_on_what_was_ranked_before(updates):
    ranker, edition = Ranker({}), an_edition()
    first = ranker.rank(updates, edition, NOON)
    ranker.rank(updates[::2], an_edition(topics=("sport",), follow=("fire",)), NOON + DAY)

    assert ranker.rank(updates, edition, NOON) == first == ranked(*updates)


def test_editions_that_differ_in_nothing_of_the_order_share_it():
    ranker, updates = Ranker({}), (told_by("A"), told_by("B", "Fire kills 4"))
    first = ranker.rank(updates, an_edition(language="en", points=2), NOON)

    assert ranker.rank(updates, an_edition(language="de", points=4), NOON) is first
    assert ranker.rank(updates, an_edition(mute=("fire",)), NOON) == first[1:]


@given(
    st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=1, max_size=9, unique=True),
    st.sampled_from(["Fire kills 4", "Horoscope", "Cup final", "A plain title"]),
    st.none() | st.integers(0, 60),
    st.floats(0, 99),
    st.floats(0, 99),
)
def test_another_publisher_never_lowers_a_story(publishers, title, rank, hours_old, story_hours_old):
    story = told_by(publishers, hours_old=story_hours_old).story
    another = a_report(title, publisher="Z", feed_id="Z", feed_rank=rank, hours_old=hours_old)
    larger = GroupedStory((*story.articles, another), story.independent_publishers + 1)
    [before], [after] = ranked(StoryUpdate(story)), ranked(StoryUpdate(larger))

    assert after.score.total >= before.score.total


@pytest.mark.parametrize("language", ["en", "xx", "", "ja"])
def test_titles_in_any_language_are_ranked(language: str):
    assert len(ranked(an_update("地震", language=language), an_update("", language=language))) == 2


def test_the_roles_of_points_do_not_depend_on_the_ranking():
    [only] = ranked(an_update(new_points=(point(a_report().article, "One."),)))

    assert [one.role for one in only.update.new_points or ()] == [Role.POINT]
