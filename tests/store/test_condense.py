"""Summaries and failed attempts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.condense.ports import FailureResult
from service.core.errors import StoreError
from service.core.model import Block, BlockKind, CaveatKind, Grade, KeyPoint, Role, Summary, TextSpan
from service.store.mappers import Values
from tests.builders import NOON, an_article, an_edition, condensed
from tests.store.stores import Stores

TEXT = "The harbour reopened. It was not a victory. Two ferries remain in dock, the port said."
SUMMARY = Summary(
    "keypoints",
    (KeyPoint.from_source(TEXT, 0, 21, rank=1), KeyPoint.from_source(TEXT, 22, 43, Role.CAVEAT, 0, rank=0)),
)


async def test_a_summary_comes_back_as_it_was_and_stays_verbatim(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article])
    await stores.condense.record_summaries({article.id: SUMMARY}, NOON)
    [released] = await stores.compose.released_articles(an_edition(), 0, 1)
    assert released.summary == SUMMARY
    assert released.summary.is_verbatim(released.article.text)


async def test_blocks_and_introductions_come_back_as_they_were(stores: Stores):
    text = "The new rules:\n\nNo boats at night.\n\nNo fires."
    rules = TextSpan(0, 14)
    blocks = (
        Block(BlockKind.PARAGRAPH, *rules),
        Block(BlockKind.ITEM, 16, 34, rules),
        Block(BlockKind.PREFORMATTED, 36, 45, None, repeated=True),
    )
    article = replace(an_article("Harbour", text), blocks=blocks)
    points = (
        KeyPoint.from_source(text, 16, 34, introduction=rules),
        KeyPoint.from_source(text, 36, 45, Role.CAVEAT, rank=1, quoted=True),
    )
    await stores.store_articles([article])
    await stores.condense.record_summaries({article.id: Summary("keypoints", points)}, NOON)
    [released] = await stores.compose.released_articles(an_edition(), 0, 1)
    assert (released.article.blocks, released.summary.key_points) == (blocks, points)


async def test_the_marks_and_references_of_a_caveat_come_back_as_they_were(stores: Stores):
    text = "Holm spoke. He denied it. But nobody had asked him."
    points = (
        KeyPoint.from_source(text, 0, 11),
        replace(
            KeyPoint.from_source(text, 12, 25, Role.CAVEAT, rank=1),
            grade=Grade.STORY,
            kind=CaveatKind.DENIED,
            hint=TextSpan(0, 4),
        ),
        replace(KeyPoint.from_source(text, 26, len(text), rank=2), follows=1),
    )
    article = an_article("Harbour", text)
    await stores.store_articles([article])
    await stores.condense.record_summaries({article.id: Summary("keypoints", points)}, NOON)
    [released] = await stores.compose.released_articles(an_edition(), 0, 1)
    assert released.summary.key_points == points


async def test_a_condensed_article_does_not_wait(stores: Stores):
    await stores.store_articles([an_article("One"), an_article("Two"), an_article("Three")])
    [first] = await stores.condense.uncondensed(1)
    await stores.condense.record_summaries({first.id: condensed(first).summary}, NOON)
    assert [article.title for article in await stores.condense.uncondensed(10)] == ["Two", "Three"]


async def test_summaries_of_one_transaction_are_stored_with_their_articles(stores: Stores):
    one, two, three = [an_article(name, f"{name} ships came in.") for name in ("One", "Two", "Three")]
    await stores.store_articles([one, two, three])
    made = {article.id: condensed(article).summary for article in (three, one)}
    await stores.condense.record_summaries(made | {"unknown": SUMMARY}, NOON)
    assert [article.title for article in await stores.condense.uncondensed(10)] == ["Two"]
    await stores.condense.record_summaries({two.id: condensed(two).summary, one.id: SUMMARY}, NOON)
    released = await stores.compose.released_articles(an_edition(), 0, 3)
    assert {found.article.title: found.summary for found in released} == {
        "One": condensed(one).summary,  # SUMMARY is not in its text
        "Two": condensed(two).summary,
        "Three": condensed(three).summary,
    }


async def test_of_a_transaction_without_commit_no_summary_is_stored(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
):
    articles = [an_article(name) for name in ("One", "Two")]
    await stores.store_articles(articles)

    def fail(_summary: Summary) -> Values:
        raise StoreError("the disk is full")

    made = {article.id: condensed(article).summary for article in articles}
    monkeypatch.setattr("service.store.condense.summary_values", fail)
    with pytest.raises(StoreError):
        await stores.condense.record_summaries(made, NOON)
    assert len(await stores.condense.uncondensed(10)) == 2


async def test_a_later_summary_replaces_the_first(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article])
    await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)
    await stores.condense.record_summaries({article.id: SUMMARY}, NOON)
    [released] = await stores.compose.released_articles(an_edition(), 0, 1)
    assert released.summary == SUMMARY


async def test_the_third_failure_sets_an_article_aside(stores: Stores):
    article = an_article()
    await stores.store_articles([article])
    outcomes = [await stores.condense.record_failure(article.id, "no sentence in it", NOON) for _ in range(4)]
    assert outcomes == [
        FailureResult.RETRY,
        FailureResult.RETRY,
        FailureResult.SET_ASIDE,
        FailureResult.NOT_WAITING,
    ]
    assert await stores.condense.uncondensed(10) == []
    [line] = await stores.queries.articles()
    assert (line.state, line.problem, line.summary) == ("set_aside", "no sentence in it", None)


async def test_a_failure_that_no_retry_helps_sets_an_article_aside_at_once(stores: Stores):
    article = an_article()
    await stores.store_articles([article])
    outcome = await stores.condense.record_failure(article.id, "no sentence in it", NOON, may_retry=False)
    assert outcome is FailureResult.SET_ASIDE
    assert await stores.condense.uncondensed(10) == []


async def test_a_summary_after_failures_releases_the_article(stores: Stores):
    article = an_article()
    await stores.store_articles([article])
    for _ in range(3):
        await stores.condense.record_failure(article.id, "out of memory", NOON)
    await stores.condense.record_summaries({article.id: condensed(article).summary}, NOON)
    assert len(await stores.compose.released_articles(an_edition(), 0, 1)) == 1


async def test_a_summary_of_an_unknown_article_changes_nothing(stores: Stores):
    await stores.condense.record_summaries({"unknown": SUMMARY}, NOON)
    assert (await stores.queries.counts()).articles == 0
