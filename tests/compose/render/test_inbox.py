"""Inbox lines: the subject within sixty letters, and whole sentences behind it."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.inbox import (
    MAX_PREHEADER_LETTERS,
    MAX_SUBJECT_LETTERS,
    cut,
    letters,
    preheader_padding,
)
from service.compose.render.view import DigestView, make_digest_view
from service.core.model import CaveatKind, Digest, EarlierFigure, Story, StoryPoint
from service.settings.packaged_files import templates_folder
from service.text.i18n import localizer_for
from tests.compose.digests import (
    SITE,
    a_digest,
    a_story,
    caveat,
    caveat_of_headline,
    point,
    published,
    the_ballot,
    the_inquiry,
    the_marathon,
    the_strike,
    the_treaty,
)

LABELS = tomllib.loads((templates_folder() / "digest/daily/labels.toml").read_text(encoding="utf-8"))


def page_of(digest: Digest) -> DigestView:
    localizer = localizer_for(LABELS, digest.edition.language, digest.edition.timezone)
    return make_digest_view(digest, localizer, title="The Morning Caveat", site=SITE, issue_id="issue")


def headed(title: str, *texts: str) -> Story:
    return a_story([point(published(title), text) for text in texts or ("It is so.",)])


def an_update(title: str, sentence: str, earlier: str = "At least 41") -> Story:
    """Return an update with a sentence whose figure outdates an earlier one."""
    article, old = published(title), published("Old", "The Wire")
    outdating: StoryPoint = replace(
        point(article, sentence), earlier=(EarlierFigure(earlier, old, f"{earlier} people died."),)
    )
    return replace(a_story([outdating], article, old), is_update=True)


def denied(story: Story) -> Story:
    """Return the story with a denial of its headline."""
    own = replace(caveat_of_headline(story.articles[0], "Nobody did."), kind=CaveatKind.DENIED)
    return replace(story, points=(own, *story.points))


# --- a headline that its own article denies -------------------------------------------------------


def test_a_denied_headline_is_marked_in_the_subject():
    long = "Mayor of Northwater took a bribe for the new bridge, says the opposition"

    assert page_of(a_digest(denied(headed("Mayor took a bribe")))).subject == "Mayor took a bribe (Denied)"
    assert page_of(a_digest(headed("Fares rise"), denied(headed("Mayor took a bribe")))).subject == (
        "Fares rise · Mayor took a bribe (Denied)"
    )
    subject = page_of(a_digest(denied(headed(long)))).subject
    assert subject.endswith("… (Denied)")
    assert letters(subject) <= MAX_SUBJECT_LETTERS


def test_a_denied_headline_is_marked_behind_the_subject():
    page = page_of(a_digest(headed("Fares rise"), denied(headed("Mayor took a bribe"))))

    assert "Mayor took a bribe (Denied)" in page.preheader


# --- the subject ---------------------------------------------------------------------------------


def test_the_subject_is_the_first_headline():
    assert page_of(a_digest(the_treaty(), the_strike())).subject == (
        "Kessary and Oltmark agree to share the Velle after eleven…"
    )


def test_a_short_subject_has_the_next_headline_in_whole():
    quay = headed("Quay closes for repairs")

    assert page_of(a_digest(the_marathon(), quay)).subject == "Baker wins marathon · Quay closes for repairs"
    assert page_of(a_digest(the_marathon(), the_strike())).subject == "Baker wins marathon"


def test_the_subject_of_an_issue_without_stories_says_so():
    assert page_of(a_digest()).subject == "The Morning Caveat: nothing new today"


def test_an_update_says_so_in_the_subject():
    assert page_of(a_digest(the_inquiry())).subject.startswith("Update: Inquiry into the collapse of")


@pytest.mark.parametrize(
    ("title", "sentence", "subject"),
    [
        (
            "Toll rises to 58 as second dam gives way",
            "Police said 58 people died.",
            "Update: Toll rises to 58 as second dam gives way",
        ),
        (
            "Second dam gives way above the flooded towns of Kessary, toll rises to 58",
            "Police said 58 people died.",
            "Update: Second dam gives way above the… toll rises to 58",
        ),
        (
            "Second dam gives way above the flooded towns of Kessary",
            "The death toll rose to 58.",
            "Update: The death toll rose to 58",
        ),
        (
            "Second dam gives way",
            "The toll rose to 58 dead.",
            "Update: Second dam gives way · The toll rose to 58 dead",
        ),
        (
            "Second dam gives way",
            "The regional government said late on Tuesday that the death toll had risen to 58.",
            "Update: Second dam gives way",
        ),
    ],
)
def test_the_subject_of_an_update_has_the_newest_figure(title: str, sentence: str, subject: str):
    assert page_of(a_digest(an_update(title, sentence))).subject == subject


def test_a_figure_that_counts_no_people_is_the_newest_one_too():
    update = an_update("Storm hits the coast", "Some 12,000 homes lost power.", earlier="9,000")

    assert page_of(a_digest(update)).subject == "Update: Storm hits the coast · Some 12,000 homes lost power"


@given(st.text(), st.integers(2, 80))
def test_a_cut_text_fits_and_has_only_words_of_the_text(text: str, room: int):
    shown = cut(text, room)

    assert letters(shown) <= room
    assert shown == text or text.startswith(shown.removesuffix("…"))


@given(st.text(min_size=1, max_size=300), st.text(max_size=100), st.booleans())
def test_a_subject_fits_whatever_the_headlines_are(title: str, sentence: str, updated: bool):
    story = an_update(title, f"{sentence} 58 people died.") if updated else headed(title)

    assert letters(page_of(a_digest(story, the_marathon())).subject) <= MAX_SUBJECT_LETTERS


def test_letters_are_counted_as_readers_see_them():
    assert [letters(text) for text in ("naïve", "nai\u0308ve", "👩‍👩‍👧", "हिन्दी")] == [5, 5, 1, 2]


def test_a_subject_is_not_cut_inside_a_letter():
    syllable = "कि"

    assert page_of(a_digest(headed(syllable * 70))).subject == syllable * 59 + "…"


# --- the text behind it --------------------------------------------------------------------------


def test_the_preheader_is_the_first_caveat_and_the_next_headlines():
    assert page_of(a_digest(the_ballot(), the_marathon())).preheader == (
        "Denied: [Lena Holm] She denies the payments. · Baker wins marathon"
    )


def test_a_caveat_of_the_headline_comes_first():
    article = published("Harbour board bans night work")
    story = a_story(
        [
            caveat_of_headline(article, "The ban does not apply during storms."),
            point(article, "It begins in May."),
            caveat(article, "The council must agree."),
        ]
    )

    assert page_of(a_digest(story)).preheader == "Caveat: The ban does not apply during storms."


def test_without_a_caveat_it_is_the_next_headlines_as_far_as_they_fit():
    titles = ("Quay closes for repairs", "Ferry line opens", "x" * 120, "Last")

    assert page_of(a_digest(the_marathon(), *map(headed, titles))).preheader == (
        "Quay closes for repairs · Ferry line opens"
    )


def test_a_story_without_caveats_alone_has_its_first_point():
    assert page_of(a_digest(the_marathon())).preheader == "She ran it in 2:31:07."
    assert page_of(a_digest()).preheader == ""


def test_a_caveat_that_does_not_fit_is_left_out_and_its_point_with_it():
    article = published("Kessary agrees")
    story = a_story([point(article, "It agrees."), caveat(article, "But only if " + "so " * 60)])

    assert page_of(a_digest(story)).preheader == "1 story · 1 caveat · 1 min"
    assert page_of(a_digest(story, the_marathon())).preheader == "Baker wins marathon"


def test_invisible_characters_fill_the_room_behind_the_preheader():
    padding = preheader_padding("A short one.")

    assert letters("A short one.") + padding.count("\u00a0") == MAX_PREHEADER_LETTERS
    assert not padding.strip("\u034f\u200c\u00a0")
    assert preheader_padding("") == ""
