"""The pages in a real browser: the style sheet applies under their policy, and their buttons work."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.web.conftest import WebServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT TESTED IN A BROWSER: no chromium (apt install chromium)"
    ),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(params=[375, 1000])
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Give a page that records the errors of the browser."""
    page = await browser.new_page(viewport={"width": request.param, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda failed: complaints.append(failed.url))
    yield page
    # The console also reports responses of 404 and 422, which the test expects.
    assert not [text for text in complaints if "Failed to load resource" not in text]


async def is_calm(page: Page) -> bool:
    """Return whether the style sheet is applied and no content overflows the page."""
    styled = await page.evaluate("getComputedStyle(document.querySelector('main')).borderTopStyle")
    fits = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return styled == "double" and fits


async def test_unsubscribing_takes_one_click(server: WebServer, page: Page):
    await page.goto((await server.links()).unsubscribe)
    assert await is_calm(page)
    assert (await server.statuses())["amina morning"] == "active"
    await page.get_by_role("button", name="Unsubscribe").click()
    await page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert await is_calm(page)
    assert (await server.statuses())["amina morning"] == "unsubscribed"


async def test_preferences_can_be_saved_with_the_keyboard(server: WebServer, page: Page):
    await page.goto((await server.links()).preferences)
    assert await is_calm(page)
    morning = page.get_by_role("region", name="The Morning Caveat")
    await morning.get_by_label("At", exact=True).fill("06:30")
    await morning.get_by_label("Sat").uncheck()
    await morning.get_by_label("Sun").uncheck()
    await morning.get_by_label("Most stories with key points").fill("5")
    await page.get_by_role("button", name="Save").press("Enter")
    await page.get_by_role("status").wait_for()
    edition = (await server.membership()).edition
    assert (edition.schedule, edition.stories) == ("weekdays 06:30", 5)


async def test_problems_are_shown_and_typed_values_stay(server: WebServer, page: Page):
    await page.goto((await server.links()).preferences)
    zone = page.get_by_role("region", name="The Morning Caveat").get_by_label("Time zone")
    await zone.fill("Qatar City")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("alert").wait_for()
    assert await zone.input_value() == "Qatar City"
    assert await zone.get_attribute("aria-invalid") == "true"
    assert await is_calm(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_enough_contrast(server: WebServer, page: Page, scheme: str):
    """WCAG 2.2, 1.4.3: 4.5 to 1, for every piece of text on the busiest page."""
    await page.emulate_media(color_scheme=scheme)
    await page.goto((await server.links()).preferences)
    assert await page.evaluate(CONTRAST) >= 4.5


CONTRAST = """() => {
  const light = (rgb) => rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (e) => {
    if (!e) return [255, 255, 255];
    const colour = parts(getComputedStyle(e).backgroundColor);
    return colour[3] === 0 ? ground(e.parentElement) : colour;
  };
  let worst = 21;
  for (const e of document.querySelectorAll('main *, header *, footer *')) {
    if (!e.innerText || !e.innerText.trim() || !e.offsetParent) continue;
    const [a, b] = [light(parts(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))];
    worst = Math.min(worst, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
  }
  return worst;
}"""
