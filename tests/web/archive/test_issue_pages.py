"""An issue has a page for whoever may read it: complete, without anything of a recipient, safe."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import aiohttp
import pytest
from sqlalchemy import update

from service.app.archive.archive import STORIES_PER_PAGE
from service.core.model import DeliveryState, Placement, SentIssue
from service.core.tokens import ISSUE, signature
from service.store.cancel import SqlCancellation
from service.store.schema import deliveries
from tests.builders import NOON
from tests.compose.digests import (
    a_correction,
    a_digest,
    a_story,
    point,
    published,
    the_ballot,
    the_ballot_in_arabic,
    the_fire,
    the_inquiry,
    the_treaty,
    the_well,
)
from tests.pictures import a_picture
from tests.store.stores import an_edition
from tests.web.archive.conftest import ArchiveSite, the_issue

Web = aiohttp.ClientSession
SCRIPTS = re.compile(r"<script|<iframe|<img|\sstyle=|\son\w+=|javascript:|@import|url\(", re.IGNORECASE)


async def text_of(web: Web, url: str) -> str:
    answer = await web.get(url)
    assert answer.status == 200, url
    return await answer.text()


async def test_a_public_issue_shows_all_its_stories_with_their_caveats(archive: ArchiveSite, web: Web):
    short = replace(the_fire(), placement=Placement.SHORT, points=())
    on_web = replace(the_well(), placement=Placement.WEB, points=())
    digest = a_digest(replace(the_ballot(), placement=Placement.LEAD), the_treaty(), short, on_web)
    page = await text_of(web, await archive.page(await archive.publish(digest)))

    for number, story in enumerate(digest.stories, start=1):
        assert f'id="story-{number}"' in page
        assert story.headline in page
    assert "<h2>In short</h2>" in page
    assert "<h2>More stories</h2>" in page
    assert "Denied:" in page
    assert "She denies the payments." in page
    assert 'href="#story-1"' in page


async def test_corrections_are_on_the_page(archive: ArchiveSite, web: Web):
    story = the_treaty()
    digest = replace(
        a_digest(story), corrections=(a_correction(story.articles[0], ("It rose by 4%.", "It rose by 3%.")),)
    )
    page = await text_of(web, await archive.page(await archive.publish(digest)))

    assert "Corrections" in page
    assert re.search(r"We told you:</span> It rose by 4%\.", page)
    assert "It rose by 3%." in page


async def test_a_page_has_what_previews_of_shared_links_need(archive: ArchiveSite, web: Web):
    issue = await archive.publish(the_issue())
    page = await text_of(web, await archive.page(issue))
    headline = the_ballot().headline

    assert f'<meta property="og:title" content="{headline}">' in page
    assert f'<meta name="description" content="{headline} · ' in page
    assert f'<link rel="canonical" href="https://news.example.org/issues/{issue.id}">' in page
    assert '<meta name="robots" content="all">' in page
    assert "/newsletters/morning/feed.xml" in page


async def test_a_page_has_the_language_and_direction_of_its_edition(archive: ArchiveSite, web: Web):
    edition = replace(an_edition(), language="ar", timezone="UTC")
    page = await text_of(
        web,
        await archive.page(
            await archive.publish(a_digest(the_treaty(), the_ballot_in_arabic()), edition=edition)
        ),
    )

    assert '<html lang="ar" dir="rtl">' in page
    assert re.search(r'<article class="story" id="story-1" lang="en" xml:lang="en" dir="ltr">', page)


async def test_nothing_of_a_recipient_is_on_a_page(archive: ArchiveSite, web: Web):
    for digest in (the_issue(), None):
        issue = await archive.publish(digest, day="2026-03-02" if digest else "2026-03-03")
        for ending in ("", "md"):
            page = await text_of(web, await archive.page(issue, ending))
            assert "amina" not in page.lower()
            assert "/unsubscribe/" not in page
            assert "/preferences/" not in page
            assert not re.search("[\ue000\ue001]", page)


async def test_an_issue_from_before_digests_shows_its_mail_without_personal_lines(
    archive: ArchiveSite, web: Web
):
    page = await text_of(web, await archive.page(await archive.publish(None)))

    assert "This issue is shown as the text of its mail." in page
    assert "1. Harbour reopens" in page
    assert '<a href="https://courier.example/harbour?a=1&amp;b=2">' in page
    assert "You get this mail because" not in page
    assert "Unsubscribe:" not in page


@pytest.mark.parametrize("ending", ["", "report", "md", "epub", "picture"])
async def test_a_signed_issue_opens_with_its_key_alone(archive: ArchiveSite, web: Web, ending: str):
    issue = await archive.publish(the_issue(), "evening", picture=a_picture())
    other = await archive.publish(the_issue(), "evening", day="2026-03-03")
    url = await archive.page(issue, ending)
    plain, right = url.split("?key=")
    wrong = [
        plain,
        f"{plain}?key=",
        f"{plain}?key={right[:-1]}",
        f"{plain}?key={right}A",
        f"{plain}?key={'B' if right[0] == 'A' else 'A'}{right[1:]}",
        f"{plain}?key={(await archive.page(other)).split('?key=')[1]}",
        f"{plain}?key={signature(b'x' * 32, ISSUE, issue.id)}",
        f"{plain}?key={right}&key=x",
        f"{plain}?key=%00%ff",
        f"{plain}?key={'x' * 5_000}",
    ]

    assert (await web.get(url)).status == 200
    unknown = await web.get(f"{archive.url}/issues/{'0' * 32}?key={right}")
    for one in wrong:
        answer = await web.get(one)
        assert answer.status == 404, one
        assert await answer.text() == await unknown.text()


async def test_a_signed_issue_leads_to_no_other_and_is_kept_by_no_shared_cache(
    archive: ArchiveSite, web: Web
):
    await archive.publish(the_issue(), "evening")
    issue = await archive.publish(the_issue(), "evening", day="2026-03-03")
    answer = await web.get(await archive.page(issue))
    page = await answer.text()

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page
    assert "/newsletters/" not in page
    assert len(set(re.findall(r"/issues/([0-9a-f]{32})", page))) == 1


@pytest.mark.parametrize("newsletter", ["morning", "evening"])
async def test_an_update_links_to_the_issue_that_had_it_first(
    archive: ArchiveSite, web: Web, newsletter: str
):
    first = await archive.publish(a_digest(the_inquiry()), newsletter)
    told_first = SentIssue(first.id, first.due_at)
    update = a_digest(replace(the_inquiry(), is_update=True, first_issue=told_first))
    issue = await archive.publish(update, newsletter, day="2026-03-03")

    page = await text_of(web, await archive.page(issue))
    (link,) = re.findall(r'<a href="([^"]*)">first reported in the issue of [^<]*</a>', page)
    here = unescape(link).replace(archive.app.settings.site.url, archive.url, 1)
    assert here == await archive.page(first)
    assert (await web.get(here)).status == 200
    assert f"](<{unescape(link)}>)" in await text_of(web, await archive.page(issue, "md"))


async def test_a_newsletter_without_an_archive_has_no_pages(archive: ArchiveSite, web: Web):
    issue = await archive.publish(the_issue(), "night")
    for ending in ("", "report", "md", "epub"):
        assert (await web.get(await archive.page(issue, ending))).status == 404
    assert (await web.get((await archive.list_pages("night")).rss)).status == 404


async def test_a_cancelled_issue_is_gone(archive: ArchiveSite, web: Web):
    issue, other = [await archive.publish(the_issue(), day=f"2026-03-0{n}") for n in (1, 2)]
    assert (await web.get(await archive.page(issue))).status == 200
    await SqlCancellation(archive.app.database).cancel(issue.id, NOON)

    for ending in ("", "report", "md", "epub"):
        answer = await web.get(await archive.page(issue, ending))
        assert answer.status == 410
        assert "Cache-Control" in answer.headers
    assert issue.id not in await text_of(web, (await archive.list_pages()).page)
    assert issue.id not in await text_of(web, await archive.page(other))


@pytest.mark.parametrize(
    ("state", "doubts"),
    [(DeliveryState.SENT, 0), (DeliveryState.UNCERTAIN, 1), (DeliveryState.CANCELLED, 1)],
)
async def test_the_page_of_a_cancelled_issue_that_somebody_may_have_stays_unlisted(
    archive: ArchiveSite, web: Web, state: DeliveryState, doubts: int
):
    issue = await archive.publish(the_issue())
    async with archive.app.database.write() as connection:
        await connection.execute(update(deliveries).values(state=state, doubts=doubts))
    await SqlCancellation(archive.app.database).cancel(issue.id, NOON)

    assert (await web.get(await archive.page(issue))).status == 200
    assert issue.id not in await text_of(web, (await archive.list_pages()).page)


async def test_a_missing_issue_is_a_page_in_the_language_of_the_visitor(archive: ArchiveSite, web: Web):
    answer = await web.get(f"{archive.url}/issues/{'0' * 32}", headers={"Accept-Language": "fr"})

    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert '<html lang="fr"' in await answer.text()


async def test_a_public_issue_links_to_its_neighbours(archive: ArchiveSite, web: Web):
    issues = [await archive.publish(the_issue(), day=f"2026-03-0{n}") for n in (1, 2, 3)]
    page = await text_of(web, await archive.page(issues[1]))

    assert f'href="https://news.example.org/issues/{issues[0].id}">Previous issue' in page
    assert f'href="https://news.example.org/issues/{issues[2].id}">Next issue' in page


async def test_a_page_is_not_sent_again_to_who_has_it(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()))
    first = await web.get(url)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["X-Robots-Tag"] == "all"

    for known in (first.headers["ETag"], f'"x", W/{first.headers["ETag"]}', "*"):
        again = await web.get(url, headers={"If-None-Match": known})
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert (await web.get(url, headers={"If-None-Match": '"x"'})).status == 200


@pytest.mark.parametrize("ending", ["", "md", "epub"])
async def test_head_has_the_headers_of_get_without_a_body(archive: ArchiveSite, web: Web, ending: str):
    url = await archive.page(await archive.publish(the_issue()), ending)
    got, head = await web.get(url), await web.head(url)

    assert head.status == 200
    assert await head.read() == b""
    for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/issues/",
        "/issues/..%2f..%2fetc%2fpasswd",
        "/issues/%00",
        "/issues/" + "a" * 31,
        "/issues/" + "A" * 32,
        "/issues/" + "9" * 1_900,
        "/issues/" + "a" * 32 + "%0a",
        "/issues/" + "a" * 32 + "/report/more",
        "/issues/" + "a" * 32 + ".epub.md",
        "/issues/%F0%9F%90%B1",
        "/newsletters/" + "x" * 1_900,
        "/newsletters/morning/feed.atom",
    ],
)
async def test_a_strange_path_is_no_page(archive: ArchiveSite, web: Web, path: str):
    assert (await web.get(archive.url + path)).status == 404


@pytest.mark.parametrize("number", ["0", "-1", "2", "9999", "99999", "1e3", "x", "%00", "１"])
async def test_a_page_number_without_a_page_is_no_page(archive: ArchiveSite, web: Web, number: str):
    url = await archive.page(await archive.publish(the_issue()))
    assert (await web.get(f"{url}?page={number}")).status == 404


class WellFormed(HTMLParser):
    """Collects the addresses of all links, and the elements that are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


async def test_what_feeds_say_is_text_on_the_page(archive: ArchiveSite, web: Web):
    hostile = published(
        '</h2><script>alert(1)</script> "><img src=x onerror=alert(1)>',
        "<b>Publisher</b> & \u202eSons",
        url="javascript:alert(document.domain)",
        text="x",
    )
    second = published(
        "{{ page.links }} {% include 'x' %}", "A'\"", url='https://x.example/?q="><script>1</script>'
    )
    story = a_story([point(hostile, "<a href=javascript:alert(1)>go</a>")], hostile, second)
    issue = await archive.publish(a_digest(story, a_story([point(second, "--><svg onload=alert(1)>")])))
    for ending in ("", "report"):
        page = await text_of(web, await archive.page(issue, ending))
        found = WellFormed(page)
        assert not SCRIPTS.search(re.sub(r"&lt;.*?&gt;", "", page))
        assert not {"script", "img", "svg"} & set(found.elements)
        assert all(link.startswith(("https://", "#", "http://", "/")) or not link for link in found.links)


async def test_a_long_issue_has_several_pages(archive: ArchiveSite, web: Web):
    count = STORIES_PER_PAGE + 3
    stories = [
        replace(a_story([], published(f"Headline number {n}")), placement=Placement.WEB) for n in range(count)
    ]
    url = await archive.page(await archive.publish(a_digest(*stories)))
    first, second = await text_of(web, url), await text_of(web, f"{url}?page=2")

    assert first.count('id="story-') == STORIES_PER_PAGE
    assert second.count('id="story-') == 3
    assert f'id="story-{count}"' in second
    assert f"Headline number {count - 1}<" in second
    assert f'href="https://news.example.org/issues/{url[-32:]}?page=2">Next page' in first
    assert "Page 2 of 2" in second
    assert (await web.get(f"{url}?page=3")).status == 404


async def test_an_empty_issue_says_so(archive: ArchiveSite, web: Web):
    page = await text_of(web, await archive.page(await archive.publish(a_digest(at=NOON))))
    assert "There is nothing new to tell you today" in page


async def test_search_engines_may_read_public_issues_only(archive: ArchiveSite, web: Web):
    robots = await text_of(web, f"{archive.url}/robots.txt")
    assert robots == "User-agent: *\nAllow: /issues/\nAllow: /newsletters/\nDisallow: /\n"


async def test_the_picture_of_an_issue_is_on_its_page_and_comes_from_this_site(
    archive: ArchiveSite, web: Web
):
    picture = a_picture("The <Courier>")
    issue = await archive.publish(the_issue(), picture=picture)
    page = await text_of(web, await archive.page(issue))

    assert f'<img src="https://news.example.org/issues/{issue.id}/picture.jpg" alt="" width="544"' in page
    assert "The &lt;Courier&gt;</span></figcaption>" in page
    answer = await web.get(await archive.page(issue, "picture"))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "img-src 'self'" in answer.headers["Content-Security-Policy"]
    assert await answer.read() == picture.data


async def test_a_picture_is_for_whoever_may_read_the_issue(archive: ArchiveSite, web: Web):
    signed = await archive.publish(the_issue(), "evening", picture=a_picture())
    hidden = await archive.publish(the_issue(), "night", picture=a_picture())
    url = await archive.page(signed, "picture")

    assert (await web.get(url)).status == 200
    assert (await web.get(url.partition("?")[0])).status == 404
    assert (await web.get(await archive.page(hidden, "picture"))).status == 404


async def test_an_issue_without_a_picture_shows_and_serves_none(archive: ArchiveSite, web: Web):
    issue = await archive.publish(the_issue())
    assert "<img" not in await text_of(web, await archive.page(issue))
    assert (await web.get(await archive.page(issue, "picture"))).status == 404
