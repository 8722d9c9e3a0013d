"""Quotation marks of many languages find their partners, and what has none is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.quotations import find_quotations, quotation_marks

QUOTED = {
    "English": "She said “we go” and left.",
    "American, straight": 'She said "we go." Then she left.',
    "British": "She said ‘we go’, then left.",
    "British, straight": "She said 'we go', then left.",
    "German": "Sie sagte „wir gehen“ und ging.",
    "German, books": "Sie sagte »wir gehen« und ging.",
    "Swiss": "Sie sagte «wir gehen» und ging.",
    "French": "Elle a dit : «\u00a0on y va\u00a0» puis rien.",
    "Swedish": "Hon sade ”vi går” och gick.",
    "Finnish, books": "Hän sanoi »me menemme» ja meni.",
    "Polish": "Powiedziała „idziemy” i wyszła.",
    "Dutch, old": "Zij zei ‚wij gaan’ en ging.",
    "Japanese": "彼女は「行く」と述べた。",
    "Chinese": "她说“我们走”就走了。",
    "Chinese, straight": '她说"我们走"就走了。',
    "Arabic": "قالت «نذهب» ثم ذهبت.",
}


def quotations(text: str) -> list[str]:
    return [text[start:end] for start, end in find_quotations(text).spans]


@pytest.mark.parametrize("language", QUOTED)
def test_a_quotation_is_found_in_the_marks_of_each_language(language: str):
    text = QUOTED[language]
    (found,) = quotations(text)
    assert found[1:-1].strip() in {
        "we go", "we go.", "wir gehen", "on y va", "vi går", "me menemme", "idziemy", "wij gaan",
        "行く", "我们走", "نذهب",
    }  # fmt: skip
    assert not find_quotations(text).unmatched


@pytest.mark.parametrize(
    "text",
    [
        "It’s the boys’ house, isn't it?",
        'The pipe is 5" wide, the mast 6\'2" high.',
        "In the ’90s rock ’n’ roll was old.",
        'דובר צה"ל אמר זאת',
        "The ‘80s are over.",
    ],
)
def test_apostrophes_inches_and_abbreviations_open_nothing(text: str):
    assert not find_quotations(text).unmatched
    assert all(end - start < 5 for start, end in find_quotations(text).spans)


def test_an_inner_quotation_belongs_to_the_outer_one():
    assert quotations("“He cried ‘help’ more,” she said.") == ["“He cried ‘help’ more,”"]
    assert quotations("«Il a dit “non” hier», dit-elle.") == ["«Il a dit “non” hier»"]


def test_marks_without_a_partner_are_told():
    assert find_quotations('It is old," he said.').unmatched == (10,)
    assert find_quotations("“It is old. “We go,” he said.").unmatched == (0,)
    assert find_quotations("「古い。").unmatched == (0,)


def test_a_question_mark_in_the_place_of_a_closing_mark_ends_the_quotation():
    text = 'She called it "a dump?, he said. "We go," she added.'
    assert quotations(text) == ['"We go,"']
    assert find_quotations(text).unmatched == (text.index('"'),)


def test_only_the_part_between_the_offsets_is_read():
    text = "“We go.” He said “no”."
    assert find_quotations(text, 9, len(text)).spans == ((17, 21),)


MARKS = st.text(alphabet="\"'“”„‘’‚«»‹›「」『』 ab.,?5\n")


@given(MARKS)
def test_quotations_are_disjoint_in_order_and_between_marks(text: str):
    found = find_quotations(text)
    at = 0
    for start, end in found.spans:
        assert at <= start < end - 1
        at = end
    assert list(found.unmatched) == sorted(set(found.unmatched))


@given(st.sampled_from(sorted(QUOTED.values())), st.sampled_from(sorted(QUOTED.values())))
def test_two_quotations_are_independent(first: str, second: str):
    both = f"{first} {second}"
    assert quotations(both) == [*quotations(first), *quotations(second)]


def test_quotation_marks_are_those_of_the_language():
    assert quotation_marks("de-AT", 0) == ("„", "“")
    assert quotation_marks("fr", 0) == ("«", "»")
    assert quotation_marks("en", 1) == ("‘", "’")
    assert quotation_marks("", 2) == ("“", "”")
