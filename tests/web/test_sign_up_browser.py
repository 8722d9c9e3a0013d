"""The public pages in a browser: no fault of axe, no overflow, in three languages; the form in a frame."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, async_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from service.app.invitations import create_invitation
from service.settings.packaged_files import templates_folder
from service.subscribers.links import subscriber_links
from service.web.app import application
from tests.web.conftest import served
from tests.web.test_sign_up import SignUpSite
from tests.web.test_sign_up_choices import NIA, editions, site

__all__ = ["site"]

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


async def all_pages(site: SignUpSite) -> list[str]:
    """Return the addresses of every kind of public page that a person can act on."""
    key = await site.app.subscribers.signing_key()
    (amina,) = await site.app.subscribers.memberships(email="amina@example.org")
    links = subscriber_links(key, site.url, amina.subscriber.id, "morning")
    invited = (await create_invitation(site.app, ["members"])).url
    invited = invited.replace("https://news.example.org", site.url)
    public = [f"{site.url}/subscribe", f"{site.url}/subscribe/embed", invited]
    return [*public, links.preferences, f"{links.preferences}/delete", links.unsubscribe]


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits(site: SignUpSite, browser: Browser, width: int, scheme: str):
    for locale in ("en-GB", "ar", "de"):
        context = await browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            bypass_csp=True,  # for axe alone, which is a script of the test
        )
        page = await context.new_page()
        for url in await all_pages(site):
            await page.goto(url)
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            found = await Axe().run(page)
            assert found.violations_count == 0, (url, locale, found.generate_report())
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (url, locale)
        await context.close()


async def a_context(browser: Browser, *, scripts: bool) -> BrowserContext:
    return await browser.new_context(
        timezone_id="Asia/Qatar",
        locale="en-GB",
        java_script_enabled=scripts,
        viewport={"width": 375, "height": 800},
    )


@pytest.mark.parametrize(("scripts", "zone"), [(True, "Asia/Qatar"), (False, "Europe/Berlin")])
async def test_a_person_signs_up_by_keyboard_with_and_without_script(
    site: SignUpSite, browser: Browser, scripts: bool, zone: str
):
    page = await (await a_context(browser, scripts=scripts)).new_page()
    await page.goto(f"{site.url}/subscribe")
    await page.get_by_label("The Morning").press("Space")
    await page.get_by_label("Your address").fill(NIA)
    await page.get_by_label("Your address").press("Enter")
    await page.get_by_role("heading", name="Please look into your mailbox").wait_for()
    await page.goto(await site.link())
    await page.get_by_role("button", name="Yes, send it to me").press("Enter")
    await page.get_by_role("heading", name="You are subscribed").wait_for()
    assert await editions(site) == {"morning": ("daily 07:00", zone)}


@pytest.mark.parametrize("named", [True, False])
async def test_a_named_site_can_show_the_form_in_a_frame(site: SignUpSite, browser: Browser, named: bool):
    """The frame is on another site (another port is another origin): only a named one sees the form."""
    outside = Starlette(routes=[Route("/", lambda _: HTMLResponse(page_with_frame))])
    async for other in served(outside):
        app = site.app
        embed = (other if named else "https://www.example.net",)
        pages = application(
            app.self_service, app.health, templates_folder(), sign_up=app.sign_up, embed=embed
        )
        async for url in served(pages):
            page_with_frame = f'<iframe src="{url}/subscribe/embed" width="360" height="700"></iframe>'
            page = await (await a_context(browser, scripts=True)).new_page()
            await page.goto(other)
            frame = page.frame_locator("iframe")
            if not named:
                assert await frame.get_by_label("Your address").count() == 0
                return
            await frame.get_by_label("The Morning").check()
            await frame.get_by_label("Your address").fill(NIA)
            await frame.get_by_role("button", name="Send me the mail").click()
            await frame.get_by_role("heading", name="Please look into your mailbox").wait_for()
            assert len(await site.mails()) == 1
