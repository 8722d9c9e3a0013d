"""Corrections as the themes get them."""

from __future__ import annotations

from dataclasses import replace

from service.compose.render.notices import view_corrections
from service.compose.render.theme import DEFAULT_THEME, DIGEST_TEMPLATES, TemplateFolder
from service.core.model import Correction, Excerpt, SentenceChange
from service.settings.packaged_files import templates_folder
from service.text.i18n import localizer_for
from tests.compose.digests import a_correction, a_digest, published

LABELS = TemplateFolder(DIGEST_TEMPLATES, templates_folder()).labels(DEFAULT_THEME)


def a_headline_correction() -> Correction:
    """Return a correction of a headline and of a sentence."""
    article = published("Two ferries sunk")
    found = a_correction(article, ("Two ferries sank.", "Two ferries were hit."))
    edit = replace(found.edit, title="Two ferries hit")
    sent, now = (Excerpt(text, 0, len(text), is_headline=True) for text in (article.title, edit.title))
    return replace(found, edit=edit, changes=(SentenceChange(sent, now), *found.changes))


def test_a_corrected_headline_is_shown_with_the_one_that_was_sent():
    digest = replace(a_digest(), corrections=(a_headline_correction(),))
    [view] = view_corrections(digest, localizer_for(LABELS, "en", "Europe/Berlin"))

    assert view.headline == "Two ferries hit"
    first, second = view.changes
    assert (first.told, first.now, first.url) == ("Two ferries sunk", "Two ferries hit", view.url)
    assert (first.is_headline, second.is_headline) == (True, False)
    assert "#:~:text=" in second.url


def test_a_correction_of_a_sentence_stands_under_the_headline_that_was_sent():
    article = published("Two ferries sunk")
    digest = replace(a_digest(), corrections=(a_correction(article, ("They sank.", "They are hit.")),))
    [view] = view_corrections(digest, localizer_for(LABELS, "en", "Europe/Berlin"))

    assert view.headline == "Two ferries sunk"
