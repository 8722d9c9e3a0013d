"""Draw docs/images/digest.png anew: run the demo, take one reader's digest, photograph how it begins.

.venv/bin/python docs/picture.py [PICTURE]          needs Chromium on PATH; about a minute
"""

# ruff: noqa: INP001, S603, T201 - a script: in no package, and it runs a program and prints

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from email import policy
from email.parser import BytesParser
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "digest.png"
READER = "ben@example.org"
WIDTH, HEIGHT, SHARPNESS = 800, 1120, 1.5
HEAVIEST = 300_000


def digest_of(reader: str, outbox: Path) -> str:
    """Return the HTML of the first message to the reader in the folder."""
    for path in sorted(outbox.rglob("*.eml")):
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        page = message.get_body(("html",))
        if reader in str(message["To"]) and page is not None:
            return str(page.get_content())
    raise SystemExit(f"the demo sent nothing to {reader}; there is no digest to draw")


def photograph(html: str, picture: Path) -> None:
    """Draw how the page begins on a desktop, in light."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium on this machine (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SHARPNESS, color_scheme="light"
        )
        page.set_content(html)
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)
        browser.close()


def main(picture: Path) -> None:
    """Run the demo in a folder of its own and draw the picture."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("caveat")
        subprocess.run([program, "demo", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        photograph(digest_of(READER, Path(folder)), picture)
    size = picture.stat().st_size
    print(f"{picture}: {size:,} bytes", "" if size <= HEAVIEST else f"(heavier than {HEAVIEST:,})")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
