"""The list of a newsletter's issues, as a page, as RSS and as JSON Feed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import aiohttp
import feedparser
import pytest

from service.app.archive.archive import ISSUES_PER_PAGE
from service.core.tokens import ARCHIVE, signature
from tests.builders import NOON
from tests.compose.digests import a_digest, a_story, point, published, the_ballot
from tests.store.stores import DAY
from tests.web.archive.conftest import ArchiveSite, the_issue

Web = aiohttp.ClientSession
ATOM, CONTENT = "{http://www.w3.org/2005/Atom}", "{http://purl.org/rss/1.0/modules/content/}"


def parsed(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own server wrote it


async def three_issues(archive: ArchiveSite, newsletter: str = "morning") -> list[str]:
    """Store three issues, and return their ids, newest first."""
    issues = [
        await archive.publish(the_issue(), newsletter, day=f"2026-03-0{n}", created_at=NOON + n * DAY)
        for n in (1, 2, 3)
    ]
    return [issue.id for issue in reversed(issues)]


async def test_the_list_has_the_newest_issue_first(archive: ArchiveSite, web: Web):
    ids = await three_issues(archive)
    page = await (await web.get((await archive.list_pages()).page)).text()

    assert re.findall(r"/issues/([0-9a-f]{32})", page) == ids
    assert "Tuesday, 3 March 2026, 07:00" in page
    assert "News of 2026-03-03" in page
    assert '<meta name="robots" content="all">' in page


async def test_a_long_list_has_pages(archive: ArchiveSite, web: Web):
    first_day = NOON.date()
    for n in range(ISSUES_PER_PAGE + 2):
        await archive.publish(None, day=(first_day + n * timedelta(days=1)).isoformat())
    url = (await archive.list_pages()).page
    first, second = [await (await web.get(f"{url}?page={n}")).text() for n in (1, 2)]

    assert (first.count("<time"), second.count("<time")) == (ISSUES_PER_PAGE, 2)
    assert 'href="https://news.example.org/newsletters/morning?page=2">Next page' in first
    assert 'href="https://news.example.org/newsletters/morning">Previous page' in second
    assert (await web.get(f"{url}?page=3")).status == 404


async def test_a_list_without_issues_says_so(archive: ArchiveSite, web: Web):
    assert "There is no issue yet." in await (await web.get((await archive.list_pages()).page)).text()


async def test_the_rss_feed_is_valid_and_complete(archive: ArchiveSite, web: Web):
    ids = await three_issues(archive)
    answer = await web.get((await archive.list_pages()).rss)
    channel = parsed(await answer.read()).find("channel")

    assert answer.content_type == "application/rss+xml"
    own = channel.find(f"{ATOM}link")
    assert (own.get("rel"), own.get("href")) == (
        "self",
        "https://news.example.org/newsletters/morning/feed.xml",
    )
    items = channel.findall("item")
    assert [item.findtext("guid") for item in items] == [f"urn:caveat:issue:{one}" for one in ids]
    assert {item.find("guid").get("isPermaLink") for item in items} == {"false"}
    assert [parsedate_to_datetime(item.findtext("pubDate")) for item in items] == [
        NOON + n * DAY for n in (3, 2, 1)
    ]
    assert items[0].findtext("link") == f"https://news.example.org/issues/{ids[0]}"
    content = items[0].findtext(f"{CONTENT}encoded")
    assert the_ballot().headline in content
    assert "Denied:" in content
    assert "She denies the payments." in content


async def test_a_feed_reader_reads_it(archive: ArchiveSite, web: Web):
    await three_issues(archive)
    read = feedparser.parse(await (await web.get((await archive.list_pages()).rss)).read())

    assert not read.bozo
    assert read.feed.title == "The Morning"
    assert len(read.entries) == 3
    assert all(entry.published_parsed and entry.content for entry in read.entries)


async def test_the_json_feed_has_the_same_issues(archive: ArchiveSite, web: Web):
    ids = await three_issues(archive)
    answer = await web.get((await archive.list_pages()).json)
    feed = json.loads(await answer.read())

    assert answer.content_type == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "https://news.example.org/newsletters/morning/feed.json"
    assert [item["id"] for item in feed["items"]] == [f"urn:caveat:issue:{one}" for one in ids]
    assert feed["items"][0]["date_published"] == "2026-03-05T12:00:00+00:00"
    assert "She denies the payments." in feed["items"][0]["content_html"]


async def test_a_feed_of_hostile_text_is_well_formed(archive: ArchiveSite, web: Web):
    article = published("]]></item><script>\x0b\ufffe&amp; <b>", "<i>P</i>", url="javascript:alert(1)")
    await archive.publish(a_digest(a_story([point(article, "]]> </encoded> \x00 {{ x }}")])))
    links = await archive.list_pages()
    (item,) = parsed(await (await web.get(links.rss)).read()).iter("item")

    content = item.findtext(f"{CONTENT}encoded")
    assert "<script" not in content
    assert "javascript:" not in content
    assert parsed(f"<x>{content}</x>".encode()) is not None
    assert json.loads(await (await web.get(links.json)).read())["items"]


@pytest.mark.parametrize("kind", ["page", "rss", "json"])
async def test_a_signed_list_opens_with_its_key_alone(archive: ArchiveSite, web: Web, kind: str):
    (newest, *_) = await three_issues(archive, "evening")
    url = getattr(await archive.list_pages("evening"), kind)
    plain, right = url.split("?key=")
    issue_key = signature(await archive.key(), "issue", newest)
    answer = await web.get(url)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    # The list links to its issues with their own keys.
    assert f"/issues/{newest}?key={issue_key}" in await answer.text()
    for wrong in ("", right[:-1], issue_key, signature(await archive.key(), ARCHIVE, "morning")):
        assert (await web.get(f"{plain}?key={wrong}")).status == 404


@pytest.mark.parametrize("kind", ["page", "rss", "json"])
async def test_what_is_not_changed_is_not_sent_again(archive: ArchiveSite, web: Web, kind: str):
    await three_issues(archive)
    url = getattr(await archive.list_pages(), kind)
    first = await web.get(url)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    assert modified == "Thu, 05 Mar 2026 12:00:00 GMT"
    for known in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        again = await web.get(url, headers=known)
        assert (again.status, await again.read()) == (304, b"")
    for older in ("Thu, 05 Mar 2026 11:59:59 GMT", "yesterday", "-1"):
        assert (await web.get(url, headers={"If-Modified-Since": older})).status == 200
    # A validator that does not match decides, whatever the date says (RFC 9110, 13.2.2).
    both = {"If-None-Match": '"x"', "If-Modified-Since": modified}
    assert (await web.get(url, headers=both)).status == 200

    await archive.publish(replace(the_issue(), left_out=1), day="2026-03-09", created_at=NOON + 9 * DAY)
    assert (await web.get(url, headers={"If-None-Match": etag})).status == 200
