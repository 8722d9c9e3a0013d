"""An inspection gives a result for every source, with a sentence where it is not a feed, and never raises."""

from __future__ import annotations

import json
from pathlib import Path

from service.gather.http.fetcher import HttpFetcher
from service.gather.inspect import Inspection, inspect_feed
from service.gather.ports import WorkLimitExceeded
from tests.gather.feeds import an_item, an_rss
from tests.gather.server import Server, reply


async def test_a_web_feed_is_shown_entry_by_entry(server: Server, fetcher: HttpFetcher):
    item = an_item(
        1, link="/story/1", description="<p>Said <b>so</b>.</p>", guid="urn:g1", category="Business"
    )
    server.routes["/feed"] = reply(an_rss(item), content_type="application/rss+xml")

    told = (await inspect_feed(server.url(), fetcher)).as_json()

    assert json.loads(json.dumps(told)) == {
        "source": server.url(),
        "ok": True,
        "error": None,
        "format": "rss20",
        "title": "The Example",
        "entries": [
            {
                "id": "urn:g1",
                "title": "Council number 1 votes on its bridge",
                "url": server.url("/story/1"),
                "published": "2026-03-02T11:00:00+00:00",
                "text": "Said so.",
                "day_only": False,
                "blocks": [["paragraph", 0, 8]],
                "cut": "",
                "categories": ["Business"],
                "picture": "",
            }
        ],
    }


async def test_a_path_and_a_file_address_are_read_from_disk(tmp_path: Path, fetcher: HttpFetcher):
    (tmp_path / "my feed.xml").write_text(an_rss(an_item(1)), encoding="utf-8")

    for source in ("my feed.xml", str(tmp_path / "my feed.xml"), "file:my%20feed.xml"):
        found = await inspect_feed(source, fetcher, base_folder=tmp_path)
        assert (found.source, found.ok, len(found.entries)) == (source, True, 1)


async def test_a_source_that_is_not_a_feed_gives_a_sentence(
    server: Server, tmp_path: Path, fetcher: HttpFetcher
):
    server.routes["/page"] = reply("<html><p>Hello</p></html>")
    server.routes["/gone"] = reply("", 410)
    for source, error in (
        (server.url("/page"), "a web page, not a feed; the page links to no feed"),
        (server.url("/missing"), "the server answered 404 (not found)"),
        (server.url("/gone"), "the publisher has removed this address permanently (410)"),
        ("nowhere.xml", f"there is no file {tmp_path / 'nowhere.xml'}"),
        ("", f"{tmp_path} is not a file"),
        ("http://[::1", "the address, or the one it redirects to, is not a web address"),
    ):
        assert await inspect_feed(source, fetcher, base_folder=tmp_path) == Inspection(
            source, ok=False, error=error
        )


async def test_an_error_in_a_worker_is_part_of_the_inspection(tmp_path: Path, fetcher: HttpFetcher):
    class Broken:
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def run(self, _work, *_values):
            raise self.error

    (tmp_path / "feed.xml").write_text(an_rss(), encoding="utf-8")
    for error, said in (
        (WorkLimitExceeded("reading it took longer than it may"), "reading it took longer than it may"),
        (RuntimeError("oh"), "reading it failed (RuntimeError: oh)"),
    ):
        found = await inspect_feed("feed.xml", fetcher, base_folder=tmp_path, workers=Broken(error))
        assert (found.ok, found.error, found.entries) == (False, said, ())


async def test_entries_beyond_the_limit_are_counted(tmp_path: Path, fetcher: HttpFetcher):
    items = "<item><title>x</title></item>" * 10_001
    (tmp_path / "feed.xml").write_text(an_rss(items), encoding="utf-8")

    found = await inspect_feed("feed.xml", fetcher, base_folder=tmp_path)

    assert found.ok
    assert found.error == "it holds 10001 entries, of which the first 10000 are shown"
    assert len(found.entries) == 10_000
