"""Each article has one story, the first one recorded, and compose reads it."""

from __future__ import annotations

import asyncio

from service.store.stories import SqlStoryStore
from tests.builders import an_edition
from tests.store.stores import Stores


async def test_articles_come_in_gather_order_with_their_stories(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume", "Rates fall")
    stories = SqlStoryStore(stores.database)
    first, second, third = (a for a, _ in await stories.articles_between(0, 99, 10))
    await stories.record_stories({second.id: "talks"})

    assert [a.title for a in (first, second, third)] == ["Harbour reopens", "Talks resume", "Rates fall"]
    assert [story for _, story in await stories.articles_between(0, 99, 10)] == [None, "talks", None]
    assert await stories.articles_between(1, 2, 10) == [(second, "talks")]
    assert len(await stories.articles_between(0, 99, 2)) == 2


async def test_a_recorded_story_is_permanent(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    one, other = (a.id for a, _ in await stories.articles_between(0, 99, 10))

    assert await stories.record_stories({one: "first"}) == {one: "first"}
    assert await stories.record_stories({one: "second", other: "second"}) == {one: "first", other: "second"}
    assert await stories.record_stories({}) == {}


async def test_an_unknown_article_gets_no_story(stores: Stores):
    assert await SqlStoryStore(stores.database).record_stories({"unknown": "story"}) == {}


async def test_concurrent_workers_agree_on_a_story(stores: Stores):
    await stores.publish("Harbour reopens")
    stories = SqlStoryStore(stores.database)
    [(article, _)] = await stories.articles_between(0, 99, 10)
    answers = await asyncio.gather(*(stories.record_stories({article.id: f"story {n}"}) for n in range(20)))

    assert len({answer[article.id] for answer in answers}) == 1


async def test_compose_reads_the_story_of_each_article(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    [(article, _), _] = await stories.articles_between(0, 99, 10)
    await stories.record_stories({article.id: "harbour"})

    assert [released.story for released in await stores.compose.released_articles(an_edition(), 0, 99)] == [
        "harbour",
        "",
    ]
