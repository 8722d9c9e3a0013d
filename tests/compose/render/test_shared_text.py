"""An edition in plain text repeats the text part of the same mail in HTML, which is rendered once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.compose.render.shared_text import MailRenderer
from service.core.model import Digest, RenderedMail
from tests.builders import a_newsletter
from tests.compose.digests import a_digest, the_marathon

DAILY = a_newsletter()
DIGEST = a_digest(the_marathon())
HTML, TEXT = (replace(DIGEST, edition=replace(DIGEST.edition, format=one)) for one in ("html", "text"))


class CountingRenderer:
    def __init__(self, text: str = "text of {}") -> None:
        self.text, self.rendered = text, []

    def render(self, digest: Digest, *, issue_id: str, **_options: object) -> RenderedMail:
        self.rendered.append(issue_id)
        html = "<p>" if digest.edition.format == "html" else ""
        return RenderedMail("subject", html, self.text.format(len(digest.stories)))


def test_the_mail_in_plain_text_is_the_text_part_of_the_mail_in_html():
    counting = CountingRenderer()
    renderer = MailRenderer(counting)
    renderer.render(HTML, DAILY, "one", None)
    later = replace(TEXT, edition=replace(TEXT.edition, schedule="daily 19:00"))

    assert renderer.render(later, DAILY, "two", None) == RenderedMail("subject", "", "text of 1")
    assert counting.rendered == ["one"]


@pytest.mark.parametrize(
    ("digest", "newsletter"),
    [
        (HTML, DAILY),
        (replace(TEXT, left_out=3), DAILY),
        (replace(TEXT, edition=replace(TEXT.edition, language="de")), DAILY),
        (TEXT, replace(DAILY, theme="brief")),
    ],
    ids=["HTML", "another digest", "another language", "another theme"],
)
def test_a_mail_that_differs_in_more_is_rendered(digest, newsletter):
    counting = CountingRenderer()
    renderer = MailRenderer(counting)
    renderer.render(HTML, DAILY, "one", None)
    renderer.render(digest, newsletter, "two", None)

    assert counting.rendered == ["one", "two"]


def test_a_theme_that_shows_the_id_of_the_issue_is_rendered_for_each():
    counting = CountingRenderer(text="issue one")
    renderer = MailRenderer(counting)
    renderer.render(HTML, DAILY, "one", None)
    renderer.render(TEXT, DAILY, "two", None)

    assert counting.rendered == ["one", "two"]
