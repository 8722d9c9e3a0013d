"""Draw the pictures in docs/images anew.

digest.png: a digest of the demo on a desktop and on a phone. daily-phone.png and themes-phone.png: issues of
one to sixty stories, three themes and Arabic on a phone, from the digests of the tests. admin.png is drawn by
docs/admin_picture.py.

.venv/bin/python docs/picture.py [FOLDER]          needs Chromium on PATH; about a minute
"""

# ruff: noqa: INP001, S603, T201 - a script: in no package, and it runs a program and prints

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

from service.compose.render.theme import JinjaRenderer
from service.core.model import Digest
from service.core.placeholders import Placeholder, fill
from service.settings.packaged_files import templates_folder
from tests.compose import digests as tests

IMAGES = Path(__file__).parent / "images"
READER = "ben@example.org"
HEAVIEST = 150_000  # bytes of a picture
DESKTOP, PHONE, HEIGHT = 760, 375, 860
SCALE, SHARPNESS = 0.6, 1.0
Scheme = Literal["light", "dark"]

TABLE = """<body style="margin:0;padding:20px;display:flex;gap:20px;background:#d9d3c7">
<img height="{height}" src="data:image/png;base64,{light}">
<img height="{height}" src="data:image/png;base64,{dark}" style="border-radius:18px"></body>"""


PHONE_WIDTH, PHONE_HEIGHT = 192, 770  # of a phone in a sheet; of what its screen shows
PHONES = """<body style="margin:0;padding:14px;display:flex;gap:14px;background:#d9d3c7">{pictures}</body>"""
ONE_PHONE = '<img width="{width}" src="data:image/png;base64,{picture}" style="border-radius:10px">'


TITLES = (
    "Rate cut surprises markets as Kessary bank moves early",
    "Opera house reopens after nine years",
    "Wealth tax clears its first reading in Oltmark",
    "Lorry drivers block Tarn Bridge for a third day",
    "River fleet gets its first electric ferry",
    "Frost ruins a third of the plum harvest",
)


def issues() -> dict[str, Digest]:
    """Return issues of different lengths, of the stories that the tests use."""
    first = (tests.the_fire(), tests.the_treaty(), tests.the_spray(), tests.the_ballot())
    lines = [
        tests.a_story([tests.point(article, "It is so.")])
        for number in range(50)
        for article in [tests.published(TITLES[number % len(TITLES)], f"The Courier {number + 1}")]
    ]
    sections = ("world", "world", "world", "science", "sport")
    others = (*first[1:3], tests.the_inquiry(), tests.the_strike(), tests.the_marathon())
    return {
        "one": tests.a_digest(tests.the_spray()),
        "five": tests.a_digest(*reversed(first), tests.the_inquiry()),
        "twelve": tests.a_digest(
            first[0],
            *(replace(story, section=section) for story, section in zip(others, sections, strict=True)),
            *tests.in_short(tests.the_harbour_rules(), *lines[:5]),
        ),
        "sixty": tests.a_digest(first[0], *tests.in_short(*lines)),
        "arabic": tests.a_digest(
            tests.the_ballot_in_arabic(), tests.the_well(), language="ar", timezone="Asia/Qatar"
        ),
    }


SHEETS: dict[str, tuple[tuple[str, str, Scheme, str], ...]] = {
    "daily-phone.png": (
        ("one", "daily", "light", "body"),
        ("twelve", "daily", "light", "body"),
        ("twelve", "daily", "dark", ".section"),
        ("sixty", "daily", "light", ".shorts"),
    ),
    "themes-phone.png": (
        ("arabic", "daily", "light", "body"),
        ("five", "brief", "light", "body"),
        ("five", "brief", "dark", "body"),
        ("five", "plain", "light", "body"),
    ),
}
"""The pictures of phones: issue, theme, colour scheme, and what is at the top of the screen."""


def draw_sheets(folder: Path) -> None:
    """Draw phones side by side, one picture for each of SHEETS."""
    renderer, digests = JinjaRenderer(templates_folder(), tests.SITE), issues()
    width = len(SHEETS["daily-phone.png"]) * (PHONE_WIDTH + 14) + 14
    with chromium() as browser:
        for name, phones in SHEETS.items():
            pictures = []
            for issue, theme, scheme, at in phones:
                mail = renderer.render(
                    digests[issue], title=tests.SITE.name, theme=theme, issue_id="issue", archive="public"
                )
                html = fill(mail.html, {Placeholder.NAME: "Amina", Placeholder.ADDRESS: "amina@example.org"})
                pictures.append(photograph(browser, html, PHONE, scheme=scheme, at=at, height=PHONE_HEIGHT))
            page = browser.new_page(
                viewport={"width": width, "height": round(PHONE_WIDTH / PHONE * PHONE_HEIGHT) + 28}
            )
            page.set_content(
                PHONES.format(
                    pictures="".join(ONE_PHONE.format(picture=one, width=PHONE_WIDTH) for one in pictures)
                )
            )
            page.screenshot(path=folder / name)
            report(folder / name)


def report(picture: Path) -> None:
    """Print the size of a picture, and whether it is too large for a page."""
    size = picture.stat().st_size
    print(f"{picture}: {size:,} bytes", "" if size <= HEAVIEST else f"(heavier than {HEAVIEST:,})")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the installed Chromium. Raises SystemExit if there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("there is no Chromium on this machine (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def digest_of(reader: str, outbox: Path) -> str:
    """Return the HTML of the first message to the reader in the folder."""
    for path in sorted(outbox.rglob("*.eml")):
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        page = message.get_body(("html",))
        if reader in str(message["To"]) and page is not None:
            return str(page.get_content())
    raise SystemExit(f"the demo sent nothing to {reader}; there is no digest to draw")


def photograph(
    browser: Browser, html: str, width: int, *, scheme: Scheme, at: str = "body", height: int = HEIGHT
) -> str:
    """Return what a screen of this width shows of the page, from the story with `at` on, as PNG in Base64."""
    page = browser.new_page(
        viewport={"width": width, "height": height}, device_scale_factor=2, color_scheme=scheme
    )
    page.set_content(html)
    page.locator(at).first.evaluate("found => (found.closest('td.story') || found).scrollIntoView()")
    return b64encode(page.screenshot()).decode()


def draw(html: str, picture: Path) -> None:
    """Lay a desktop in light and a phone in the dark, open at a caveat, side by side."""
    width, height = round(SCALE * (DESKTOP + PHONE)) + 60, round(SCALE * HEIGHT)
    with chromium() as browser:
        light = photograph(browser, html, DESKTOP, scheme="light")
        dark = photograph(browser, html, PHONE, scheme="dark", at=".warn")
        page = browser.new_page(
            viewport={"width": width, "height": height + 40}, device_scale_factor=SHARPNESS
        )
        page.set_content(TABLE.format(light=light, dark=dark, height=height))
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)


def main(folder: Path) -> None:
    """Run the demo in a folder of its own, and draw all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as outbox:
        program = Path(sys.executable).with_name("caveat")
        subprocess.run([program, "demo", "--out", outbox], check=True, stdout=subprocess.DEVNULL)
        draw(digest_of(READER, Path(outbox)), folder / "digest.png")
    report(folder / "digest.png")
    draw_sheets(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
