"""Questions, short replies and the labels before them."""

from __future__ import annotations

import pytest

from service.text.questions import is_question, is_short_reply, skip_label


@pytest.mark.parametrize(
    "text", ["Why?", "“Why?”", "なぜか？", "هل وافقت؟", "What?!", "Πού είναι\u037e", "(Really?)"]
)
def test_a_question_mark_of_any_script_ends_a_question(text: str):
    assert is_question(text)


@pytest.mark.parametrize("text", ["“Why?” he asked.", "Yes.", "", "?" + "." * 20])
def test_a_statement_is_no_question(text: str):
    assert not is_question(text)


@pytest.mark.parametrize("text", ["No.", "A: No.", "That is nonsense.", "Das ist Unsinn.", "违う。"])
def test_a_few_words_are_a_short_reply(text: str):
    assert is_short_reply(text)


@pytest.mark.parametrize(
    "text", ["It stays open until the end of May.", "我们将在五月份开放这条新的渡轮航线。"]
)
def test_a_statement_with_content_is_no_short_reply(text: str):
    assert not is_short_reply(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Q: Why?", "Why?"),
        ("FRAGE: Warum?", "Warum?"),
        ("Réponse : Non.", "Non."),
        ("问：为什么？", "为什么？"),
        ("LENA HOLM: No.", "LENA HOLM: No."),
        ("No label.", "No label."),
    ],
)
def test_labels_of_question_and_answer_are_skipped_and_names_stay(text: str, rest: str):
    assert text[skip_label(text) :] == rest
