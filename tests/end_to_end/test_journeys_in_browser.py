"""A reader and an editor in a browser, with the whole service: feeds by HTTP, mails by SMTP.

Each journey is made with and without scripts. With scripts every page on its way is also looked at on a phone
in the light and on a desktop in the dark: no fault of axe, no overflow.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from service.app.accounts.manage import create_account
from service.runtime.service import Service
from tests.deliver.server import MailServer, Reply, Taken, Wait
from tests.end_to_end.installation import (
    Clock,
    Mail,
    free_port,
    link_in,
    running,
    sweep_until_idle,
    unsubscribe,
    write_config,
)
from tests.end_to_end.news_site import ARTICLE_MARK, news_site, published_articles
from tests.web.test_browser import CHROMIUM

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT TESTED IN A BROWSER: no chromium (apt install chromium)"
    ),
]

START = datetime(2026, 10, 5, 4, tzinfo=UTC)  # a Monday, 06:00 in Berlin and 07:00 in Doha
NIA = "nia@example.org"
PASSWORD = "four words nobody joins"
PATIENCE = 30.0  # seconds until a mail must have arrived, on a busy machine
VIEWS = ((375, "light"), (1280, "dark"))
TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"


@dataclass
class Journey:
    """A running service, its mail server, and a person's browser."""

    url: str
    service: Service
    clock: Clock
    server: MailServer
    page: Page
    scripts: bool
    faults: dict[str, list[str]] = field(default_factory=dict)

    async def open(self, address: str) -> None:
        """Open a page, and look at it."""
        await self.page.goto(address if address.startswith("http") else self.url + address)
        await self.look()

    async def press(self, button: str, heading: str = "") -> None:
        """Press a button, wait for the heading of the next page, and look at it."""
        await self.page.get_by_role("button", name=button, exact=True).first.click()
        if heading:
            await self.page.get_by_role("heading", name=heading).first.wait_for()
        await self.look()

    async def follow(self, link: str) -> None:
        """Click on a link in the content of the page, and look at the page that opens."""
        await self.page.locator("main").get_by_role("link", name=link).first.click()
        await self.page.wait_for_load_state()
        await self.look()

    async def look(self) -> None:
        """Note the faults of the page in every view."""
        if not self.scripts:
            return
        usual = self.page.viewport_size
        for width, scheme in VIEWS:
            await self.page.set_viewport_size({"width": width, "height": 800})
            await self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = [
                f"{one['id']}: {node['html'][:160]}"
                for one in (await Axe().run(self.page)).response["violations"]
                for node in one["nodes"][:2]
            ]
            if (too_wide := await self.page.evaluate(TOO_WIDE)) > 0:
                found.append(f"{too_wide} pixels too wide")
            if found:
                self.faults[f"{self.page.url} ({width}, {scheme})"] = found
        assert usual is not None
        await self.page.set_viewport_size(usual)

    async def text(self) -> str:
        return await self.page.locator("main").inner_text()

    async def advance(self, **step: int) -> None:
        """Move the clock, and do all work that is due then."""
        self.clock.at += timedelta(**step)
        await sweep_until_idle(self.service)

    async def mails_to(self, address: str, number: int) -> list[Mail]:
        """Return the mails to an address, oldest first, once there are so many."""
        await until(lambda: len(taken_by(self.server, address)) >= number)
        found = taken_by(self.server, address)
        assert len(found) == number, [str(mail.message["Subject"]) for mail in found]
        return found


def taken_by(server: MailServer, address: str) -> list[Mail]:
    return [
        Mail(address, START, frozenset(), message_of(one)) for one in server.taken if one.recipient == address
    ]


def message_of(taken: Taken) -> EmailMessage:
    message = message_from_bytes(taken.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(mail: Mail) -> str:
    body = mail.message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_to(mail: Mail, path: str) -> str:
    """Return the address of a page in the text of a mail."""
    found = re.search(rf"http://127\.0\.0\.1:\d+/{path}/\S+", text_of(mail))
    assert found, text_of(mail)
    return found[0].rstrip(".>)")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the service, in other tasks, makes it true
            await asyncio.sleep(0.02)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def a_journey(
    folder: Path, browser: Browser, width: int, *, scripts: bool, server: MailServer, newsletter: str
) -> AsyncIterator[Journey]:
    """Run the service with articles of some days, and open a browser; faults of pages fail the test."""
    clock, port = Clock(START), free_port()
    with news_site(published_articles(START - timedelta(days=1), 4), clock) as news_url:
        storage = f"sqlite:///{folder}/caveat.db"
        write_config(folder, storage=storage, news_url=news_url, smtp_port=server.port, web_port=port)
        main, newsletters = folder / "caveat.yaml", folder / "newsletters.yaml"
        text = main.read_text().replace("connections: 2", "connections: 1")
        main.write_text(text.replace('web: {listen: "', 'web: {sign_up: [daily], listen: "'))
        newsletters.write_text(newsletters.read_text().replace("stories: 50", f"stories: 50, {newsletter}"))
        async with running(folder, clock) as service, server:
            context = await browser.new_context(
                viewport={"width": width, "height": 800},
                java_script_enabled=scripts,
                locale="en-GB",
                timezone_id="Asia/Qatar",
                color_scheme="dark",
            )
            context.set_default_timeout(1000 * PATIENCE)
            page = await context.new_page()
            journey = Journey(f"http://127.0.0.1:{port}", service, clock, server, page, scripts)
            await journey.advance()
            await journey.advance(minutes=15)  # the articles have settled: issues can have them
            yield journey
            await context.close()
            assert not journey.faults


@pytest.mark.parametrize(("width", "scripts"), [(375, True), (1280, False)])
async def test_a_reader_signs_up_gets_a_digest_changes_the_hour_and_leaves(
    tmp_path: Path, browser: Browser, width: int, scripts: bool
):
    async with (
        MailServer() as server,
        a_journey(tmp_path, browser, width, scripts=scripts, server=server, newsletter="") as reader,
    ):
        page = reader.page
        await reader.open("/subscribe")
        await page.get_by_label("Your address").fill(NIA)
        await reader.press("Send me the mail", "Please look into your mailbox")
        [confirmation] = await reader.mails_to(NIA, 1)
        await reader.open(link_to(confirmation, "confirm"))
        await reader.press("Yes, send it to me", "You are subscribed")
        welcome = (await reader.mails_to(NIA, 2))[-1]
        assert str(welcome.message["Subject"]).startswith("Welcome")

        await reader.advance(days=1, hours=1)
        digest = (await reader.mails_to(NIA, 3))[-1]
        assert ARTICLE_MARK.search(text_of(digest))
        await reader.open(link_to(digest, "preferences"))
        await page.get_by_label("At", exact=True).fill("06:30")
        await reader.press("Save")
        await page.get_by_role("status").wait_for()
        # The browser tells its zone only by a script; without it the zone of the newsletter counts.
        due = START.replace(day=7, hour=3 if scripts else 4, minute=30)
        reader.clock.at = due - timedelta(minutes=1)
        await reader.advance()
        await reader.mails_to(NIA, 3)
        await reader.advance(minutes=1)
        digest = (await reader.mails_to(NIA, 4))[-1]

        await reader.open(link_in(digest, "List-Unsubscribe"))
        await reader.press("Unsubscribe", "You are unsubscribed")
        amina = taken_by(server, "amina@example.org")
        await unsubscribe(amina[-1])  # by the button of a mail program (RFC 8058)
        await reader.advance(days=1)
        await reader.mails_to(NIA, 4)
        await reader.mails_to("amina@example.org", len(amina))
        assert len(taken_by(server, "carla@example.org")) == 3


@pytest.mark.parametrize(("width", "scripts"), [(375, True), (1280, False)])
async def test_an_editor_previews_reviews_and_sends(
    tmp_path: Path, browser: Browser, width: int, scripts: bool
):
    review = "review: 2h, unreviewed: send"
    async with (
        MailServer() as server,
        a_journey(tmp_path, browser, width, scripts=scripts, server=server, newsletter=review) as editor,
    ):
        link = await create_account(editor.service.app, "eddie", "editor", "eddie@example.org")
        editor.url = link.url.partition("/admin/")[0]  # the cookie of the session belongs to this host
        await editor.open(link.url)
        await editor.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await editor.page.get_by_label("The same password again").fill(PASSWORD)
        await editor.press("Save and log in", "Today")
        await look_at_previews(editor)
        editor.clock.at = START.replace(day=6, hour=1, minute=45)
        await editor.advance()
        await editor.advance(minutes=25)
        await review_the_draft(editor)
        await editor.advance(hours=5, minutes=20)
        await editor.advance(minutes=20)  # a new article for everybody has settled, and no draft has it
        await send_a_test(editor)
        await send_to_three(editor)


async def look_at_previews(editor: Journey) -> None:
    await editor.open("/admin/newsletters")
    await editor.follow("Preview")
    await editor.page.get_by_label("Reader").fill("carla@example.org")
    await editor.press("Show", "Preview of")
    for form in ("Phone", "Dark", "Text"):
        await editor.follow(form)
        assert "carla" in editor.page.url
        if form != "Text":
            mail = editor.page.frame_locator("iframe.mail").locator("body")
            assert ARTICLE_MARK.search(await mail.inner_text())
    assert ARTICLE_MARK.search(await editor.page.locator("pre.mail").inner_text())


async def review_the_draft(editor: Journey) -> None:
    """Hold a draft, pin its last story, drop the next one, and approve it: it is sent so, when it is due."""
    await editor.open("/admin/")
    await editor.page.get_by_label("Name").fill("eddie")  # the session has ended in the night
    await editor.page.get_by_label("Password").fill(PASSWORD)
    await editor.press("Log in", "Today")
    await editor.follow("The Test, due 06:00")
    await editor.press("Hold", "Draft of The Test")
    headlines = editor.page.locator("main li h3")
    pinned, dropped = ARTICLE_MARK.findall(" ".join(await headlines.all_inner_texts()))[-1:-3:-1]
    for do, mark in (("Pin as the first", pinned), ("Drop", dropped)):
        await editor.page.get_by_role("button", name=re.compile(f"^{do}: {mark}")).click()
        await editor.page.get_by_text("The draft was changed.").wait_for()
    await editor.follow("Preview")
    shown = await editor.page.frame_locator("iframe.mail").locator("body").inner_text()
    assert ARTICLE_MARK.findall(shown)[0] == pinned
    assert dropped not in shown
    await editor.follow("Back to the draft")
    await editor.press("Approve", "Draft of The Test")
    assert taken_by(editor.server, "amina@example.org") == []
    await editor.advance(hours=1, minutes=50)
    [mail] = await editor.mails_to("amina@example.org", 1)
    assert ARTICLE_MARK.findall(text_of(mail))[0] == pinned
    assert dropped not in text_of(mail)


async def send_a_test(editor: Journey) -> None:
    await editor.open("/admin/send")
    await editor.press("Check", "Test: The Test")
    await editor.press("Send the test")
    await settled(editor, "The test was sent: 250 2.0.0 taken")
    [mail] = await editor.mails_to("eddie@example.org", 1)
    assert "[Test]" in str(mail.message["Subject"])


async def send_to_three(editor: Journey) -> None:
    """Send to all, of whom one is refused, and follow it: the second mail waits until the first was seen."""
    server, released = editor.server, asyncio.Event()
    server.per_address["carla@example.org"] = {"RCPT": Reply("550 5.1.1 no such user")}
    server.script["DOT"] = {server.turns["DOT"] + 2: Wait(released)}
    await editor.open("/admin/send")
    await editor.page.get_by_label("All subscribers of the newsletter").check()
    await editor.press("Check", "Send: The Test")
    assert "3 subscribers would get it" in await editor.text()
    sample = editor.page.frame_locator("iframe.mail").locator("body")
    assert ARTICLE_MARK.search(await sample.inner_text())
    await editor.press("Send 3 mails", "Q")
    await settled(editor, re.compile(r"Sent\s*1(?!\d)"))
    released.set()
    await settled(editor, re.compile(r"Sent\s*2\s*Queued\s*0\s*Refused\s*1(?!\d)"))
    await editor.look()
    issues = await editor.page.locator("main .cards a[href*='/admin/issues/']").evaluate_all(
        "found => found.map((one) => one.href)"
    )
    ledgers = ""
    for number, address in enumerate(issues):
        await (editor.page.goto(address) if number else editor.open(address))
        mail = editor.page.frame_locator("iframe.mail").locator("body")
        assert ARTICLE_MARK.search(await mail.inner_text())
        await editor.page.get_by_role("link", name="Who got it").click()
        await editor.page.get_by_role("heading", name="Who got it").wait_for()
        if not number:
            await editor.look()
        ledgers += await editor.text()
    for name, reply in (("amina", "taken"), ("ben", "taken"), ("carla", "550 5.1.1 no such user")):
        assert re.search(rf"{name}@example\.org[^@]+{reply}", ledgers), ledgers


async def settled(editor: Journey, expected: str | re.Pattern[str]) -> None:
    """Wait until the page shows the text: by itself with scripts, else when it is loaded again."""
    async with asyncio.timeout(PATIENCE):
        if editor.scripts:
            await editor.page.locator("main", has_text=expected).wait_for()
            return
        while not re.search(expected, await editor.text()):
            await asyncio.sleep(0.1)
            await editor.page.goto(editor.page.url)
