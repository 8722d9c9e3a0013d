"""Questions and answers by files: each line is checked by itself, and what was sent stays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.judge.offline import TOO_LATE, ImportedLine, export_questions, import_answers, judge_results
from tests.app.judge.newsroom import ARTICLES, DUE, Newsroom, a_newsroom, last_candidates

DAY = timedelta(days=1)


@pytest.fixture
async def newsroom(tmp_path: Path) -> AsyncIterator[Newsroom]:
    """Give an installation without a judge, with two articles for the next issue."""
    async with a_newsroom(tmp_path / "config", last_candidates, *ARTICLES, judge=False) as newsroom:
        yield newsroom


async def exported(newsroom: Newsroom) -> list[dict]:
    return [dict(question) async for question in export_questions(newsroom.app, DAY)]


async def imported(newsroom: Newsroom, *lines: object) -> list[ImportedLine]:
    """Import lines: objects as JSON, bytes and None as they are."""
    raw = [line if isinstance(line, bytes | None) else json.dumps(line).encode() for line in lines]
    return [line async for line in import_answers(newsroom.app, enumerate(raw, start=1), "Amina")]


def answer_to(question: dict, points: Sequence[int] | None = None) -> dict:
    return {"key": question["key"], "points": question["candidates"][-2:] if points is None else points}


async def test_answers_by_file_change_the_key_points_and_name_who_answered(newsroom: Newsroom):
    before = await newsroom.summaries()
    questions = await exported(newsroom)
    done = await imported(newsroom, *map(answer_to, questions))
    after = await newsroom.summaries()

    assert done == [ImportedLine(1, 1), ImportedLine(2, 1)]
    for article in ARTICLES:
        assert after[article.title].judge == "Amina"
        assert after[article.title].key_points != before[article.title].key_points
        assert after[article.title].is_verbatim(article.text)
    assert newsroom.endpoint.calls == []
    assert await judge_results(newsroom.app) == {"imported": 2}


async def test_an_export_changes_nothing_and_has_the_whole_prompt(newsroom: Newsroom):
    before = await newsroom.summaries()
    questions = await exported(newsroom)

    assert await exported(newsroom) == questions
    assert await newsroom.summaries() == before
    for question in questions:
        assert all(line in question["question"] for line in question["sentences"])


async def test_answered_questions_are_not_exported_again(newsroom: Newsroom):
    first, second = await exported(newsroom)
    await imported(newsroom, answer_to(first))

    assert await exported(newsroom) == [second]


async def test_a_later_answer_replaces_an_earlier_one(newsroom: Newsroom):
    question, _ = await exported(newsroom)
    title = question["headline"]
    await imported(newsroom, answer_to(question))
    first = (await newsroom.summaries())[title]
    done = await imported(newsroom, answer_to(question, question["candidates"][:1]))

    assert done == [ImportedLine(1, 1)]
    assert (await newsroom.summaries())[title].key_points != first.key_points


async def test_each_bad_line_is_named_and_the_others_count(newsroom: Newsroom):
    question, other = await exported(newsroom)
    before = await newsroom.summaries()
    lines = await imported(
        newsroom,
        b"The points are 1 and 2.",
        b"\xff{}",
        None,
        {"points": [0]},
        {"key": "unknown", "points": [0]},
        answer_to(question, [99]),
        {**answer_to(question), "text": "The mayor resigned."},
        b'{"key": ' + b"[" * 5_000,
        answer_to(other),
    )

    assert [line.number for line in lines if line.problem] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "not UTF-8" in lines[1].problem
    assert "too long" in lines[2].problem
    assert "no question with this key" in lines[4].problem
    assert "the number of no sentence" in lines[5].problem
    assert lines[8] == ImportedLine(9, 1)
    assert (await newsroom.summaries())[question["headline"]] == before[question["headline"]]


async def test_an_answer_after_the_issue_is_reported_and_changes_nothing(newsroom: Newsroom):
    questions = await exported(newsroom)
    before = await newsroom.summaries()
    newsroom.clock.at = DUE
    await newsroom.app.compose()

    assert await imported(newsroom, answer_to(questions[0])) == [ImportedLine(1, 0, TOO_LATE)]
    assert await newsroom.summaries() == before


async def test_an_answer_to_an_edited_article_is_reported_and_changes_nothing(newsroom: Newsroom):
    questions = {question["headline"]: question for question in await exported(newsroom)}
    await newsroom.edit(replace(ARTICLES[0], text=f"{ARTICLES[0].text} It rained all week in the valley."))
    before = await newsroom.summaries()

    assert await imported(newsroom, answer_to(questions[ARTICLES[0].title])) == [ImportedLine(1, 0, TOO_LATE)]
    assert await newsroom.summaries() == before
