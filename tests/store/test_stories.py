"""Each article has one story, the first one recorded, and compose reads it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.compose.stories.assign import StoryAssigner
from service.core.ids import split_story_id
from service.core.read_models import StorySplit
from service.store.stories import SqlStoryStore
from tests.builders import NOON, an_edition
from tests.compose.reports import a_report
from tests.store.stores import MINUTE, Stores


async def test_articles_come_in_gather_order_with_their_stories(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume", "Rates fall")
    stories = SqlStoryStore(stores.database)
    first, second, third = (a for a, _ in await stories.articles_between(0, 99, 10))
    await stories.record_stories({second.id: "talks"}, split_count=0)

    assert [a.title for a in (first, second, third)] == ["Harbour reopens", "Talks resume", "Rates fall"]
    assert [story for _, story in await stories.articles_between(0, 99, 10)] == [None, "talks", None]
    assert await stories.articles_between(1, 2, 10) == [(second, "talks")]
    assert len(await stories.articles_between(0, 99, 2)) == 2


async def test_a_recorded_story_is_permanent(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    one, other = (a.id for a, _ in await stories.articles_between(0, 99, 10))

    assert await stories.record_stories({one: "first"}, split_count=0) == {one: "first"}
    assert await stories.record_stories({one: "second", other: "second"}, split_count=0) == {
        one: "first",
        other: "second",
    }
    assert await stories.record_stories({}, split_count=0) == {}


async def test_an_unknown_article_gets_no_story(stores: Stores):
    assert await SqlStoryStore(stores.database).record_stories({"unknown": "story"}, split_count=0) == {}


async def test_concurrent_workers_agree_on_a_story(stores: Stores):
    await stores.publish("Harbour reopens")
    stories = SqlStoryStore(stores.database)
    [(article, _)] = await stories.articles_between(0, 99, 10)
    answers = await asyncio.gather(
        *(stories.record_stories({article.id: f"story {n}"}, split_count=0) for n in range(20))
    )

    assert len({answer[article.id] for answer in answers}) == 1


async def test_compose_reads_the_story_of_each_article(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    [(article, _), _] = await stories.articles_between(0, 99, 10)
    await stories.record_stories({article.id: "harbour"}, split_count=0)

    assert [released.story for released in await stores.compose.released_articles(an_edition(), 0, 99)] == [
        "harbour",
        "",
    ]


# --- splits ------------------------------------------------------------------------------------


async def a_story_of_three(stores: Stores) -> tuple[SqlStoryStore, list[str]]:
    """Return the store and the ids of the articles of a story, whose id is that of the first one."""
    await stores.publish("Harbour reopens", "Harbour open again", "Ships return to the harbour")
    stories = SqlStoryStore(stores.database)
    ids = [article.id for article, _ in await stories.articles_between(0, 99, 10)]
    await stories.record_stories(dict.fromkeys(ids, ids[0]), split_count=0)
    return stories, ids


async def test_a_split_article_has_a_story_of_its_own(stores: Stores):
    stories, (first, second, third) = await a_story_of_three(stores)
    own = split_story_id(second, first)

    assert await stories.split(second, NOON) == own
    assert await stories.stories_of([first, second, third]) == {first: first, second: own, third: first}
    assert list(await stories.articles_of(first)) == [first, third]
    assert await stories.splits_of([second]) == [StorySplit(second, first, NOON)]
    assert [one.story for one in await stores.compose.released_articles(an_edition(), 0, 99)] == [
        first,
        own,
        first,
    ]


async def test_the_rest_keeps_the_story_when_the_first_article_is_split(stores: Stores):
    stories, (first, second, third) = await a_story_of_three(stores)
    own = await stories.split(first, NOON)

    assert own not in {first, None}
    assert await stories.stories_of([first, second, third]) == {first: own, second: first, third: first}


async def test_an_article_that_is_alone_or_has_no_story_is_not_split(stores: Stores):
    stories, (first, _, _) = await a_story_of_three(stores)
    await stories.split(first, NOON)
    await stores.publish("Talks resume")
    *_, (talks, _) = await stories.articles_between(0, 99, 10)

    assert await stories.split(first, NOON + MINUTE) is None
    assert await stories.split(talks.id, NOON) is None
    assert await stories.split("unknown", NOON) is None
    assert await stories.split_count() == 1


async def test_an_article_can_be_split_from_its_new_story_as_well(stores: Stores):
    stories, (first, second, _) = await a_story_of_three(stores)
    joined = await stories.split(second, NOON)
    await stores.publish("The harbour is open")
    *_, (late, _) = await stories.articles_between(0, 99, 10)
    assert joined is not None
    await stories.record_stories({late.id: joined}, split_count=1)

    assert await stories.split(second, NOON + MINUTE) == split_story_id(second, joined)
    assert [split.story for split in await stories.splits_of([second])] == [first, joined]
    assert list(await stories.articles_of(joined)) == [late.id]


async def test_stories_found_before_a_split_are_not_recorded(stores: Stores):
    stories, (first, _, third) = await a_story_of_three(stores)
    await stores.publish("The harbour is open")
    *_, (late, _) = await stories.articles_between(0, 99, 10)
    await stories.split(third, NOON)

    assert await stories.record_stories({late.id: first}, split_count=0) == {}
    assert await stories.record_stories({late.id: first}, split_count=1) == {late.id: first}


async def test_one_of_many_concurrent_splits_counts(stores: Stores):
    stories, (_, second, _) = await a_story_of_three(stores)
    answers = await asyncio.gather(*(stories.split(second, NOON) for _ in range(10)))

    assert sorted(answer is None for answer in answers) == [False] + [True] * 9
    assert await stories.split_count() == 1


async def test_every_worker_honours_a_split(stores: Stores):
    reports = [a_report(0), a_report(1)]
    await stores.store_articles(reports)
    stories = SqlStoryStore(stores.database)
    one, other = StoryAssigner(stories), StoryAssigner(stories)
    for assigner in (one, other):
        await assigner.assign(memory_position=0, release_position=2)
    assert len(set((await stories.stories_of([report.id for report in reports])).values())) == 1
    own = await stories.split(reports[0].id, NOON)

    for number, assigner in enumerate((one, other, StoryAssigner(stories))):
        again = replace(reports[0], id=f"again {number}", url=f"https://wire.example/{number}")
        await stores.store_articles([again])
        await assigner.assign(memory_position=0, release_position=3 + number)
        assert (await stories.stories_of([again.id]))[again.id] == own
