"""An edited article: a new text before it was sent, a correction afterwards."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from service.condense.ports import FailureResult
from service.core.model import Article, Block, BlockKind, FeedState
from service.gather.ports import PollResult
from service.store.schema import corrections
from tests.builders import NOON, a_feed, an_article, an_edition, condensed
from tests.store.stores import DAY, HOUR, Stores, an_issue

FIRST = an_article("Two ferries hit", "Two ferries were hit. Nobody was hurt.", gathered_at=NOON - HOUR)
EDITED = replace(FIRST, title="Three ferries hit", text="Three ferries were hit. One sailor was hurt.")


async def record_edits(stores: Stores, *edited: Article) -> None:
    """Record a poll that found these edited articles."""
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), edited=edited)])


async def condense_all(stores: Stores) -> None:
    for article in await stores.condense.uncondensed(10):
        await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)


async def stored(stores: Stores) -> list[tuple[str, str]]:
    """Return the title and the first key point of each released article."""
    released = await stores.compose.released_articles(an_edition(), 0, 99)
    assert all(
        condensed_article.summary.is_verbatim(condensed_article.article.text)
        for condensed_article in released
    )
    return [
        (condensed_article.article.title, condensed_article.summary.key_points[0].text)
        for condensed_article in released
    ]


async def stored_edits(stores: Stores) -> list[tuple[int, str, str]]:
    """Return the stored edits of articles: position, state and title."""
    async with stores.database.read() as connection:
        return [
            tuple(row)
            for row in await connection.execute(select(corrections.c["position", "state", "title"]))
        ]


async def send(stores: Stores, *articles: Article, through: int = 1) -> None:
    """Record an issue through this position with these articles."""
    await stores.subscribe("amina")
    group = await stores.due_group()
    issue = replace(an_issue(group, through=through), article_ids=tuple(a.id for a in articles))
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 1


async def test_an_uncondensed_article_gets_its_edit_at_once(stores: Stores):
    await stores.store_articles([FIRST])
    await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON)
    await record_edits(stores, EDITED)

    assert await stores.condense.uncondensed(10) == [replace(EDITED, position=1)]
    assert await stored_edits(stores) == []
    outcomes = [await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON) for _ in range(3)]
    assert outcomes == [FailureResult.RETRY, FailureResult.RETRY, FailureResult.SET_ASIDE]


async def test_an_edit_of_an_unsent_article_is_condensed_in_its_position(stores: Stores):
    await stores.store_articles([FIRST, an_article("Rates fall")])
    await condense_all(stores)
    await record_edits(stores, EDITED)
    await record_edits(stores, EDITED)

    assert (await stored(stores))[0] == ("Two ferries hit", "Two ferries were hit.")
    assert await stores.compose.release_position(NOON) == 2
    assert (await stores.queries.pending_work(NOON - DAY)).articles == 1
    await condense_all(stores)
    assert (await stored(stores))[0] == ("Three ferries hit", "Three ferries were hit.")
    assert len(await stored(stores)) == 2
    assert await stores.condense.uncondensed(10) == []
    assert await stored_edits(stores) == []


async def test_an_edit_brings_the_note_on_its_text(stores: Stores):
    cut, whole = replace(FIRST, text_note="its text was cut: it was too long"), an_article("Rates fall")
    await stores.store_articles([cut, whole])
    await record_edits(stores, replace(EDITED, text_note=""))
    assert [one.text_note for one in await stores.condense.uncondensed(10)] == ["", ""]

    await condense_all(stores)
    await record_edits(stores, replace(FIRST, text_note="its page was not used: it is too large"))
    [edited] = await stores.condense.uncondensed(10)
    assert edited.text_note == "its page was not used: it is too large"
    await condense_all(stores)
    [found] = await stores.queries.articles_by_id([FIRST.id])
    assert found.article.text_note == edited.text_note


async def test_a_sent_article_keeps_its_text_and_stores_only_the_latest_edit(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await send(stores, FIRST)
    await record_edits(stores, EDITED)
    await record_edits(stores, EDITED)

    assert await stores.condense.uncondensed(10) == []
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]
    assert await stored_edits(stores) == [(1, "kept", "Three ferries hit")]
    await record_edits(stores, replace(EDITED, title="Four ferries hit"))
    assert await stored_edits(stores) == [(1, "kept", "Four ferries hit")]


async def test_an_article_left_out_of_an_issue_can_still_be_replaced(stores: Stores):
    other = an_article("Rates fall")
    await stores.store_articles([FIRST, other])
    await condense_all(stores)
    await send(stores, other, through=2)
    await record_edits(stores, EDITED)
    await condense_all(stores)

    assert [title for title, _ in await stored(stores)] == ["Three ferries hit", "Rates fall"]


async def test_an_article_sent_while_its_edit_is_condensed_keeps_its_first_text(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await record_edits(stores, EDITED)
    [waiting] = await stores.condense.uncondensed(10)
    await send(stores, FIRST)
    await stores.condense.record_summaries({waiting.id: condensed(waiting).summary}, NOON)

    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]
    assert await stored_edits(stores) == [(1, "kept", "Three ferries hit")]


async def test_a_summary_of_an_outdated_text_is_ignored(stores: Stores):
    await stores.store_articles([FIRST])
    await record_edits(stores, EDITED)
    await stores.condense.record_summaries({FIRST.id: condensed(FIRST).summary}, NOON)
    assert await stored(stores) == []
    await condense_all(stores)
    await record_edits(stores, FIRST)
    await stores.condense.record_summaries({FIRST.id: condensed(EDITED).summary}, NOON)
    assert await stored(stores) == [("Three ferries hit", "Three ferries were hit.")]

    await condense_all(stores)
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]


async def test_a_reverted_edit_is_deleted(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await record_edits(stores, EDITED)
    await record_edits(stores, FIRST)

    assert await stores.condense.uncondensed(10) == []
    assert await stored_edits(stores) == []


async def test_an_edit_that_cannot_be_condensed_is_set_aside_and_the_old_text_stays(stores: Stores):
    await stores.store_articles([FIRST])
    await condense_all(stores)
    await record_edits(stores, EDITED)
    outcomes = [await stores.condense.record_failure(FIRST.id, "too long", NOON) for _ in range(4)]

    assert outcomes == [
        FailureResult.EDIT_RETRY,
        FailureResult.EDIT_RETRY,
        FailureResult.EDIT_SET_ASIDE,
        FailureResult.NOT_WAITING,
    ]
    assert await stores.condense.uncondensed(10) == []
    assert await stored(stores) == [("Two ferries hit", "Two ferries were hit.")]


async def test_an_edit_of_an_article_set_aside_is_condensed(stores: Stores):
    await stores.store_articles([FIRST])
    for _ in range(3):
        await stores.condense.record_failure(FIRST.id, "no sentence in it", NOON)
    await record_edits(stores, EDITED)
    await condense_all(stores)

    assert await stored(stores) == [("Three ferries hit", "Three ferries were hit.")]


async def test_an_edit_of_an_unknown_article_is_ignored(stores: Stores):
    await record_edits(stores, EDITED)

    assert (await stores.queries.counts()).articles == 0
    assert await stored_edits(stores) == []


async def test_an_edited_article_has_the_blocks_of_its_new_text(stores: Stores):
    heading, body = Block(BlockKind.HEADING, 0, 15), Block(BlockKind.PARAGRAPH, 17, 41)
    await stores.store_articles([FIRST])
    await condense_all(stores)
    text = "Three ferries\u00a0hit.\n\nThree ferries were hit now."
    await record_edits(stores, replace(EDITED, text=text, blocks=(heading, body)))
    [waiting] = await stores.condense.uncondensed(10)
    assert waiting.blocks == (heading, body)
    await condense_all(stores)
    [released] = await stores.compose.released_articles(an_edition(), 0, 99)
    assert (released.article.text, released.article.blocks) == (text, (heading, body))
