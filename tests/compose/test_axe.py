"""Mails of every theme in a browser, against the rules of accessibility that axe-core knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from service.compose.render.theme import JinjaRenderer
from service.core.model import Digest, Placement, Story
from service.settings.packaged_files import templates_folder
from tests.compose.digests import SITE, a_digest, a_story, caveat, point, published, the_fire, the_well
from tests.compose.test_browser import CHROMIUM, DESKTOP, QUIET

RENDERER = JinjaRenderer(templates_folder(), SITE)
LEADING = 8  # stories with points; the others are one line

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine, so axe cannot run"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def digest_of(count: int, language: str) -> Digest:
    """Return a digest of this many stories: a lead, some with points, and lines; one is in Arabic."""
    stories = [the_fire(), the_well(), *map(a_plain_story, range(count))][:count]
    placed = [replace(story, placement=_placement(number)) for number, story in enumerate(stories)]
    return a_digest(*(_line(story) for story in placed), language=language)


def a_plain_story(number: int) -> Story:
    article = published(f"Council agrees on budget number {number}", "The Oltmark Herald")
    return a_story(
        [
            point(article, f"The council agreed on {number} measures."),
            caveat(article, f"Measure {number} is not certain."),
        ]
    )


def _placement(number: int) -> Placement:
    if number == 0:
        return Placement.LEAD
    return Placement.STORY if number < LEADING else Placement.SHORT


def _line(story: Story) -> Story:
    return replace(story, points=()) if story.placement is Placement.SHORT else story


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("theme", RENDERER.themes())
def test_a_mail_has_no_violations(browser: Browser, theme: str, language: str):
    for count, scheme in product((1, 5, 12, 60), ("light", "dark")):
        mail = RENDERER.render(
            digest_of(count, language), title=SITE.name, theme=theme, issue_id="issue", archive="public"
        )
        page = browser.new_page(viewport={"width": DESKTOP, "height": 800}, color_scheme=scheme)
        page.set_content(mail.html)
        found = Axe().run(page).response["violations"]
        page.close()

        named = [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found]
        assert not named, f"{theme}, {language}, {scheme}, {count} stories"
