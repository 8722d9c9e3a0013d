"""The frame of a preview in Chromium: dark is dark and phone is light, whatever the system prefers."""

from __future__ import annotations

import shutil
from io import BytesIO

import pytest
from PIL import Image, ImageStat
from playwright.async_api import async_playwright

from tests.store.stores import Stores
from tests.web.admin.conftest import PASSWORD, EditorsSite

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT TESTED IN A BROWSER: no chromium (apt install chromium)"
    ),
]
DARK, LIGHT = 60, 200  # mean brightness of the frame, of 255


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("theme", ["daily", "brief", "plain"])
async def test_the_frame_has_the_colours_of_its_tab(editors: EditorsSite, system: str, theme: str):
    await Stores(editors.app.database).publish("Harbour reopens after storm", "Ferry returns")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(color_scheme="dark" if system == "dark" else "light")
        page = await context.new_page()
        await page.goto(f"{editors.url}/admin/login")
        await page.fill("[name=name]", "eddie")
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        brightness = {}
        for form in ("phone", "dark"):
            await page.goto(f"{editors.url}/admin/newsletters/morning/preview?form={form}&theme={theme}")
            await page.wait_for_load_state("networkidle")
            shot = Image.open(BytesIO(await page.locator("iframe.mail").screenshot())).convert("L")
            brightness[form] = ImageStat.Stat(shot).mean[0]
        await browser.close()
    assert brightness["dark"] < DARK < LIGHT < brightness["phone"]
