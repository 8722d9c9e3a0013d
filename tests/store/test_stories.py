"""Each article has one story, the first that was written down, and compose is told which."""

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


async def test_a_story_once_given_stands(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    one, other = (a.id for a, _ in await stories.articles_between(0, 99, 10))

    assert await stories.record_stories({one: "first"}) == {one: "first"}
    assert await stories.record_stories({one: "second", other: "second"}) == {one: "first", other: "second"}
    assert await stories.record_stories({}) == {}


async def test_what_is_not_stored_gets_no_story(stores: Stores):
    assert await SqlStoryStore(stores.database).record_stories({"a stranger": "story"}) == {}


async def test_many_workers_at_once_agree(stores: Stores):
    await stores.publish("Harbour reopens")
    stories = SqlStoryStore(stores.database)
    [(article, _)] = await stories.articles_between(0, 99, 10)
    said = await asyncio.gather(*(stories.record_stories({article.id: f"story {n}"}) for n in range(20)))

    assert len({answer[article.id] for answer in said}) == 1


async def test_compose_is_told_the_story_of_each_article(stores: Stores):
    await stores.publish("Harbour reopens", "Talks resume")
    stories = SqlStoryStore(stores.database)
    [(article, _), _] = await stories.articles_between(0, 99, 10)
    await stories.record_stories({article.id: "harbour"})

    assert [told.story for told in await stores.compose.released_articles(an_edition(), 0, 99)] == [
        "harbour",
        "",
    ]
