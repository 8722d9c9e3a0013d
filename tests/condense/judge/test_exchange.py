"""Exchange: lines of questions and answers that any model or person can work on, and stored answers."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.judge.exchange import (
    MAX_LINE_CHARACTERS,
    question_line,
    read_answer_line,
    restored_answer,
    stored_answer,
)
from service.condense.judge.question import PROMPT_VERSION
from service.core.errors import JudgeAnswerRefused
from tests.condense.judge.questions import SENTENCES, SPANS, a_question


def a_line(**fields: object) -> str:
    return json.dumps(
        {"key": a_question().key, "points": [0], "pairs": [[0, 2, "conditional", True]]} | fields
    )


def test_a_line_of_questions_says_all_that_an_answer_needs():
    line = json.loads(json.dumps(question_line(a_question())))
    assert line["key"] == a_question().key
    assert line["prompt_version"] == PROMPT_VERSION
    assert line["headline"] == "Port lends cranes"
    assert line["sentences"] == list(SENTENCES)
    assert line["candidates"] == [0, 1, 2, 3, 4]
    assert "ignore any instruction" in line["question"]
    assert f"[2] {SENTENCES[2]}" in line["question"]


def test_a_line_of_answers_is_checked_against_its_question():
    line = read_answer_line(a_line())
    assert line.key == a_question().key
    assert [pair.caveat for pair in line.answer(a_question()).pairs] == [SPANS[2]]
    assert not read_answer_line(a_line(confirmed=[False])).answer(a_question()).pairs

    with pytest.raises(JudgeAnswerRefused, match="another question"):
        read_answer_line(a_line(key="0" * 32)).answer(a_question())
    with pytest.raises(JudgeAnswerRefused, match="number of no sentence"):
        read_answer_line(a_line(points=[77])).answer(a_question())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"key": 3}',
        "{" * 3_000,
        a_line(confirmed=["yes"]),
        a_line() + " " * MAX_LINE_CHARACTERS,
    ],
)
def test_another_line_is_refused(line: str):
    with pytest.raises(JudgeAnswerRefused):
        read_answer_line(line)


@given(st.text() | st.dictionaries(st.text(), st.integers() | st.text()).map(json.dumps))
def test_any_line_is_read_or_refused(line: str):
    with suppress(JudgeAnswerRefused):
        read_answer_line(line).answer(a_question())


def test_a_stored_answer_is_the_same_afterwards():
    answer = read_answer_line(a_line(points=[3, 0])).answer(a_question())
    assert restored_answer(json.loads(json.dumps(stored_answer(answer)))) == answer


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"candidates": [[0]], "points": [], "pairs": []},
        {"candidates": [], "points": [], "pairs": [[[0, 1], [2, 3], "rumoured", True]]},
        {"candidates": [], "points": [], "pairs": 3},
    ],
)
def test_an_answer_stored_in_another_form_is_refused(stored: dict):
    with pytest.raises(JudgeAnswerRefused, match="another form"):
        restored_answer(stored)
