"""Draw docs/images/digest.png anew: run the demo, photograph a digest on a desktop and on a phone.

.venv/bin/python docs/picture.py [PICTURE]          needs Chromium on PATH; about a minute
"""

# ruff: noqa: INP001, S603, T201 - a script: in no package, and it runs a program and prints

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

PICTURE = Path(__file__).parent / "images" / "digest.png"
READER = "ben@example.org"
HEAVIEST = 400_000  # bytes
DESKTOP, PHONE, HEIGHT = 760, 375, 900
SCALE, SHARPNESS = 0.7, 1.5
Scheme = Literal["light", "dark"]

TABLE = """<body style="margin:0;padding:20px;display:flex;gap:20px;background:#d9d3c7">
<img height="{height}" src="data:image/png;base64,{light}">
<img height="{height}" src="data:image/png;base64,{dark}" style="border-radius:18px"></body>"""


def digest_of(reader: str, outbox: Path) -> str:
    """Return the HTML of the first message to the reader in the folder."""
    for path in sorted(outbox.rglob("*.eml")):
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        page = message.get_body(("html",))
        if reader in str(message["To"]) and page is not None:
            return str(page.get_content())
    raise SystemExit(f"the demo sent nothing to {reader}; there is no digest to draw")


def photograph(browser: Browser, html: str, width: int, *, scheme: Scheme, at: str = "body") -> str:
    """Return what a screen of this width shows of the page, from the story with `at` on, as PNG in Base64."""
    page = browser.new_page(
        viewport={"width": width, "height": HEIGHT}, device_scale_factor=2, color_scheme=scheme
    )
    page.set_content(html)
    page.locator(at).first.evaluate("found => (found.closest('td.story') || found).scrollIntoView()")
    return b64encode(page.screenshot()).decode()


def draw(html: str, picture: Path) -> None:
    """Lay a desktop in light and a phone in the dark, open at a caveat, side by side."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium on this machine (apt install chromium)")
    width, height = round(SCALE * (DESKTOP + PHONE)) + 60, round(SCALE * HEIGHT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        light = photograph(browser, html, DESKTOP, scheme="light")
        dark = photograph(browser, html, PHONE, scheme="dark", at=".warn")
        page = browser.new_page(
            viewport={"width": width, "height": height + 40}, device_scale_factor=SHARPNESS
        )
        page.set_content(TABLE.format(light=light, dark=dark, height=height))
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)
        browser.close()


def main(picture: Path) -> None:
    """Run the demo in a folder of its own and draw the picture."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("caveat")
        subprocess.run([program, "demo", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        draw(digest_of(READER, Path(folder)), picture)
    size = picture.stat().st_size
    print(f"{picture}: {size:,} bytes", "" if size <= HEAVIEST else f"(heavier than {HEAVIEST:,})")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
