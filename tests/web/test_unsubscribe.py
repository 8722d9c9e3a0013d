"""Unsubscribing is one click that always works, and a look that never does anything."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from service.subscribers.links import TEST_RECIPIENT, subscriber_links
from tests.web.conftest import WebServer

Web = aiohttp.ClientSession


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_get_changes_nothing(server: WebServer, web: Web, method: str):
    before = await server.statuses()
    answer = await web.request(method, (await server.links()).unsubscribe)
    assert answer.status in {200, 204}
    assert await server.statuses() == before


async def test_the_page_asks_for_confirmation_and_masks_the_address(server: WebServer, web: Web):
    page = await (await web.get((await server.links()).unsubscribe)).text()
    assert "Unsubscribe from The Morning Caveat?" in page
    assert '<form method="post">' in page
    assert "a…a@example.org" in page
    assert "amina@example.org" not in page


async def test_the_button_unsubscribes_from_one_newsletter(server: WebServer, web: Web):
    answer = await web.post((await server.links()).unsubscribe, data={})
    assert answer.status == 200
    assert "You are unsubscribed" in await answer.text()
    assert await server.statuses() == {
        "amina morning": "unsubscribed",
        "amina evening": "active",
        "ben morning": "active",
    }


async def test_the_checkbox_unsubscribes_from_everything_for_good(server: WebServer, web: Web):
    await web.post((await server.links()).unsubscribe, data={"from": "everything"})
    statuses = await server.statuses()
    assert (statuses["amina morning"], statuses["amina evening"]) == ("unsubscribed", "unsubscribed")
    assert (await server.membership()).suppressed == "unsubscribed from everything"


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "bare"])
async def test_one_click_unsubscribes_without_a_page(server: WebServer, web: Web, kind: str):
    """RFC 8058, 3.2: `List-Unsubscribe=One-Click`, as a form of either kind; no cookies, no redirect."""
    data: object = {"List-Unsubscribe": "One-Click"}
    if kind == "multipart":
        data = aiohttp.FormData(default_to_multipart=True)
        data.add_field("List-Unsubscribe", "One-Click")
    elif kind == "bare":
        data = b"List-Unsubscribe=One-Click"
    answer = await web.post((await server.links()).unsubscribe, data=data, allow_redirects=False)

    assert answer.status == 200
    assert answer.content_type == "text/plain"
    assert (await server.statuses())["amina morning"] == "unsubscribed"
    assert (await server.statuses())["amina evening"] == "active"


async def test_a_hundred_clicks_act_once(server: WebServer, web: Web):
    url = (await server.links()).unsubscribe
    answers = await asyncio.gather(*(web.post(url, data={}) for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert (await server.statuses())["amina morning"] == "unsubscribed"


async def test_the_page_says_that_the_newsletter_was_left_already(server: WebServer, web: Web):
    url = (await server.links()).unsubscribe
    await web.post(url, data={})
    page = await (await web.get(url)).text()
    assert "You are unsubscribed" in page
    assert "<form" not in page


async def test_an_erased_subscriber_can_still_click(server: WebServer, web: Web):
    url = (await server.links()).unsubscribe
    await server.people.erase("amina@example.org")
    assert (await web.post(url, data={})).status == 200
    page = await (await web.get(url)).text()
    assert "is not sent to you any more" in page
    assert "preferences" not in page


async def test_the_page_is_in_the_newsletter_s_language(server: WebServer, web: Web):
    page = await (await web.get((await server.links("ben")).unsubscribe)).text()
    assert '<html lang="ar" dir="rtl">' in page


async def test_an_invalid_token_is_a_404_page(server: WebServer, web: Web):
    good = (await server.links()).unsubscribe
    for url in (
        good[:-1],
        good + "A",
        f"{server.url}/unsubscribe/x",
        f"{server.url}/unsubscribe/{'a' * 4000}",
    ):
        for method in ("GET", "POST"):
            answer = await web.request(method, url)
            page = await answer.text()
            assert answer.status == 404
            assert "This page does not exist" in page
            assert "Traceback" not in page
    assert (await server.statuses())["amina morning"] == "active"


async def test_a_link_works_for_its_own_purpose_only(server: WebServer, web: Web):
    links = await server.links()
    swapped = links.preferences.replace("/preferences/", "/unsubscribe/")
    assert (await web.post(swapped, data={})).status == 404
    assert (await web.get(links.unsubscribe.replace("/unsubscribe/", "/preferences/"))).status == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_links_of_a_test_mail_say_so_and_change_nothing(server: WebServer, web: Web, method: str):
    before = await server.people.memberships()
    links = subscriber_links(await server.people.signing_key(), server.url, TEST_RECIPIENT, "morning")
    for url in (links.unsubscribe, links.preferences):
        for data in ({}, {"List-Unsubscribe": "One-Click"}, {"leave": "everything"}, {"from": "everything"}):
            answer = await web.request(method, url, data=data if method == "POST" else None)
            assert answer.status == 200
            assert "This was a test mail" in await answer.text()
    assert await server.people.memberships() == before
