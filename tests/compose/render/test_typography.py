"""Typography: straight marks become those of the language, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.typography import typographic

TEXTS = [
    ("en", '"I took it," she said.', "“I took it,” she said."),
    ("en", "It's the fund's money.", "It’s the fund’s money."),
    ("en", "The boys' house, and 'no' to that.", "The boys’ house, and ‘no’ to that."),
    ("en", "The '90s were rock 'n' roll.", "The ’90s were rock ’n’ roll."),
    ("en", "He said: 'It's not the boys' house.'", "He said: ‘It’s not the boys’ house.’"),
    ("en", "\"He called it 'odd'.\"", "“He called it ‘odd’.”"),
    ("en", '("Yes")', "(“Yes”)"),
    ("en", "“It's odd”", "“It’s odd”"),
    ("en", '“He called it "odd"”', "“He called it ‘odd’”"),
    ("de", 'Sie sagte: "Nein."', "Sie sagte: „Nein.“"),
    ("de", "So geht's, sagt sie.", "So geht’s, sagt sie."),
    ("fr", 'Elle dit : "Non."', "Elle dit : «\u00a0Non.\u00a0»"),
    ("fr", "L'eau d'aujourd'hui", "L’eau d’aujourd’hui"),
    ("it", 'L\'ha detto "no".', "L’ha detto «no»."),
    ("sv", '"Nej", sade hon.', "”Nej”, sade hon."),
    ("ar", 'قال "لا" ثم سكت', "قال «لا» ثم سكت"),
    ("he", 'צה"ל הודיע', "צה״ל הודיע"),
    ("he", "ג'ורג' אמר", "ג׳ורג׳ אמר"),
    ("ja", '彼は "はい" と言った', "彼は 「はい」 と言った"),
    ("", '"Yes"', "“Yes”"),
]
UNCHANGED = [
    "It is 6'2\" tall.",
    'A 12" disc',
    'An unfinished "quotation',
    'print("hello")',
    "x = 'a'",
    '{"key": "value"}',
    '<a href="x">',
    "`it's`",
    "No marks at all",
    "“Typographic” already, it’s true",
]
STRAIGHT = str.maketrans(dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚‹›", "'") | {"\u00a0": None})


@pytest.mark.parametrize(("language", "text", "shown"), TEXTS)
def test_straight_marks_become_those_of_the_language(language: str, text: str, shown: str):
    assert typographic(text, language) == shown


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_is_not_clear_and_code_stay_as_they_are(text: str):
    assert typographic(text, "en") == text


@given(st.text("ab's \"(.)12“”"), st.sampled_from(["en", "de", "fr", "sv"]))
def test_only_marks_change(text: str, language: str):
    shown = typographic(text, language)

    plain = text.translate(STRAIGHT)
    assert shown.translate(STRAIGHT).replace("'", '"') == plain.replace("'", '"')


@given(st.text("ab's \"(.)12"))
def test_marks_are_replaced_once(text: str):
    shown = typographic(text, "en")

    assert typographic(shown, "en").count("“") >= shown.count("“")
    assert len(shown) == len(text)
