"""An edited article has its publisher's new words until it was told, and a correction from then on."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from service.condense.ports import FailureResult
from service.core.model import Article, FeedState
from service.gather.ports import PollResult
from service.store.schema import corrections
from tests.builders import NOON, a_feed, an_article, an_edition, condensed
from tests.store.stores import DAY, HOUR, Stores, an_issue

FIRST = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FIRST, title="Three ferries hit", text="Three ferries were hit. One sailor was hurt.")


async def see(stores: Stores, *edited: Article) -> None:
    """Look at the feed and find these edited."""
    await stores.gather.record_poll(PollResult(FeedState(a_feed()), edited=edited))


async def condense_all(stores: Stores) -> None:
    for article in await stores.condense.uncondensed(10):
        await stores.condense.record_summary(article.id, condensed(article).summary, NOON)


async def stored(stores: Stores) -> list[tuple[str, str]]:
    """Return the title of each article that may be told, and its first key point."""
    told = await stores.compose.released_articles(an_edition(), 0, 99)
    assert all(one.summary.is_verbatim(one.article.text) for one in told)
    return [(one.article.title, one.summary.key_points[0].text) for one in told]


async def kept(stores: Stores) -> list[tuple[int, str, str]]:
    """Return what is kept beside the articles: position, state and title."""
    async with stores.database.read() as connection:
        return [
            tuple(row)
            for row in await connection.execute(select(corrections.c["position", "state", "title"]))
        ]


async def tell(stores: Stores, *articles: Article, through: int = 1) -> None:
    """Let an issue through this position tell these articles."""
    await stores.subscribe("amina")
    group = await stores.due_group()
    issue = replace(an_issue(group, through=through), article_ids=tuple(a.id for a in articles))
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 1


async def test_what_waits_for_condense_has_its_new_words_at_once(stores: Stores):
    await stores.store_articles([FIRST])
    await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON)
    await see(stores, EDITED)

    assert await stores.condense.uncondensed(10) == [replace(EDITED, position=1)]
    assert await kept(stores) == []
    outcomes = [await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON) for _ in range(3)]
    assert outcomes == [FailureResult.RETRY, FailureResult.RETRY, FailureResult.SET_ASIDE]


async def test_an_article_that_nobody_was_told_is_condensed_anew_in_its_place(stores: Stores):
    await stores.store_articles([FIRST, an_article("Rates fall")])
    await condense_all(stores)
    await see(stores, EDITED)
    await see(stores, EDITED)

    assert (await stored(stores))[0] == ("Two ferries hit", "Two ferries were hit.")
    assert await stores.compose.release_position(NOON) == 2
    assert (await stores.queries.pending_work(NOON - DAY)).articles == 1
    await condense_all(stores)
    assert (await stored(stores))[0] == ("Three ferries hit", "Three ferries were hit.")
    assert len(await stored(stores)) == 2
    assert await stores.condense.uncondensed(10) == []
    assert await kept(stores) == []


async def test_an_article_that_was_told_keeps_its_words_and_the_last_new_ones_once_beside_it(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await tell(stores, FIRST)
    await see(stores, EDITED)
    await see(stores, EDITED)

    assert await stores.condense.uncondensed(10) == []
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]
    assert await kept(stores) == [(1, "kept", "Three ferries hit")]
    await see(stores, replace(EDITED, title="Four ferries hit"))
    assert await kept(stores) == [(1, "kept", "Four ferries hit")]


async def test_an_issue_that_went_past_an_article_without_telling_it_leaves_it_free(stores: Stores):
    other = an_article("Rates fall")
    await stores.store_articles([FIRST, other])
    await condense_all(stores)
    await tell(stores, other, through=2)
    await see(stores, EDITED)
    await condense_all(stores)

    assert [title for title, _ in await stored(stores)] == ["Three ferries hit", "Rates fall"]


async def test_an_article_that_is_told_while_its_new_words_are_condensed_keeps_its_first(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await see(stores, EDITED)
    [waiting] = await stores.condense.uncondensed(10)
    await tell(stores, FIRST)
    await stores.condense.record_summary(waiting.id, condensed(waiting).summary, NOON)

    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]
    assert await kept(stores) == [(1, "kept", "Three ferries hit")]


async def test_a_summary_of_words_that_were_edited_meanwhile_is_passed_over(stores: Stores):
    await stores.store_articles([FIRST])
    await see(stores, EDITED)
    await stores.condense.record_summary(FIRST.id, condensed(FIRST).summary, NOON)
    assert await stored(stores) == []
    await condense_all(stores)
    await see(stores, FIRST)
    await stores.condense.record_summary(FIRST.id, condensed(EDITED).summary, NOON)
    assert await stored(stores) == [("Three ferries hit", "Three ferries were hit.")]

    await condense_all(stores)
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]


async def test_an_edit_that_is_taken_back_leaves_nothing_behind(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await see(stores, EDITED)
    await see(stores, FIRST)

    assert await stores.condense.uncondensed(10) == []
    assert await kept(stores) == []


async def test_new_words_that_cannot_be_condensed_are_set_aside_and_the_old_ones_stand(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await see(stores, EDITED)
    outcomes = [await stores.condense.record_failure(FIRST.id, "too long", NOON) for _ in range(4)]

    assert outcomes == [
        FailureResult.EDIT_RETRY,
        FailureResult.EDIT_RETRY,
        FailureResult.EDIT_SET_ASIDE,
        FailureResult.NOT_WAITING,
    ]
    assert await stores.condense.uncondensed(10) == []
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]


async def test_an_article_that_was_set_aside_gets_another_chance_by_its_new_words(stores: Stores):
    await stores.store_articles([FIRST])
    for _ in range(3):
        await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON)
    await see(stores, EDITED)
    await condense_all(stores)

    assert await stored(stores) == [("Three ferries hit", "Three ferries were hit.")]


async def test_an_edit_of_what_is_not_stored_is_passed_over(stores: Stores):
    await see(stores, EDITED)

    assert (await stores.queries.counts()).articles == 0
    assert await kept(stores) == []
