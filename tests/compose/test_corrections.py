"""Corrections of sentences that were sent and changed since; a changed comma is no correction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.compose.corrections import find_correction, normalized_words
from service.compose.ports import EditedArticle
from service.core import ids as identity
from service.core.model import Correction, Edit, Excerpt, SentenceChange
from service.text.sentences import split_sentences
from tests.builders import NOON, an_article, condensed

HIT = "Two ferries were hit in the storm on Monday."
HURT = "Nobody was hurt, the harbour master said."
WAIT = "The ferry to Oltmark waits until Thursday."
TEXT = f"{HIT} {HURT}\n\n{WAIT} A second storm is not expected. The quay stays open."


def an_edit(
    text: str, *sent: str, before: str = TEXT, language: str = "en", shown: str | None = None
) -> EditedArticle:
    """Return an edit to `text` of an article of which these sentences were sent."""
    article = an_article("Ferries hit", before, language=language)
    summary = condensed(article, *sent).summary
    edit = Edit(identity.edit_key(article.id, article.title, text), article.title, text, NOON)
    return EditedArticle(article, summary, edit, (" ".join(sent) if shown is None else shown,))


def changes(edited: EditedArticle) -> list[tuple[str, str]]:
    """Return the corrections as pairs, the second one "" for a removed sentence."""
    found = find_correction(edited)
    for change in found.changes if found else ():
        assert is_slice(change, edited)
    return [(c.sent.text, c.current.text if c.current else "") for c in found.changes] if found else []


def is_slice(change: SentenceChange, edited: EditedArticle) -> bool:
    sources = {"": edited.article.text, edited.edit.key: edited.edit.text}
    lines = [line for line in (change.sent, change.current) if line and line.edit in sources]
    return all(sources[line.edit][line.start : line.end] == line.text for line in lines)


def test_a_changed_sentence_is_shown_with_the_new_one():
    three = HIT.replace("Two", "Three")

    assert changes(an_edit(TEXT.replace(HIT, three), HIT, HURT)) == [(HIT, three)]


def test_a_changed_list_item_is_shown_with_the_new_one():
    items = "The fee rises from 4 to 6 crowns a head\n\nNight work at the quay is banned from June"
    text = f"{TEXT}\n\nThe rules:\n\n{items}"
    now = text.replace("6 crowns", "7 crowns")
    first = items.split("\n\n", maxsplit=1)[0]

    assert changes(an_edit(now, first, before=text)) == [(first, first.replace("6", "7"))]
    assert changes(an_edit(text.replace("HIT", "It"), first, before=text)) == []


def test_a_changed_quotation_of_several_sentences_is_shown_whole():
    quotation = "“We shut the pier. It is far too old,” Holm said."
    text = f"{TEXT}\n\n{quotation}"
    now = text.replace("far too old", "old and rotten")

    assert changes(an_edit(now, quotation, before=text)) == [
        (quotation, quotation.replace("far too old", "old and rotten"))
    ]


def test_a_removed_sentence_is_reported():
    assert changes(an_edit(TEXT.replace(f" {HURT}", ""), HIT, HURT)) == [(HURT, "")]


@pytest.mark.parametrize(
    "now",
    [
        TEXT.replace("storm on", "storm, on"),
        TEXT.replace("Two ferries", "TWO ferries").replace("Monday.", "Monday!"),
        TEXT.replace("\n\n", " "),
        f"{WAIT} {HURT} {HIT} The quay stays open. A second storm is not expected.",
        TEXT + " More is to follow. The mayor will speak at noon.",
        TEXT.replace("A second storm is not expected.", "A second storm is expected."),
    ],
    ids=[
        "a comma",
        "capitals and marks",
        "paragraphs",
        "order",
        "more text",
        "a sentence that was not sent",
    ],
)
def test_unchanged_sentences_give_no_correction(now: str):
    assert changes(an_edit(now, HIT, HURT)) == []


@pytest.mark.parametrize(
    ("sent", "now"),
    [
        ("Some 110 people were hurt.", "Some 10 people were hurt."),
        ("It cost 1.5 million marks.", "It cost 15 million marks."),
        ("It cost $5 for everybody.", "It cost €5 for everybody."),
        ("Output fell by -3 per cent.", "Output fell by 3 per cent."),
        ("He is in the office now.", "He is not in the office now."),
        ("Twenty-two died in the fire.", "Two died in the fire."),
        ("新望远镜拍摄了两千个星系。", "新望远镜拍摄了三千个星系。"),
        ("मंत्री शहर में है।", "मंत्री शहर मैं है।"),
    ],
)
def test_every_word_number_and_sign_counts(sent: str, now: str):
    rest = " The mayor spoke. The harbour is closed. The school is open."

    assert changes(an_edit(now + rest, sent, before=sent + rest)) == [(sent, now)]


def test_the_end_of_another_sentence_does_not_count_as_the_sentence():
    sent, rest = "Two died.", " The mayor spoke. The harbour is closed."
    denied = "Officials denied that Two died."

    assert changes(an_edit(denied + rest, sent, before=sent + rest)) == [(sent, denied)]
    assert changes(an_edit("Two died.5 of them." + rest, sent, before=sent + rest)) != []


def test_a_sentence_that_no_issue_showed_is_not_corrected():
    edited = an_edit(TEXT.replace("Two", "Three"), HIT, HURT, shown=f"The storm\n   * {HURT}")

    assert changes(edited) == []


def test_a_sentence_is_recognized_with_the_line_breaks_of_a_theme():
    shown = "   * Two ferries were hit\n     | in the storm on\n     | Monday. (The Courier, 05:00)"

    assert len(changes(an_edit(TEXT.replace("Two", "Three"), HIT, shown=shown))) == 1


def test_a_rewritten_article_gives_no_correction():
    rewritten = (
        "The storm has passed. Schools open again. Fishermen count what is left. The mayor thanked all."
    )

    assert changes(an_edit(rewritten, HIT, HURT)) == []


@pytest.mark.parametrize("now", ["", HIT.replace("Two", "Three"), "Sign in to read on. " * 60])
def test_a_teaser_or_a_paywall_gives_no_correction(now: str):
    assert changes(an_edit(now, HIT, HURT)) == []


def test_a_second_edit_is_compared_with_the_correction_sent_last():
    three, four = HIT.replace("Two", "Three"), HIT.replace("Two", "Four")
    before = find_correction(an_edit(TEXT.replace(HIT, three), HIT, HURT))
    assert before
    second = replace(an_edit(TEXT.replace(HIT, four), HIT, HURT), previous_changes=(before.changes,))
    back = replace(an_edit(TEXT, HIT, HURT), previous_changes=(before.changes,))

    assert changes(second) == [(three, four)]
    assert changes(back) == [(three, HIT)]
    assert (
        changes(replace(second, previous_changes=((SentenceChange(Excerpt(HIT, 0, len(HIT)), None),),))) == []
    )


def test_a_correction_has_the_article_as_sent_and_the_edit():
    edited = an_edit(TEXT.replace("Two", "Three"), HIT)
    found = find_correction(edited)

    assert isinstance(found, Correction)
    assert (found.article, found.edit) == (edited.article, edited.edit)


def test_normalized_words_have_no_case_and_punctuation():
    words = normalized_words("The “€1,200.50” deal, signed at 10:30 – by twenty-two.")
    assert " ".join(words) == "the € 1,200.50 deal signed at 10:30 by twenty-two"
    assert normalized_words("\u22123 % of it’s") == ("-3", "%", "of", "it’s")


@settings(max_examples=60)
@given(
    st.text(st.characters(codec="utf-8"), max_size=200), st.text(st.characters(codec="utf-8"), max_size=200)
)
def test_the_shown_sentences_are_in_the_texts_for_any_texts(before: str, now: str):
    sent = [before[a:b] for a, b in split_sentences(before, "en")[:3] if before[a:b].strip()]
    if sent:
        changes(an_edit(now, *dict.fromkeys(sent), before=before))


def test_the_time_of_the_edit_makes_no_difference():
    edited = an_edit(TEXT.replace("Two", "Three"), HIT)
    later = replace(edited, edit=replace(edited.edit, at=NOON + timedelta(hours=9)))

    assert changes(edited) == changes(later)


# --- headlines ---------------------------------------------------------------------------------

SUNK = "Two ferries sunk in storm"


def a_retitled(title: str, *, before: str = SUNK, shown: str | None = None, **changes) -> EditedArticle:
    """Return an edit of the title alone, of an article whose headline was sent."""
    article = an_article(before, TEXT, **changes)
    summary = condensed(article, HIT).summary
    edit = Edit(identity.edit_key(article.id, title, TEXT), title, TEXT, NOON)
    return EditedArticle(article, summary, edit, (f"{before}\n{HIT}" if shown is None else shown,))


def test_a_headline_with_other_words_is_corrected():
    edited = a_retitled("Two ferries damaged in storm")
    found = find_correction(edited)

    assert changes_of(found) == [(SUNK, "Two ferries damaged in storm")]
    assert found is not None
    assert [change.sent.is_headline for change in found.changes] == [True]


def changes_of(found: Correction | None) -> list[tuple[str, str]]:
    return [(c.sent.text, c.current.text if c.current else "") for c in found.changes] if found else []


@pytest.mark.parametrize(
    "title",
    [
        SUNK,
        "TWO FERRIES SUNK IN STORM",
        "Two ferries sunk in storm!",
        "“Two ferries sunk” in storm",
        "Two ferries sunk in storm | News",
        "Two ferries sunk in storm - The Harbour Post",
        "Two ferries sunk in storm – Harbour Post",
        "Two ferries sunk in storm | World | The Harbour Post",
        "Two ferries sunk in storm — harbourpost.example",
        "  Two  ferries sunk in storm ",
    ],
)
def test_case_marks_and_the_name_of_the_site_are_no_correction(title: str):
    site = {"publisher": "The Harbour Post", "url": "https://www.harbourpost.example/1"}

    assert find_correction(a_retitled(title, **site)) is None
    assert find_correction(a_retitled(SUNK, before=title, **site)) is None


@pytest.mark.parametrize("title", [f"{SUNK} - 44 dead", f"{SUNK} – crew safe", "Three ferries sunk in storm"])
def test_words_behind_a_dash_are_a_part_of_the_headline(title: str):
    assert changes_of(find_correction(a_retitled(title))) == [(SUNK, title)]


def test_a_headline_that_no_issue_showed_is_not_corrected():
    assert find_correction(a_retitled("Two ferries damaged", shown=HIT)) is None


def test_a_removed_headline_is_no_correction():
    assert find_correction(a_retitled("")) is None
    assert find_correction(a_retitled("!!")) is None


def test_a_restored_headline_is_corrected_again():
    first = a_retitled("Two ferries damaged in storm")
    told = find_correction(first)
    assert told is not None
    restored = replace(a_retitled(SUNK), previous_changes=(told.changes,))
    same = replace(first, previous_changes=(told.changes,))

    assert changes_of(find_correction(restored)) == [("Two ferries damaged in storm", SUNK)]
    assert find_correction(same) is None


def test_a_headline_is_corrected_before_the_sentences():
    three = HIT.replace("Two", "Three")
    edited = an_edit(TEXT.replace(HIT, three), HIT, shown=f"Ferries hit\n{HIT}")
    edited = replace(edited, edit=replace(edited.edit, title="Three ferries hit"))

    assert changes_of(find_correction(edited)) == [("Ferries hit", "Three ferries hit"), (HIT, three)]


def test_the_headline_of_a_rewritten_article_is_not_corrected():
    edited = a_retitled("Pay to read on")
    assert find_correction(replace(edited, edit=replace(edited.edit, text="Pay."))) is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_headline_is_never_corrected_to_the_same_words(before: str, now: str):
    for one in changes_of(find_correction(a_retitled(now, before=before or "x"))):
        assert normalized_words(one[0]) != normalized_words(one[1])
