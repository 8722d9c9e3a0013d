"""The three ranks of an issue: the first story, stories with points, and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.layout import (
    LEAD_POINTS,
    MAX_LISTED,
    MAX_SHORT,
    MIN_LINES,
    STORY_POINTS,
    Layout,
    SharedStories,
    in_sections,
    lay_out,
)
from service.compose.ranking import RankedStory
from service.compose.render.text_cleaning import WORDS_PER_MINUTE, reading_words
from service.compose.stories.group import GroupedStory
from service.compose.stories.merging.merge import merge_key_points
from service.compose.stories.shortening import count_points
from service.compose.stories.updates import StoryUpdate
from service.core.model import (
    CaveatKind,
    CondensedArticle,
    Grade,
    KeyPoint,
    Placement,
    Role,
    Score,
    Story,
    StoryPoint,
    Summary,
)
from tests.builders import a_report_on, an_article, an_edition
from tests.compose.digests import a_story, point, published

SENTENCES = [a_report_on(f"sentence {n}").split(". ")[0] + f", number {n}." for n in range(12)]


def told(title: str, points: int = 5, *, denied: bool = False, **changes) -> CondensedArticle:
    """Return an article of key points, after a caveat of its headline if it is `denied`."""
    sentences = [f"{title}: {sentence}" for sentence in SENTENCES[: points + denied]]
    article = an_article(title, " ".join(sentences), **changes)
    keys = []
    for rank, sentence in enumerate(sentences):
        start = article.text.index(sentence)
        key = KeyPoint.from_source(article.text, start, start + len(sentence))
        if denied and rank == 0:
            key = replace(key, role=Role.CAVEAT, grade=Grade.TIED, kind=CaveatKind.DENIED)
        keys.append(replace(key, rank=rank))
    return CondensedArticle(article, Summary("keypoints", tuple(keys)))


def ranked(*articles: CondensedArticle) -> list[RankedStory]:
    return [
        RankedStory(StoryUpdate(GroupedStory((one,))), Score((("age", float(-place)),)))
        for place, one in enumerate(articles)
    ]


def many(number: int, points: int = 5, **changes) -> list[RankedStory]:
    return ranked(*(told(f"Story {n}", points, **changes) for n in range(number)))


def laid_out(found: Sequence[RankedStory], **wishes) -> Layout:
    return lay_out(an_edition(**{"points": 8, **wishes}), found, merge_key_points)


def ranks(layout: Layout) -> str:
    """Return the placements in order, a letter for each."""
    return "".join(story.placement.value[0] for story in layout.stories)


def words_of_mail(layout: Layout) -> float:
    mailed = [one for one in layout.stories if one.placement is not Placement.WEB]
    return sum(
        reading_words(text)
        for story in mailed
        for text in (story.headline, *(line for p in story.points for line in (p.introduction, p.text)))
    )


# --- by number of stories ----------------------------------------------------------------------


def test_the_first_story_leads_and_the_others_have_points_up_to_the_number_of_stories():
    layout = laid_out(many(6), stories=3)

    assert ranks(layout) == "lss" + "s" * 3
    assert [story.placement for story in layout.stories[1:]] == [Placement.STORY] * 2 + [Placement.SHORT] * 3
    assert [len(story.points) for story in layout.stories] == [
        LEAD_POINTS,
        STORY_POINTS,
        STORY_POINTS,
        0,
        0,
        0,
    ]
    assert layout.left_out == 0


def test_the_edition_limits_the_lines_of_each_story():
    layout = laid_out(many(3), stories=3, points=2)

    assert [len(story.points) for story in layout.stories] == [2, 2, 2]


def test_one_story_leads_alone():
    assert ranks(laid_out(many(1))) == "l"


def test_editions_share_a_layout_if_only_their_labels_differ():
    found, shared = many(9), SharedStories()

    def laid_out_for(**wishes) -> Layout:
        return lay_out(an_edition(**wishes), found, merge_key_points, shared)

    first = laid_out_for(language="en", stories=4)
    assert laid_out_for(language="de", format="text", stories=4) is first
    for wishes in ({"stories": 3}, {"points": 1}, {"minutes": 1}):
        assert laid_out_for(**{"stories": 4, **wishes}) == laid_out(
            found, **{"points": 4, "stories": 4, **wishes}
        )


def test_without_stories_there_is_nothing_to_lay_out():
    assert laid_out([]) == Layout(())
    assert laid_out([], minutes=3) == Layout(())


def test_a_line_has_the_caveats_of_its_headline_and_no_points():
    layout = laid_out([*many(1), *ranked(told("Minister resigns", denied=True))], stories=1)
    line = layout.stories[-1]

    assert line.placement is Placement.SHORT
    assert [point.is_of_headline for point in line.points] == [True]
    assert line.points[0].kind is CaveatKind.DENIED


def test_a_line_about_a_known_story_has_the_caveats_of_its_headline_as_well():
    grouped = GroupedStory((told("Minister resigns", denied=True),))
    news = StoryPoint("News.", Role.POINT, grouped.articles[0].article, 0, 5)
    update = RankedStory(StoryUpdate(grouped, (news,)), Score())
    line = laid_out([*many(1), update], stories=1).stories[-1]

    assert line.is_update
    assert [point.is_of_headline for point in line.points] == [True]


def test_a_story_without_key_points_is_a_line_and_the_next_one_has_its_place():
    stories = ranked(told("One"), told("Two", 0), told("Three"))
    layout = laid_out(stories, stories=2)

    assert [(story.headline, story.placement) for story in layout.stories] == [
        ("One", Placement.LEAD),
        ("Three", Placement.STORY),
        ("Two", Placement.SHORT),
    ]


def test_only_stories_with_points_are_merged():
    asked = []

    def listening(articles, *, points, known=()):
        asked.append(articles[0].article.title)
        return merge_key_points(articles, points=points, known=known)

    lay_out(an_edition(stories=2), many(9), listening)

    assert asked == ["Story 0", "Story 1"]


def test_lines_beyond_those_of_the_mail_are_on_the_web_page():
    layout = laid_out(many(MAX_SHORT + 5), stories=2)

    assert ranks(layout) == "ls" + "s" * MAX_SHORT + "www"


def test_stories_beyond_the_page_are_counted():
    layout = laid_out(many(MAX_LISTED + 7, points=1), stories=2)

    assert len(layout.stories) == MAX_LISTED
    assert layout.left_out == 7


def test_a_story_keeps_the_reasons_for_its_place():
    assert [story.score.total for story in laid_out(many(3), stories=1).stories] == [0, -1, -2]


@given(
    st.integers(0, 90),
    st.integers(1, 12),
    st.integers(1, 8),
    st.one_of(st.none(), st.integers(1, 20)),
    st.lists(st.integers(0, 7), max_size=4),
)
def test_every_story_is_in_the_issue_once_and_within_its_limits(number, stories, points, minutes, lengths):
    articles = [told(f"Story {n}", lengths[n % len(lengths)] if lengths else 3) for n in range(number)]
    layout = laid_out(ranked(*articles), stories=stories, points=points, minutes=minutes)

    assert sorted(one.headline for one in layout.stories) == sorted(one.article.title for one in articles)
    placements = [story.placement for story in layout.stories]
    assert placements == sorted(placements, key=list(Placement).index)
    assert placements[:1] == [Placement.LEAD] * bool(number)
    detailed = [one for one in layout.stories if one.placement in (Placement.LEAD, Placement.STORY)]
    assert len(detailed) <= stories
    assert all(len(one.points) <= points for one in detailed)
    assert all(count_points(one.points) <= STORY_POINTS for one in detailed[1:])
    assert placements.count(Placement.SHORT) <= MAX_SHORT


# --- by reading time ---------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [2, 3, 5, 10])
def test_the_mail_takes_no_longer_than_the_reading_time(minutes: int):
    layout = laid_out(many(60), stories=50, minutes=minutes)

    assert words_of_mail(layout) <= minutes * WORDS_PER_MINUTE
    assert words_of_mail(layout) > minutes * WORDS_PER_MINUTE * 0.6
    assert Placement.SHORT in {story.placement for story in layout.stories}


def test_more_time_shows_more_stories_with_points():
    found = [laid_out(many(60), stories=50, minutes=minutes) for minutes in (1, 3, 6, 12)]
    detailed = [len([s for s in one.stories if s.placement is Placement.STORY]) for one in found]

    assert detailed == sorted(set(detailed))


def test_a_minute_is_enough_for_the_lead_and_some_lines():
    layout = laid_out(many(30), minutes=1)

    assert ranks(layout)[: 1 + MIN_LINES] == "l" + "s" * MIN_LINES
    assert layout.stories[0].points


def test_a_lead_without_other_stories_has_the_whole_time():
    wordy = ranked(told("Harbour " * 30))
    alone, with_others = laid_out(wordy, minutes=1), laid_out([*wordy, *many(30)], minutes=1)

    assert len(alone.stories[0].points) > len(with_others.stories[0].points) > 0


def test_the_number_of_stories_is_a_maximum_for_any_time():
    layout = laid_out(many(10), stories=3, minutes=60)

    assert [one.placement for one in layout.stories].count(Placement.STORY) == 2


def test_no_story_is_the_only_line_if_it_fits():
    for number in range(2, 6):
        layout = laid_out(many(number, points=2), stories=8, minutes=number)
        assert [one.placement for one in layout.stories].count(Placement.SHORT) != 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("one two three", 3), ("望远镜比预期", 1 + 3), ("ประเทศไทยมี", 1 + 2.2), ("صحيفة الواحة", 2), ("", 0)],
)
def test_scripts_without_spaces_are_counted_by_letters(text: str, words: float):
    assert reading_words(text) == pytest.approx(words)


# --- sections ----------------------------------------------------------------------------------


def about(*topics: str) -> list[Story]:
    """Return a story of each topic, "" for none; several words are several topics."""
    articles = [published(f"Story {n}", topics=tuple(named.split())) for n, named in enumerate(topics)]
    return [a_story([point(article, "One.")]) for article in articles]


def sections(stories: Sequence[Story]) -> list[tuple[str, str]]:
    return [(story.headline.removeprefix("Story "), story.section) for story in stories]


def test_stories_of_a_topic_stand_together_in_the_order_of_the_best_one():
    stories = in_sections(
        about(*["world", "economy", "world", "sport", "economy", "world", "art", "sport"]), ()
    )

    assert sections(stories) == [
        ("0", ""),
        *(("1", "economy"), ("4", "economy")),
        *(("2", "world"), ("5", "world")),
        *(("3", "sport"), ("7", "sport")),
        ("6", "art"),
    ]


def test_stories_without_a_topic_stand_before_the_sections():
    topics = ["a", "b", "b", "", "c", "c", "b", "c"]

    assert sections(in_sections(about(*topics), ()))[:2] == [("0", ""), ("3", "")]


def test_few_stories_or_one_topic_have_no_sections():
    few = about(*["world", "economy"] * 3)
    one = about(*["world"] * 9)
    mixed = about("world", *["world"] * 7, "art", "sport")

    for stories in (few, one, mixed):
        assert [story.section for story in in_sections(stories, ())] == [""] * len(stories)
        assert in_sections(stories, ()) == stories


def test_the_section_is_a_topic_of_the_edition():
    stories = about("x", *["world science"] * 4, *["world art"] * 4)

    assert {one.section for one in in_sections(stories, ("art", "science"))[1:]} == {"science", "art"}
    assert {one.section for one in in_sections(stories, ("world",))} == {""}


def test_the_section_is_the_most_specific_topic_of_several_stories():
    stories = about("x", *["world art"] * 3, *["world politics"] * 4, "world chess")

    assert [one.section for one in in_sections(stories, ())[1:]] == [*["art"] * 3, *["politics"] * 4, "world"]
