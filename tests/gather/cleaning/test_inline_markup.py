"""The table of inline markup: what is hidden, struck out, a footnote's mark, an emoji or a formula."""

from __future__ import annotations

import pytest

from service.gather.cleaning.inline_markup import (
    INSERTED_CLASSES,
    Meaning,
    ends_with_opening_mark,
    formula_text,
    meaning_of,
    picture_text,
)
from service.gather.cleaning.markup import MEANT_ATTRIBUTES, read_markup


@pytest.mark.parametrize(
    "attributes",
    [
        {"hidden": ""},
        {"aria-hidden": "true"},
        {"style": "color: red; DISPLAY : none !important"},
        {"style": "visibility:hidden"},
        {"style": "position:absolute; left:-9999px"},
        {"style": "clip: rect(1px, 1px, 1px, 1px)"},
        {"class": "screen-reader-text"},
        {"class": "text sr-only"},
        {"class": "Visually-Hidden"},
    ],
)
def test_what_readers_do_not_see_is_removed(attributes: dict[str, str]):
    assert meaning_of("span", attributes) is Meaning.REMOVED
    assert meaning_of("p", attributes) is Meaning.REMOVED


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"aria-hidden": "false"},
        {"style": "display:block"},
        {"style": "font-size:0.9em"},
        {"style": "content-visibility:hidden"},
        {"class": "hidden md:block"},
        {"class": "d-none d-md-inline-block"},
        {"class": "sr-only-not"},
    ],
)
def test_what_readers_see_stays(attributes: dict[str, str]):
    assert meaning_of("span", attributes) is Meaning.PLAIN


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("del", {}),
        ("s", {}),
        ("strike", {}),
        ("span", {"style": "text-decoration: line-through"}),
        ("span", {"style": "text-decoration-line: underline line-through"}),
        ("span", {"class": "strikethrough"}),
        ("rt", {}),
        ("rp", {}),
        ("script", {}),
    ],
)
def test_struck_out_text_and_readings_are_removed(tag: str, attributes: dict[str, str]):
    assert meaning_of(tag, attributes) is Meaning.REMOVED


@pytest.mark.parametrize("tag", ["ins", "abbr", "time", "em", "wbr", "rb", "mark", "u"])
def test_other_inline_elements_are_plain(tag: str):
    assert meaning_of(tag, {}) is Meaning.PLAIN


@pytest.mark.parametrize(
    "attributes",
    [
        {"href": "#fn1"},
        {"href": "https://velmarsh.example/a#_ftn12"},
        {"href": "#cite_note-4"},
        {"class": "footnote-ref"},
        {"class": "footnote-backref"},
        {"role": "doc-noteref"},
        {"epub:type": "noteref"},
        {"id": "fnref:2"},
    ],
)
def test_links_to_notes_are_recognised(attributes: dict[str, str]):
    assert meaning_of("a", attributes) is Meaning.NOTE


@pytest.mark.parametrize(
    "attributes",
    [
        {"href": "https://velmarsh.example/"},
        {"href": "#"},
        {"class": "noted"},
        {"class": "footer-link"},
        {"id": "fnord"},
    ],
)
def test_other_links_are_plain(attributes: dict[str, str]):
    assert meaning_of("a", attributes) is Meaning.PLAIN


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"alt": "🚢"}, "🚢"),
        ({"alt": ":ferry:", "class": "custom-emoji"}, ":ferry:"),
        ({"alt": "{\\displaystyle E=mc^{2}}", "class": "mwe-math-fallback-image-inline"}, "E=mc²"),
        ({"alt": "$x_1$", "class": "latex"}, "x₁"),
        ({"alt": "A lighthouse"}, ""),
        ({"alt": "2"}, ""),
        ({"class": "emoji"}, ""),
    ],
)
def test_only_emoji_and_formulas_are_text(attributes: dict[str, str], text: str):
    assert picture_text(attributes) == text


def test_a_formula_keeps_what_cannot_be_raised():
    assert formula_text("\\( 10^{6} + a^{n/2} \\)") == "10⁶ + a^{n/2}"


@pytest.mark.parametrize("text", ["“", 'He said "', "Er sagt „", "他说“", "dit «", "('", "d'«"])
def test_a_mark_before_a_quotation_opens_it(text: str):
    assert ends_with_opening_mark(text)


@pytest.mark.parametrize("text", ["", "d'", "dell'", "l'«oui»", '5"', "he said", "dit : "])
def test_an_apostrophe_or_a_closing_mark_opens_nothing(text: str):
    assert not ends_with_opening_mark(text)


@pytest.mark.parametrize(
    "inserted",
    [
        "<figure class='kg-card kg-bookmark-card'><a><div>Ten lakes</div><div>With maps.</div></a></figure>",
        "<div class='subscription-widget-wrap'><p>This paper is paid by its readers.</p></div>",
        "<p class='button-wrapper'><a>Tell a friend</a></p>",
        "<div class='sharedaddy sd-sharing-enabled'><h3>Share this:</h3><ul><li>Mail</li></ul></div>",
    ],
)
def test_what_a_publishing_program_inserts_into_a_text_is_removed(inserted: str):
    read = read_markup(f"<p>The lagoon is warmer.</p>{inserted}<p>Two buoys were moved.</p>")

    assert read.text == "The lagoon is warmer.\n\nTwo buoys were moved."


def test_each_class_of_inserted_elements_is_looked_for():
    assert all(any(part in name for part in MEANT_ATTRIBUTES) for name in INSERTED_CLASSES)
    assert "A card" in read_markup("<div class='kg-card'><p>A card game was played.</p></div>").text
