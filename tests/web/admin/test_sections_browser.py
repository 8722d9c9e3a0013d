"""Every page of every section in a browser: phone and desktop, light and dark, with and without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from service.app.accounts.manage import create_account
from service.web.admin.account import ACCOUNT
from service.web.admin.application import SECTIONS
from tests.web.admin.conftest import PASSWORD, EditorsSite
from tests.web.test_browser import CHROMIUM

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT TESTED IN A BROWSER: no chromium (apt install chromium)"
    ),
]

PAGES = [
    route.path
    for section in (*SECTIONS, ACCOUNT)
    for route in section.routes
    if route.method == "GET" and "{" not in route.path
]
PHONE, DESKTOP = 375, 1280  # CSS pixels
STYLED = """() => {
  const style = getComputedStyle(document.querySelector('main'));
  return style.borderTopStyle + style.borderLeftStyle;
}"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .top ul, pre'))
  .map((e) => e.outerHTML.slice(0, 120)).slice(0, 3)"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def log_in(page: Page, url: str, name: str = "ada") -> None:
    await page.goto(f"{url}/admin/login")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("button", name="Log out").wait_for()


async def pages_of(page: Page, url: str) -> list[str]:
    """Return the paths of PAGES that are pages and no files."""
    found = []
    for path in PAGES:
        answer = await page.request.get(f"{url}/admin{path}")
        if "attachment" not in answer.headers.get("content-disposition", ""):
            found.append(path)
    return found


async def faults_of(page: Page) -> list[str]:
    """Return what is wrong with the page that is open: style sheet, overflow, accessibility."""
    found = [] if "double" in await page.evaluate(STYLED) else ["no style sheet"]
    found += [f"too wide: {one}" for one in await page.evaluate(TOO_WIDE)]
    violations = (await Axe().run(page)).response["violations"]
    return found + [f"{one['id']}: {node['html'][:160]}" for one in violations for node in one["nodes"][:2]]


@pytest.mark.parametrize(("width", "scheme"), list(product((PHONE, DESKTOP), ("light", "dark"))))
async def test_every_page_fits_and_is_accessible(
    editors: EditorsSite, browser: Browser, width: int, scheme: str
):
    context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    # A file that was still loading when the next page was opened is aborted.
    page.on(
        "requestfailed",
        lambda failed: None if failed.failure == "net::ERR_ABORTED" else complaints.append(failed.url),
    )
    link = await create_account(editors.app, "z" * 64, "viewer")
    faults = {}
    for address in (f"{editors.url}/admin/login", editors.url + link.url[link.url.index("/admin/") :]):
        await page.goto(address)
        faults[address] = await faults_of(page)
    await log_in(page, editors.url)
    for path in await pages_of(page, editors.url):
        await page.goto(f"{editors.url}/admin{path}")
        faults[path] = await faults_of(page)
    await page.goto(f"{editors.url}/admin/access/accounts/{link.account.id}")
    faults["account"] = await faults_of(page)
    await page.get_by_role("button", name="Make a one-time link").click()
    await page.get_by_role("heading", name="One-time link").wait_for()
    faults["link"] = await faults_of(page)
    await context.close()
    assert not {address: found for address, found in faults.items() if found}
    assert not complaints


async def test_every_page_is_complete_without_scripts(editors: EditorsSite, browser: Browser):
    context = await browser.new_context(viewport={"width": PHONE, "height": 800}, java_script_enabled=False)
    page = await context.new_page()
    await log_in(page, editors.url)
    for path in await pages_of(page, editors.url):
        response = await page.goto(f"{editors.url}/admin{path}")
        assert response is not None
        assert response.status == 200, path
        assert await page.locator("main h1").count() == 1, path
        hidden = [one for one in await page.locator("main button").all() if not await one.is_visible()]
        in_details = await page.locator("main details button").count()
        assert len(hidden) <= in_details, path
    await page.goto(f"{editors.url}/admin/access")
    await page.get_by_label("Name").fill("noor")
    await page.get_by_label("viewer").check()
    await page.get_by_role("button", name="Create the account").click()
    await page.get_by_role("heading", name="One-time link for noor").wait_for()
    address = (await page.locator("pre").inner_text()).strip()
    await page.goto(f"{editors.url}/admin/account")
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_role("heading", name="Log in").wait_for()
    await page.goto(editors.url + address[address.index("/admin/") :])
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("The same password again").fill(PASSWORD)
    await page.get_by_role("button", name="Save and log in").click()
    await page.get_by_role("link", name="noor").click()
    await page.get_by_role("heading", name="Your account").wait_for()
    await context.close()
