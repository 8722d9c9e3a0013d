"""The mail in a real browser: on a phone and a desktop, light and dark, with and without its style blocks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import product

import pytest
from jinja2 import Environment, FileSystemLoader
from playwright.sync_api import Browser, Page, sync_playwright

from service.compose.render.theme import JinjaRenderer
from service.compose.render.transactional import TransactionalRenderer
from service.core.model import Digest
from service.settings.packaged_files import templates_folder
from tests.compose.digests import (
    SITE,
    a_digest,
    the_ballot,
    the_ballot_in_arabic,
    the_front_page,
    the_notices,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PHONE, DESKTOP = 375, 1000
THEMES = ("daily", "brief", "plain")
MIN_CONTRAST = 4.5
"""Minimum contrast of text to its background (WCAG 2.2, 1.4.3)."""

MIN_TARGET_PIXELS = 44  # height of a link for a finger (WCAG 2.2, 2.5.5)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine, so the mail is not tested in a browser"
    ),
]

# Every piece of text with its own colour and that of its nearest background, in CSS notation.
COLOURS = """() => {
  const NONE = 'rgba(0, 0, 0, 0)', found = [];
  // What the browser paints where a page sets no colour: black in the dark, if the page can be dark.
  const canvas = document.createElement('div');
  canvas.style.backgroundColor = 'Canvas';
  document.body.append(canvas);
  const nothing = getComputedStyle(canvas).backgroundColor;
  canvas.remove();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || text === '\\u00a0' || !element.getClientRects().length) continue;
    let ground = element, behind = NONE;
    for (; ground && behind === NONE; ground = ground.parentElement)
      behind = getComputedStyle(ground).backgroundColor;
    found.push([text, getComputedStyle(element).color, behind === NONE ? nothing : behind]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def mail(theme: str, *, stripped: bool = False, **preferences) -> str:
    """Return the front page as a reader's mail program gets it; `stripped` of its style blocks."""
    html = rendered(the_front_page(**preferences), theme)
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL) if stripped else html


def rendered(digest: Digest, theme: str) -> str:
    renderer = JinjaRenderer(templates_folder(), SITE)
    return renderer.render(digest, title=SITE.name, theme=theme, issue_id="issue").html


def a_confirmation() -> str:
    return (
        TransactionalRenderer(templates_folder(), SITE)
        .confirm(SITE.name, language="en", timezone="UTC", days=3)
        .html
    )


def an_unsubscribe_mail() -> str:
    return (
        TransactionalRenderer(templates_folder(), SITE)
        .unsubscribe(SITE.name, language="en", timezone="UTC")
        .html
    )


def a_public_page() -> str:
    """Return a page in the public pages' frame with every element that the frame styles."""
    environment = Environment(loader=FileSystemLoader(templates_folder() / "web"), autoescape=True)
    main = """<h1>Preferences</h1><p>Text <a href="/">with a link</a></p><p class="soft">soft</p>
      <div class="note"><p>note</p></div><div class="done">done</div><div class="wrong">wrong</div>
      <form><label for="hour">Hour</label><input id="hour"><p class="hint">hint</p>
      <p class="problem">problem</p><button>Save</button> <button class="quiet">Pause</button></form>
      <table><caption>Issues</caption><tr><th>When</th></tr><tr><td>07:00</td></tr></table>"""
    page = environment.from_string('{% extends "base.html" %}{% block main %}' + main + "{% endblock %}")
    return page.render(site=SITE.name, site_url=SITE.url, postal_address=SITE.postal_address)


def opened(browser: Browser, html: str, width: int = PHONE, scheme: str = "light") -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_content(html)
    return page


def luminance(colour: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)` by WCAG 2.2."""
    channels = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def low_contrast_texts(page: Page) -> list[tuple[str, str, str]]:
    """Return the pieces of text with too little contrast, with both colours."""
    return [
        (text, ink, ground)
        for text, ink, ground in page.evaluate(COLOURS)
        if contrast(ink, ground) < MIN_CONTRAST
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_is_readable_in_light_and_dark(browser: Browser, theme: str):
    for scheme, stripped in product(("light", "dark"), (False, True)):
        page = opened(browser, mail(theme, stripped=stripped), scheme=scheme)
        words, unreadable = len(page.evaluate(COLOURS)), low_contrast_texts(page)
        page.close()

        assert words > 50
        assert not unreadable, f"{theme}, {scheme}, stripped: {stripped}"


@pytest.mark.parametrize("theme", THEMES)
def test_corrections_are_readable_in_light_and_dark(browser: Browser, theme: str):
    for scheme, width in product(("light", "dark"), (320, DESKTOP)):
        page = opened(browser, rendered(the_notices(), theme), width, scheme)
        unreadable = low_contrast_texts(page)
        overflow = page.evaluate("document.documentElement.scrollWidth") - width
        page.close()

        assert not unreadable, scheme
        assert overflow <= 0


@pytest.mark.parametrize("made", [a_confirmation, an_unsubscribe_mail, a_public_page])
def test_transactional_mails_and_public_pages_are_readable_in_light_and_dark(browser: Browser, made):
    for scheme, width in product(("light", "dark"), (320, DESKTOP)):
        page = opened(browser, made(), width, scheme)
        unreadable = low_contrast_texts(page)
        overflow = page.evaluate("document.documentElement.scrollWidth") - width
        page.close()

        assert not unreadable, scheme
        assert overflow <= 0


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_each_colour_scheme_has_its_backgrounds(browser: Browser, theme: str):
    grounds = {}
    for scheme in ("light", "dark"):
        page = opened(browser, mail(theme), scheme=scheme)
        grounds[scheme] = [luminance(ground) for _, _, ground in page.evaluate(COLOURS)]
        page.close()

    assert min(grounds["light"]) > 0.8
    assert max(grounds["dark"]) < 0.05


@pytest.mark.parametrize("theme", THEMES)
def test_the_mail_fits_a_phone_and_has_short_lines_on_a_desktop(browser: Browser, theme: str):
    for width, stripped, language in product((320, PHONE, DESKTOP), (False, True), ("en", "ar")):
        page = opened(browser, mail(theme, stripped=stripped, language=language), width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widest = page.evaluate("Math.max(...[...document.querySelectorAll('p')].map(p => p.clientWidth))")
        page.close()

        assert widest <= 640


def test_a_caveat_is_shown_inside_and_below_its_point(browser: Browser):
    page = opened(browser, mail("daily"))
    point = page.locator("li.point", has_text="Insurers estimate")
    caveat = point.locator("td.warn")
    above, below = point.bounding_box(), caveat.bounding_box()
    label = caveat.locator("strong").inner_text()
    page.close()

    assert above
    assert below
    assert above["x"] <= below["x"]
    assert above["y"] < below["y"]
    assert below["y"] + below["height"] <= above["y"] + above["height"] + 1
    assert label.lower() == "caveat:"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("theme", THEMES)
def test_labels_and_hints_are_readable_and_fit_a_phone(browser: Browser, theme: str, language: str):
    digest = a_digest(the_ballot(), the_ballot_in_arabic(), language=language)
    for scheme, width in product(("light", "dark"), (320, DESKTOP)):
        page = opened(browser, rendered(digest, theme), width, scheme)
        unreadable = low_contrast_texts(page)
        overflow = page.evaluate("document.documentElement.scrollWidth") - width
        page.close()

        assert not unreadable, scheme
        assert overflow <= 0


def test_a_label_stands_before_its_sentence_in_the_direction_of_the_story(browser: Browser):
    page = opened(browser, rendered(a_digest(the_ballot(), the_ballot_in_arabic()), "daily"), DESKTOP)
    for story, is_before in (("td.ltr", float.__lt__), ("td.rtl", float.__gt__)):
        caveat = page.locator(f"{story} td.warn p", has=page.locator(".hint")).first
        label, hint = (caveat.locator(part).bounding_box() for part in ("strong", ".hint"))
        assert label
        assert hint
        assert is_before(float(label["x"]), float(hint["x"]))
        assert abs(label["y"] - hint["y"]) < 12
    page.close()


def test_an_arabic_story_is_right_to_left(browser: Browser):
    page = opened(browser, mail("daily"), DESKTOP)
    story, caveat = page.locator("td.rtl.story"), page.locator("td.rtl td.warn")
    assert story.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert caveat.evaluate("e => getComputedStyle(e).borderRightWidth") == "3px"
    assert caveat.evaluate("e => getComputedStyle(e).borderLeftWidth") == "0px"
    page.close()


def test_the_table_of_contents_links_to_its_stories(browser: Browser):
    page = opened(browser, mail("daily"))
    for target in page.locator(".toc a").evaluate_all("links => links.map(a => a.getAttribute('href'))"):
        assert page.locator(target).count() == 1
    page.close()


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("theme", THEMES)
def test_links_of_the_foot_are_large_enough_for_a_finger(browser: Browser, theme: str, language: str):
    page = opened(browser, mail(theme, language=language))
    heights = page.locator("a.target").evaluate_all("links => links.map(a => a.offsetHeight)")
    page.close()

    assert len(heights) >= 2
    assert min(heights) >= MIN_TARGET_PIXELS


def test_an_empty_digest_is_a_short_page(browser: Browser):
    html = JinjaRenderer(templates_folder(), SITE).render(
        a_digest(), title=SITE.name, theme="daily", issue_id="issue"
    )
    page = opened(browser, html.html)
    assert "There is nothing new" in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollHeight") < 900
    page.close()
