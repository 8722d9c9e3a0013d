"""Unsubscribing is one click that always works, and a look that never does anything."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.web.conftest import Door

Web = aiohttp.ClientSession


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_looking_changes_nothing(door: Door, web: Web, method: str):
    before = await door.statuses()
    answer = await web.request(method, (await door.links()).unsubscribe)
    assert answer.status in {200, 204}
    assert await door.statuses() == before


async def test_the_page_asks_first_and_shows_no_whole_address(door: Door, web: Web):
    page = await (await web.get((await door.links()).unsubscribe)).text()
    assert "Unsubscribe from The Morning Caveat?" in page
    assert '<form method="post">' in page
    assert "a…a@example.org" in page
    assert "amina@example.org" not in page


async def test_the_button_ends_one_newsletter(door: Door, web: Web):
    answer = await web.post((await door.links()).unsubscribe, data={})
    assert answer.status == 200
    assert "You are unsubscribed" in await answer.text()
    assert await door.statuses() == {
        "amina morning": "unsubscribed",
        "amina evening": "active",
        "ben morning": "active",
    }


async def test_the_box_ends_everything_and_no_roster_brings_it_back(door: Door, web: Web):
    await web.post((await door.links()).unsubscribe, data={"from": "everything"})
    statuses = await door.statuses()
    assert (statuses["amina morning"], statuses["amina evening"]) == ("unsubscribed", "unsubscribed")
    assert (await door.membership()).suppressed == "unsubscribed from everything"


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "bare"])
async def test_a_mail_program_s_one_click_acts_without_a_page(door: Door, web: Web, kind: str):
    """RFC 8058, 3.2: `List-Unsubscribe=One-Click`, as a form of either kind; no cookies, no redirect."""
    data: object = {"List-Unsubscribe": "One-Click"}
    if kind == "multipart":
        data = aiohttp.FormData(default_to_multipart=True)
        data.add_field("List-Unsubscribe", "One-Click")
    elif kind == "bare":
        data = b"List-Unsubscribe=One-Click"
    answer = await web.post((await door.links()).unsubscribe, data=data, allow_redirects=False)

    assert answer.status == 200
    assert answer.content_type == "text/plain"
    assert (await door.statuses())["amina morning"] == "unsubscribed"
    assert (await door.statuses())["amina evening"] == "active"


async def test_a_hundred_clicks_are_one(door: Door, web: Web):
    url = (await door.links()).unsubscribe
    answers = await asyncio.gather(*(web.post(url, data={}) for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert (await door.statuses())["amina morning"] == "unsubscribed"


async def test_who_has_left_is_told_so(door: Door, web: Web):
    url = (await door.links()).unsubscribe
    await web.post(url, data={})
    page = await (await web.get(url)).text()
    assert "You are unsubscribed" in page
    assert "<form" not in page


async def test_who_was_erased_can_still_click(door: Door, web: Web):
    url = (await door.links()).unsubscribe
    await door.people.erase("amina@example.org")
    assert (await web.post(url, data={})).status == 200
    page = await (await web.get(url)).text()
    assert "is not sent to you any more" in page
    assert "preferences" not in page


async def test_the_page_speaks_the_newsletter_s_language(door: Door, web: Web):
    page = await (await web.get((await door.links("ben")).unsubscribe)).text()
    assert '<html lang="ar" dir="rtl">' in page


async def test_nobody_s_token_opens_a_calm_page(door: Door, web: Web):
    good = (await door.links()).unsubscribe
    for url in (good[:-1], good + "A", f"{door.url}/unsubscribe/x", f"{door.url}/unsubscribe/{'a' * 4000}"):
        for method in ("GET", "POST"):
            answer = await web.request(method, url)
            page = await answer.text()
            assert answer.status == 404
            assert "This page does not exist" in page
            assert "Traceback" not in page
    assert (await door.statuses())["amina morning"] == "active"


async def test_one_link_cannot_do_what_the_other_may(door: Door, web: Web):
    links = await door.links()
    swapped = links.preferences.replace("/preferences/", "/unsubscribe/")
    assert (await web.post(swapped, data={})).status == 404
    assert (await web.get(links.unsubscribe.replace("/unsubscribe/", "/preferences/"))).status == 404
