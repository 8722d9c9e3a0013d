"""Feeds on the editors' pages: health, new feeds, settings, mute, OPML and polls; and attacks on each."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from service.core.ids import feed_id
from service.core.model import FeedState
from service.settings.load import load_config
from service.store.gather import SqlGatherStore
from service.store.schema import feeds
from service.store.subscribers import SqlSubscriberStore
from tests.builders import a_feed
from tests.gather.feeds import an_item, an_rss, numbered
from tests.gather.server import Server, reply, serving
from tests.web.admin.conftest import EditorsSite

COURIER = feed_id("https://courier.example/world.xml")
SCRIPT = "<script>alert(1)</script>"
COMMENTED = """# Our sources
feeds:
  # the main one
  - {url: "https://courier.example/world.xml", name: The Courier, topics: [world]}  # since 2019
  - {url: "https://ledger.example/economy.xml", name: The Ledger, topics: [economy]}
"""
XML = {"content_type": "application/rss+xml"}


@pytest.fixture
async def publisher() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


class OnLoopback:
    """Tests whose publisher has an address of this machine, which the settings allow."""

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"CAVEAT_FETCH__ALLOW_PRIVATE": "127.0.0.1"}


def feeds_file(site: EditorsSite) -> str:
    return (site.folder / "feeds.yaml").read_text()


async def test_the_feeds_in_trouble_come_first_with_their_errors_in_words(editors: EditorsSite):
    ledger = a_feed("https://ledger.example/economy.xml", name="The Ledger", topics=("economy",))
    async with editors.app.database.write() as connection:
        await connection.execute(
            feeds.update()
            .where(feeds.c.id == ledger.id)
            .values(failures=3, last_error="the server answered 503", last_look_at=editors.clock())
        )
    vera = await editors.log_in("vera")
    status, text = await vera.get("/feeds")
    assert status == 200
    assert text.index("The Ledger") < text.index("The Courier")
    assert "failed 3 times in a row; never read: the server answered 503" in text
    _, failing = await vera.get("/feeds?show=failing")
    assert "The Courier" not in failing
    assert "Add a feed" not in text, "a viewer can change nothing"


async def test_ten_thousand_feeds_are_shown_in_pages_below_100_kb(editors: EditorsSite):
    many = [
        a_feed(f"https://many.example/{n}", name=f"{SCRIPT} Source {n:05}", topics=("world",))
        for n in range(3_000)
    ]
    await SqlSubscriberStore(editors.app.database).save_feeds(many, editors.clock())
    vera = await editors.log_in("vera")
    _, text = await vera.get("/feeds?show=removed&order=name")
    assert len(text.encode()) < 75_000
    assert SCRIPT not in text
    assert "page 1 of" in text
    _, later = await vera.get("/feeds?show=removed&order=name&page=2")
    assert "Source 00045" in later
    _, found = await vera.get("/feeds?show=removed&q=source%2002999")
    assert "1 feed" in found


@pytest.mark.parametrize(
    "query",
    [
        *("order=name;DROP%20TABLE%20feeds", "order=__class__", "show='%20OR%201=1"),
        *("page=-1", "page=9999999999", "page=%C2%B2"),
        *("q=%25%00%27", "q=%ff%fe", "topic=%22%3E%3Cscript%3E"),
    ],
)
async def test_hostile_filters_break_nothing(editors: EditorsSite, query: str):
    vera = await editors.log_in("vera")
    status, text = await vera.get(f"/feeds?{query}")
    assert status == 200
    assert "<script>" not in text


async def test_paths_that_name_no_feed_are_not_found(editors: EditorsSite):
    ada = await editors.log_in("ada")
    for name in ("0" * 64, "..%2F..%2Fetc%2Fpasswd", "%00", "' OR 1=1 --", "https:%2F%2Fcourier.example"):
        for page in ("", "/edit", "/remove"):
            status, text = await ada.get(f"/feeds/{name}{page}")
            assert status == 404, (name, page)
            assert "Traceback" not in text


async def test_an_edit_keeps_comments_and_writes_only_what_differs(editors: EditorsSite):
    (editors.folder / "feeds.yaml").write_text(COMMENTED)
    eddie = await editors.log_in("eddie")
    _, form = await eddie.get(f"/feeds/{COURIER}/edit")
    given = {
        "item": re.search(r'name="item" value="(\w+)"', form)[1],
        "url": "https://courier.example/world.xml",
        "name": "The Courier",
        "topics": "world",
        "weight": "2",
        "categories": "Business: economy\nTime: 12:00: world",
    }
    status, refused = await eddie.post(f"/feeds/{COURIER}/edit", {**given, "every": "often", "weight": "99"})
    assert status == 422
    assert 'id="every.problem"' in refused
    assert 'id="weight.problem"' in refused
    assert 'value="often"' in refused, "what was typed stays"
    status, saved = await eddie.post(f"/feeds/{COURIER}/edit", given)
    assert (status, "Saved in feeds.yaml" in saved) == (200, True)
    text = feeds_file(editors)
    assert all(kept in text for kept in ("# Our sources", "# the main one", "# since 2019"))
    courier = load_config(editors.folder, {}).roster.feeds[0]
    assert courier.weight == 2
    assert dict(courier.categories) == {"business": "economy", "time: 12:00": "world"}
    assert "full_text" not in text
    status, _ = await eddie.post(f"/feeds/{COURIER}/edit", {**given, "weight": "3"})
    assert status == 409, "the form was made from older values"
    assert load_config(editors.folder, {}).roster.feeds[0].weight == 2


async def test_an_edit_cannot_name_a_file_of_the_server_or_the_address_of_another_feed(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    _, form = await eddie.get(f"/feeds/{COURIER}/edit")
    item = re.search(r'name="item" value="(\w+)"', form)[1]
    before = feeds_file(editors)
    for url in (
        "file:/etc/passwd",
        "file:../secret",
        "https://ledger.example/economy.xml",
        "javascript:1",
        "",
    ):
        status, text = await eddie.post(f"/feeds/{COURIER}/edit", {"item": item, "url": url})
        assert status == 422, url
        assert 'id="url.problem"' in text
    assert feeds_file(editors) == before


async def test_a_muted_feed_is_not_polled_and_keeps_its_history(editors: EditorsSite):
    state = FeedState(
        a_feed("https://courier.example/world.xml"), last_success_at=editors.clock(), etag="abc"
    )
    eddie = await editors.log_in("eddie")
    await eddie.get("/feeds")
    async with editors.app.database.write() as connection:
        await connection.execute(feeds.update().where(feeds.c.id == COURIER).values(etag=state.etag))
    _, text = await eddie.post(f"/feeds/{COURIER}/mute", {"muted": "yes"})
    assert "not polled until you unmute it" in text
    assert "muted: true" in feeds_file(editors)
    status, refused = await eddie.post(f"/feeds/{COURIER}/poll")
    assert (status, "unmute it first" in refused) == (422, True)
    site = load_config(editors.folder, {})
    editors.app.roster = site.roster  # as the running service does after a change of the files
    await editors.app.apply_roster()
    polled = {one.feed.id: one for one in await SqlGatherStore(editors.app.database).all_feeds()}
    assert COURIER not in polled
    await eddie.post(f"/feeds/{COURIER}/mute", {"muted": "no"})
    assert "muted" not in feeds_file(editors)
    editors.app.roster = load_config(editors.folder, {}).roster
    await editors.app.apply_roster()
    polled = {one.feed.id: one for one in await SqlGatherStore(editors.app.database).all_feeds()}
    assert polled[COURIER].etag == "abc"


async def test_a_removal_says_what_ends_and_is_in_the_audit(editors: EditorsSite):
    ada = await editors.log_in("ada")
    _, plan = await ada.get(f"/feeds/{COURIER}/remove")
    assert "The Morning Caveat</span> then has no feed" in plan
    _, text = await ada.post(f"/feeds/{COURIER}/remove")
    assert "removed from feeds.yaml" in text
    assert "courier.example" not in feeds_file(editors)
    _, audit = await ada.get("/access/audit")
    assert "removed the feed The Courier" in audit


ENTITIES = (
    b'<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b'<opml version="2.0"><body><outline xmlUrl="https://x.example/&b;" text="&b;"/></body></opml>'
)


@pytest.mark.parametrize("data", [ENTITIES, b"", b"no list", b"\x00\xff" * 500, b"<opml>" * 100_000])
async def test_what_is_no_opml_list_is_refused_in_a_sentence(editors: EditorsSite, data: bytes):
    eddie = await editors.log_in("eddie")
    await eddie.get("/feeds/import")
    status, text = await eddie.upload("/feeds/import", "list.opml", data)
    assert status == 422
    assert 'role="alert"' in text


async def test_an_opml_list_is_previewed_imported_and_exported(editors: EditorsSite):
    outlines = "".join(
        f'<outline type="rss" text="{n} &lt;script&gt;alert(1)" xmlUrl="https://new.example/{n}"/>'
        for n in range(500)
    )
    opml = (
        f'<opml version="2.0"><body><outline text="World">{outlines}'
        '<outline type="rss" text="Known" xmlUrl="https://courier.example/world.xml"/>'
        '<outline type="rss" text="Bad" xmlUrl="javascript:alert(1)"/></outline></body></opml>'
    )
    eddie = await editors.log_in("eddie")
    await eddie.get("/feeds/import")
    before = feeds_file(editors)
    _, plan = await eddie.upload("/feeds/import", "list.opml", opml.encode())
    assert feeds_file(editors) == before, "a preview changes nothing"
    assert "Add 500 feeds" in plan
    assert "The Courier" in plan
    assert "is not a web address" in plan
    assert "<script>" not in plan
    assert len(plan.encode()) < 75_000
    path = re.search(r'action="/admin(/feeds/import/[0-9a-f]{32})"', plan)[1]
    _, done = await eddie.post(path)
    assert "were added to feeds.yaml" in done
    assert len(load_config(editors.folder, {}).roster.feeds) == 502
    _, exported = await eddie.get("/feeds/export")
    assert exported.count("xmlUrl=") == 502


async def test_private_addresses_are_not_requested(editors: EditorsSite, publisher: Server):
    """The settings allow none; the publisher would answer with a feed."""
    publisher.routes["/feed"] = reply(an_rss(an_item()), **XML)
    eddie = await editors.log_in("eddie")
    await eddie.get("/feeds/add")
    port = publisher.port
    for address in (
        publisher.url(),
        f"http://localhost:{port}/feed",
        f"http://[::1]:{port}/feed",
        f"http://[::ffff:127.0.0.1]:{port}/feed",
        f"http://2130706433:{port}/feed",
        f"127.0.0.1:{port}/feed",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "file:feeds.yaml",
        "gopher://127.0.0.1/",
        "http://",
        "",
        "http://user@[bad/",
    ):
        status, text = await eddie.post("/feeds/find", {"address": address})
        assert status == 422, address
        assert "root:" not in text
        assert "Add this feed" not in text
    assert publisher.asked == []


async def test_nobody_adds_a_feed_that_is_no_web_address(editors: EditorsSite):
    eddie = await editors.log_in("eddie")
    await eddie.get("/feeds/add")
    before = feeds_file(editors)
    for url in ("file:/etc/passwd", "javascript:alert(1)", "", "https://courier.example/world.xml"):
        status, _ = await eddie.post("/feeds/add", {"url": url, "name": "x"})
        assert status == 422, url
    assert feeds_file(editors) == before


class TestWithAPublisher(OnLoopback):
    async def test_a_feed_is_found_by_the_address_of_a_page_and_added(
        self, editors: EditorsSite, publisher: Server
    ):
        page = '<html><head><link rel="alternate" type="application/rss+xml" href="/news.xml"></head></html>'
        hostile = an_item(7, title=f"&lt;img src=x onerror=alert(1)&gt; {SCRIPT}")
        publisher.routes["/"] = reply(page, content_type="text/html")
        publisher.routes["/news.xml"] = reply(
            an_rss(*[hostile, numbered(range(1, 6))], title="The &lt;b&gt; Example"), **XML
        )
        (editors.folder / "feeds.yaml").write_text(COMMENTED)
        eddie = await editors.log_in("eddie")
        await eddie.get("/feeds/add")
        status, found = await eddie.post("/feeds/find", {"address": publisher.url("/")})
        assert status == 200
        assert "language: en" in found
        assert "taken by The Morning Caveat" in found
        assert SCRIPT not in found
        assert "<img" not in found
        url = re.search(r'name="url" value="([^"]+)"', found)[1]
        assert url == publisher.url("/news.xml")
        _, added = await eddie.post(
            "/feeds/add", {"url": url, "name": "The Example", "topics": ["world", "sport\n"], "weight": "0.5"}
        )
        assert "was added to feeds.yaml" in added
        new = load_config(editors.folder, {}).roster.feeds[-1]
        assert (new.url, new.name, set(new.topics), new.weight) == (
            url,
            "The Example",
            {"world", "sport"},
            0.5,
        )
        assert "# since 2019" in feeds_file(editors)
        status, again = await eddie.post("/feeds/find", {"address": url})
        assert "configured already" in again

    async def test_a_redirect_to_a_private_address_is_not_followed(
        self, editors: EditorsSite, publisher: Server
    ):
        publisher.routes["/go"] = reply("", 302, location="http://10.0.0.1/feed")
        publisher.routes["/cloud"] = reply("", 302, location="http://169.254.169.254/latest/meta-data")
        publisher.routes["/file"] = reply("", 302, location="file:///etc/passwd")
        page = '<link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">'
        publisher.routes["/page"] = reply(page, content_type="text/html")
        eddie = await editors.log_in("eddie")
        await eddie.get("/feeds/add")
        for path in ("/go", "/cloud", "/file", "/page"):
            status, text = await eddie.post("/feeds/find", {"address": publisher.url(path)})
            assert "root:" not in text, path
            assert "Add this feed" not in text, path
            assert status == 422, path

    async def test_a_poll_and_an_inspection_on_request(self, editors: EditorsSite, publisher: Server):
        publisher.routes["/news.xml"] = reply(an_rss(an_item(1, title=f"Harbour {SCRIPT}")), **XML)
        eddie = await editors.log_in("eddie")
        await eddie.get("/feeds/add")
        url = publisher.url("/news.xml")
        await eddie.post("/feeds/add", {"url": url, "name": "Example", "topics": "world"})
        editors.app.roster = load_config(editors.folder, {}).roster
        await editors.app.apply_roster()
        path = f"/feeds/{feed_id(url)}"
        _, inspected = await eddie.post(f"{path}/inspect")
        assert "Nothing was stored" in inspected
        assert SCRIPT not in inspected
        assert not await editors.app.queries.articles()
        _, polled = await eddie.post(f"{path}/poll")
        assert "The feed was polled" in polled
        assert len(await editors.app.queries.articles()) == 1
