"""Questions are shown with their answers, or not at all."""

from __future__ import annotations

from service.condense.block_reading import read_parts
from service.condense.dialogue import MAX_QUESTION_CHARACTERS, read_dialogue


def answers(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Return the question (or "") and the text of each candidate that may be shown."""
    parts = read_parts(text, (), language)
    read_dialogue(text, parts)
    return [
        (text[slice(*one.introduction)] if one.introduction else "", text[one.start : one.end])
        for part in parts
        for one in part.candidates
        if one.shown
    ]


def test_each_answer_of_an_interview_has_its_question():
    text = (
        "Will it close?\n\nIt stays open until 2031, by contract. We need it.\n\n"
        "Why?\n\nIt pays for the school."
    )
    assert answers(text) == [
        ("Will it close?", "It stays open until 2031, by contract."),
        ("Will it close?", "We need it."),
        ("Why?", "It pays for the school."),
    ]


def test_a_short_reply_takes_the_next_sentence_with_it():
    assert answers("Did you sell it?\n\nThat is nonsense. We let it, for two years.") == [
        ("Did you sell it?", "That is nonsense. We let it, for two years.")
    ]
    assert answers("Did you sell it?\n\nNo.") == [("Did you sell it?", "No.")]


def test_labels_of_question_and_answer_are_not_shown_and_names_are():
    text = (
        "Frage: Schließt die Linie?\n\nAntwort: Nein.\n\n"
        "LENA HOLM: Warum?\n\nMARROW: Sie ist zu teuer geworden."
    )
    assert answers(text, "de") == [
        ("Schließt die Linie?", "Nein."),
        ("LENA HOLM: Warum?", "MARROW: Sie ist zu teuer geworden."),
    ]


def test_prose_after_a_question_stands_alone_and_a_short_reply_does_not():
    assert answers("Why did it fail? The board says that the pier is too old for cars.") == [
        ("", "The board says that the pier is too old for cars.")
    ]
    assert answers("Will it open? Perhaps. Nobody knows the date so far.") == [
        ("Will it open?", "Perhaps. Nobody knows the date so far.")
    ]


def test_a_question_at_the_end_of_a_long_paragraph_asks_nobody():
    assert answers("It rained. It blew. It snowed. Who knew?\n\nThe council met in the evening.")[-1] == (
        "",
        "The council met in the evening.",
    )


def test_a_question_without_an_answer_is_not_shown():
    assert answers("The pier is shut. Will it open?") == [("", "The pier is shut.")]


def test_a_reply_to_a_question_too_long_to_show_is_not_shown():
    question = "Will it open " + "again " * (MAX_QUESTION_CHARACTERS // 6 + 1) + "soon?"
    assert answers(f"{question} No.") == []
