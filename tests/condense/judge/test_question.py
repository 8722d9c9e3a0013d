"""Question: numbered sentences within limits, candidates marked, the same key for the same question."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.judge import question as module
from service.condense.judge.question import (
    CONFIRMATION_FORMAT,
    MAX_JUDGE_CANDIDATES,
    MAX_QUESTION_CHARACTERS,
    MAX_QUESTION_SENTENCES,
    build_question,
)
from service.core.model import TextSpan
from tests.condense.judge.questions import BEST, SENTENCES, SPANS, TEXT, a_question


def test_every_sentence_has_its_number_and_the_candidates_are_listed():
    system, user = a_question().messages()
    assert [system["role"], user["role"]] == ["system", "user"]
    for number, sentence in enumerate(SENTENCES):
        assert f"[{number}] {sentence}\n" in user["content"]
    assert user["content"].endswith("Candidates: 0, 1, 2, 3, 4")
    assert "Headline: Port lends cranes\n" in user["content"]


def test_the_answer_may_only_have_numbers_of_candidates():
    schema = a_question().response_format()["json_schema"]["schema"]
    assert schema["properties"]["points"]["items"]["enum"] == [0, 1, 2, 3, 4]
    pair = schema["properties"]["pairs"]["items"]["properties"]
    assert pair["claim"]["enum"] == pair["caveat"]["enum"] == [0, 1, 2, 3, 4]


def test_formats_and_messages_are_json():
    question = a_question()
    confirmation = question.confirmation(SPANS[0], SPANS[2])
    for value in (question.messages(), question.response_format(), confirmation, CONFIRMATION_FORMAT):
        assert json.loads(json.dumps(value)) == value


def test_a_confirmation_shows_the_caveat_first_and_no_numbers():
    _, user = a_question().confirmation(SPANS[0], SPANS[2])
    assert user["content"] == f"A: {SENTENCES[2]}\nB: {SENTENCES[0]}"


def test_the_key_is_that_of_what_is_asked(monkeypatch: pytest.MonkeyPatch):
    key = a_question().key
    assert a_question().key == key
    others = [
        build_question(TEXT.replace("twelve", "thirty"), "Port lends cranes", SPANS, BEST),
        build_question(TEXT, "Another headline", SPANS, BEST),
        build_question(TEXT, "Port lends cranes", SPANS, BEST[:3]),
        build_question(TEXT, "Port lends cranes", SPANS[:5], BEST),
    ]
    monkeypatch.setattr(module, "PROMPT_VERSION", 1_000)
    assert len({key, a_question().key, *(other.key for other in others)}) == 6


def test_context_stops_at_the_limits_and_candidates_never_do():
    spans = [TextSpan(start, start + 300) for start in range(0, 90_000, 301)]
    question = build_question("word " * 20_000, "", spans, range(299, 200, -1))
    assert len(question.candidates) == MAX_JUDGE_CANDIDATES
    assert {question.spans[number] for number in question.candidates} == set(spans[-MAX_JUDGE_CANDIDATES:])
    assert sum(map(len, question.lines)) <= MAX_QUESTION_CHARACTERS

    short = [TextSpan(start, start + 9) for start in range(0, 9_000, 10)]
    numbered = build_question("word word " * 900, "", short, [899])
    assert numbered.spans == (*short[: MAX_QUESTION_SENTENCES - 1], short[899])


@given(st.text(max_size=200))
def test_a_sentence_stays_one_line_that_utf_8_can_hold(sentence: str):
    lines = build_question(sentence, sentence, [TextSpan(0, len(sentence))], [0])
    user = lines.messages()[1]["content"]
    assert user.encode("utf-8")
    assert len(user.splitlines()) <= 5
