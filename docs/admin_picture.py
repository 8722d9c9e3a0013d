"""Draw docs/images/admin.png anew: the editors' pages of a small newsroom (docs/admin_site.py).

The first page on a desktop in the light, and a draft on a phone in the dark.

.venv/bin/python docs/admin_picture.py [FOLDER]          needs Chromium on PATH; about a minute
"""

# ruff: noqa: INP001, T201 - a script: in no package, and it prints

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Literal

from admin_site import NAME, PASSWORD, Newsroom, newsroom
from playwright.async_api import Browser, async_playwright

from service.app.drafts.editor import drafts

IMAGES = Path(__file__).parent / "images"
HEAVIEST = 300_000  # bytes of a picture
DESKTOP, PHONE, HEIGHT = 1000, 375, 860  # CSS pixels of the screens
SCALE = 0.72  # of the screens in the picture

TABLE = """<body style="margin:0;padding:20px;display:flex;gap:20px;background:#d9d3c7">
<img height="{height}" src="data:image/png;base64,{light}">
<img height="{height}" src="data:image/png;base64,{dark}" style="border-radius:18px"></body>"""


async def photograph(
    browser: Browser, room: Newsroom, path: str, width: int, scheme: Literal["light", "dark"]
) -> str:
    """Return what a screen of this width shows of a page, as PNG in Base64."""
    page = await browser.new_page(
        viewport={"width": width, "height": HEIGHT}, device_scale_factor=2, color_scheme=scheme
    )
    await page.goto(f"{room.url}/admin/login")
    await page.get_by_label("Name").fill(NAME)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("heading", name="Today").first.wait_for()
    await page.goto(f"{room.url}/admin{path}")
    return b64encode(await page.screenshot()).decode()


async def draw(room: Newsroom, picture: Path) -> None:
    """Lay the two screens side by side."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("there is no Chromium on this machine (apt install chromium)")
    [draft] = await drafts(room.app)
    height = round(SCALE * HEIGHT)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        light = await photograph(browser, room, "/", DESKTOP, "light")
        dark = await photograph(browser, room, f"/drafts/{draft.id}", PHONE, "dark")
        page = await browser.new_page(
            viewport={"width": round(SCALE * (DESKTOP + PHONE)) + 60, "height": height + 40}
        )
        await page.set_content(TABLE.format(light=light, dark=dark, height=height))
        await page.screenshot(path=picture)
        await browser.close()


async def main(folder: Path) -> None:
    """Run the newsroom in a folder of its own, and draw the picture."""
    with tempfile.TemporaryDirectory() as config:
        async with newsroom(Path(config)) as room:
            await draw(room, folder / "admin.png")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
    size = (folder / "admin.png").stat().st_size
    print(f"{size:,} bytes", "" if size <= HEAVIEST else f"(heavier than {HEAVIEST:,})")
