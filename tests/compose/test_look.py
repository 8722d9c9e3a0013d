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
from service.settings.packaged_files import templates_folder
from tests.compose.digests import SITE, a_digest, the_front_page, the_notices

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PHONE, DESKTOP = 375, 1000
AA = 4.5
"""The least contrast of text to its ground (WCAG 2.2, 1.4.3)."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine, so nobody looked at the mail"),
]

# Every piece of text with its own colour and that of the nearest ground behind it, as CSS writes them.
COLOURS = """() => {
  const NONE = 'rgba(0, 0, 0, 0)', found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || text === '\\u00a0' || !element.getClientRects().length) continue;
    let ground = element, behind = NONE;
    for (; ground && behind === NONE; ground = ground.parentElement)
      behind = getComputedStyle(ground).backgroundColor;
    found.push([text, getComputedStyle(element).color, behind === NONE ? 'rgb(255, 255, 255)' : behind]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def mail(theme: str, *, stripped: bool = False, **wishes) -> str:
    """Return the front page as a reader's mail program gets it; `stripped` of its style blocks."""
    renderer = JinjaRenderer(templates_folder(), SITE)
    html = renderer.render(the_front_page(**wishes), title=SITE.name, theme=theme, issue_id="issue").html
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL) if stripped else html


def the_margins_mail(theme: str) -> str:
    renderer = JinjaRenderer(templates_folder(), SITE)
    return renderer.render(the_notices(), title=SITE.name, theme=theme, issue_id="issue").html


def a_letter() -> str:
    return (
        TransactionalRenderer(templates_folder(), SITE)
        .confirm(SITE.name, language="en", timezone="UTC", days=3)
        .html
    )


def a_question_whether_to_unsubscribe() -> str:
    return (
        TransactionalRenderer(templates_folder(), SITE)
        .unsubscribe(SITE.name, language="en", timezone="UTC")
        .html
    )


def a_public_page() -> str:
    """Return a page in the public pages' frame that shows everything that the frame has a look for."""
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


def faint(page: Page) -> list[tuple[str, str, str]]:
    """Return the pieces of text that stand out too little from their ground, with both colours."""
    return [(text, ink, ground) for text, ink, ground in page.evaluate(COLOURS) if contrast(ink, ground) < AA]


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_every_word_can_be_read_in_light_and_dark(browser: Browser, theme: str):
    for scheme, stripped in product(("light", "dark"), (False, True)):
        page = opened(browser, mail(theme, stripped=stripped), scheme=scheme)
        words, unreadable = len(page.evaluate(COLOURS)), faint(page)
        page.close()

        assert words > 50
        assert not unreadable, f"{theme}, {scheme}, stripped: {stripped}"


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_corrections_can_be_read_in_light_and_dark(browser: Browser, theme: str):
    for scheme, width in product(("light", "dark"), (320, DESKTOP)):
        page = opened(browser, the_margins_mail(theme), width, scheme)
        unreadable = faint(page)
        overflow = page.evaluate("document.documentElement.scrollWidth") - width
        page.close()

        assert not unreadable, scheme
        assert overflow <= 0


@pytest.mark.parametrize("made", [a_letter, a_question_whether_to_unsubscribe, a_public_page])
def test_letters_and_public_pages_can_be_read_in_light_and_dark(browser: Browser, made):
    for scheme, width in product(("light", "dark"), (320, DESKTOP)):
        page = opened(browser, made(), width, scheme)
        unreadable = faint(page)
        overflow = page.evaluate("document.documentElement.scrollWidth") - width
        page.close()

        assert not unreadable, scheme
        assert overflow <= 0


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_dark_is_dark_and_light_is_light(browser: Browser, theme: str):
    grounds = {}
    for scheme in ("light", "dark"):
        page = opened(browser, mail(theme), scheme=scheme)
        grounds[scheme] = [luminance(ground) for _, _, ground in page.evaluate(COLOURS)]
        page.close()

    assert min(grounds["light"]) > 0.8
    assert max(grounds["dark"]) < 0.05


@pytest.mark.parametrize("theme", ["daily", "brief"])
def test_nothing_sticks_out_on_a_phone_and_lines_stay_short_on_a_desktop(browser: Browser, theme: str):
    for width, stripped, language in product((320, PHONE, DESKTOP), (False, True), ("en", "ar")):
        page = opened(browser, mail(theme, stripped=stripped, language=language), width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widest = page.evaluate("Math.max(...[...document.querySelectorAll('p')].map(p => p.clientWidth))")
        page.close()

        assert widest <= 640


def test_a_caveat_stands_within_its_point_and_below_it(browser: Browser):
    page = opened(browser, mail("daily"))
    point = page.locator("li.point", has_text="Insurers estimate")
    caveat = point.locator("li.warn")
    above, below = point.bounding_box(), caveat.bounding_box()
    label = caveat.locator("strong").inner_text()
    page.close()

    assert above
    assert below
    assert above["x"] <= below["x"]
    assert above["y"] < below["y"]
    assert below["y"] + below["height"] <= above["y"] + above["height"] + 1
    assert label.lower() == "caveat"


def test_an_arabic_story_reads_from_the_right(browser: Browser):
    page = opened(browser, mail("daily"), DESKTOP)
    story, caveat = page.locator("td.rtl"), page.locator("td.rtl li.warn")
    assert story.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert caveat.evaluate("e => getComputedStyle(e).borderRightWidth") == "3px"
    assert caveat.evaluate("e => getComputedStyle(e).borderLeftWidth") == "0px"
    page.close()


def test_the_table_of_contents_leads_to_its_stories(browser: Browser):
    page = opened(browser, mail("daily"))
    for target in page.locator(".toc a").evaluate_all("links => links.map(a => a.getAttribute('href'))"):
        assert page.locator(target).count() == 1
    page.close()


def test_a_quiet_day_is_a_short_page(browser: Browser):
    html = JinjaRenderer(templates_folder(), SITE).render(
        a_digest(), title=SITE.name, theme="daily", issue_id="issue"
    )
    page = opened(browser, html.html)
    assert "There is nothing new" in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollHeight") < 900
    page.close()
