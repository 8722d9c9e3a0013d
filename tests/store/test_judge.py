"""A question to a judge is asked once, within a budget; its summary never changes what was sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.condense.ports import ANSWERED, ASKED, ClaimResult, JudgeRecord
from service.core.model import KeyPoint, Summary
from service.store.judge import SqlJudgeStore
from tests.builders import NOON, a_feed, an_article, an_edition, condensed
from tests.store.stores import DAY, HOUR, MINUTE, Stores, an_issue

TEXT = "The harbour reopened. It was not a victory. Two ferries remain in dock, the port said."
ARTICLE = an_article("Harbour", TEXT)
JUDGED = Summary("keypoints", (KeyPoint.from_source(TEXT, 22, 43),), judge="qwen (127.0.0.1)")
QUESTION = JudgeRecord("key", "qwen", "127.0.0.1", NOON, ASKED)
ANSWER = {"candidates": [[0, 21]], "points": [[0, 21]], "pairs": []}


@pytest.fixture
def judge(stores: Stores) -> SqlJudgeStore:
    return SqlJudgeStore(stores.database)


async def sent(stores: Stores, *articles: str) -> None:
    """Make an issue with these articles (ids)."""
    await stores.subscribe("amina")
    group = await stores.due_group()
    await stores.compose.record_issue(
        group, replace(an_issue(group), article_ids=articles), NOON + DAY, "file"
    )


async def with_summary(stores: Stores) -> None:
    await stores.store_articles([ARTICLE])
    await stores.condense.record_summaries({ARTICLE.id: condensed(ARTICLE).summary}, NOON)


async def summary_of(stores: Stores) -> Summary:
    [released] = await stores.compose.released_articles(an_edition(), 0, 1)
    return released.summary


async def test_a_question_is_granted_once(judge: SqlJudgeStore):
    assert await judge.claim(QUESTION, 500) is ClaimResult.GRANTED
    assert await judge.claim(replace(QUESTION, asked_at=NOON + DAY), 500) is ClaimResult.TAKEN
    assert await judge.find("key") == [QUESTION]


async def test_another_model_may_be_asked_the_same(judge: SqlJudgeStore):
    await judge.claim(QUESTION, 500)
    assert await judge.claim(replace(QUESTION, model="other"), 500) is ClaimResult.GRANTED


async def test_the_budget_is_that_of_the_last_24_hours(judge: SqlJudgeStore):
    questions = [replace(QUESTION, key=str(n), asked_at=NOON + n * HOUR) for n in range(3)]
    claims = [await judge.claim(question, 2) for question in questions]
    assert claims == [ClaimResult.GRANTED, ClaimResult.GRANTED, ClaimResult.SPENT]
    assert await judge.find("2") == []
    assert (
        await judge.claim(replace(QUESTION, key="2", asked_at=NOON + DAY + MINUTE), 2) is ClaimResult.GRANTED
    )


async def test_imported_answers_do_not_count_against_the_budget(judge: SqlJudgeStore):
    await judge.record(replace(QUESTION, key="0", host="", result=ANSWERED, answer=ANSWER))
    assert await judge.claim(QUESTION, 1) is ClaimResult.GRANTED


async def test_an_answer_comes_back_as_it_was_and_replaces_the_question(judge: SqlJudgeStore):
    answered = replace(QUESTION, result=ANSWERED, answer=ANSWER)
    await judge.claim(QUESTION, 500)
    await judge.record(answered)
    assert await judge.find("key") == [answered]
    assert await judge.find("another key") == []


async def test_the_newest_record_of_a_question_is_first(judge: SqlJudgeStore):
    imported = JudgeRecord("key", "Amina", "", NOON + HOUR, ANSWERED, ANSWER)
    for record in (QUESTION, imported):
        await judge.record(record)
    assert await judge.find("key") == [imported, QUESTION]
    assert (imported.judge, QUESTION.judge) == ("Amina", "qwen (127.0.0.1)")


async def test_questions_are_counted_by_result(judge: SqlJudgeStore):
    for key, result in (("1", ANSWERED), ("2", ANSWERED), ("3", "timeout")):
        await judge.record(replace(QUESTION, key=key, result=result))
    await judge.record(JudgeRecord("1", "Amina", "", NOON, ANSWERED, ANSWER))
    await judge.record(replace(QUESTION, key="4", asked_at=NOON - DAY))
    assert await judge.counts(NOON - HOUR) == {ANSWERED: 2, "timeout": 1, "imported": 1}


async def test_old_records_are_deleted(judge: SqlJudgeStore):
    await judge.record(QUESTION)
    await judge.note_exported({"key": ["a"]}, NOON)
    await judge.record(replace(QUESTION, key="new", asked_at=NOON + DAY))
    assert await judge.prune(NOON + HOUR) == 2
    assert [await judge.find(key) for key in ("key", "new")] == [
        [],
        [replace(QUESTION, key="new", asked_at=NOON + DAY)],
    ]


async def test_a_summary_with_evidence_replaces_the_first(stores: Stores, judge: SqlJudgeStore):
    await with_summary(stores)
    assert await judge.replace_summary(ARTICLE, JUDGED, NOON)
    assert await summary_of(stores) == JUDGED


async def test_an_article_without_a_summary_gets_none(stores: Stores, judge: SqlJudgeStore):
    await stores.store_articles([ARTICLE])
    assert not await judge.replace_summary(ARTICLE, JUDGED, NOON)
    assert [article.id for article in await stores.condense.uncondensed(10)] == [ARTICLE.id]


async def test_an_article_in_an_issue_keeps_its_summary(stores: Stores, judge: SqlJudgeStore):
    await with_summary(stores)
    before = await summary_of(stores)
    await sent(stores, ARTICLE.id)
    assert not await judge.replace_summary(ARTICLE, JUDGED, NOON)
    assert await summary_of(stores) == before


@pytest.mark.parametrize("edit", [{"title": "Another"}, {"text": TEXT + " It rained."}])
async def test_an_edited_article_keeps_its_summary(
    stores: Stores, judge: SqlJudgeStore, edit: dict[str, str]
):
    await with_summary(stores)
    assert not await judge.replace_summary(replace(ARTICLE, **edit), JUDGED, NOON)
    assert (await summary_of(stores)).judge == ""


async def test_a_summary_by_the_usual_way_forgets_the_judge(stores: Stores, judge: SqlJudgeStore):
    await with_summary(stores)
    await judge.replace_summary(ARTICLE, JUDGED, NOON)
    await stores.condense.record_summaries({ARTICLE.id: condensed(ARTICLE).summary}, NOON)
    assert (await summary_of(stores)).judge == ""


async def test_articles_in_no_issue_are_found(stores: Stores, judge: SqlJudgeStore):
    await with_summary(stores)
    other = an_article("Other")
    await stores.store_articles([other])
    await sent(stores, ARTICLE.id)
    assert await judge.unsent([ARTICLE.id, other.id, "unknown"]) == {other.id}
    assert await judge.unsent([]) == set()


async def test_the_articles_of_an_exported_question_are_found(stores: Stores, judge: SqlJudgeStore):
    twin = an_article("Twin", TEXT, feed_id=a_feed().id)
    await stores.store_articles([ARTICLE, twin])
    for _ in range(2):
        await judge.note_exported({"key": [ARTICLE.id, twin.id]}, NOON)
    assert [article.id for article in await judge.exported("key")] == [ARTICLE.id, twin.id]
    assert await judge.exported("another") == []
