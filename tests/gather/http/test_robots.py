"""A site's robots.txt is fetched once a day, and obeyed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.gather.http.robots import RobotsCache
from service.gather.ports import Fetched, FetchFailed, FetchResult, Gone
from tests.builders import NOON

RULES = (
    b"User-agent: *\nDisallow: /private\nAllow: /private/open\n\nUser-agent: Caveat\nDisallow: /no-caveats\n"
)


class Site:
    """Returns one response and counts the requests."""

    def __init__(self, answer: FetchResult) -> None:
        self.answer, self.asked = answer, []

    async def fetch(self, url: str, **_conditions: str | None) -> FetchResult:
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.answer


def site(body: bytes) -> Site:
    return Site(Fetched("https://a.example/robots.txt", body))


async def test_rules_apply_to_all_agents_or_to_ours_by_name():
    for agent, path, allowed in (
        ("Other", "/private/x", False),
        ("Other", "/private/open", True),
        ("Other", "/public", True),
        ("Caveat", "/no-caveats", False),
        ("Caveat", "/private/x", True),
    ):
        robots = RobotsCache(site(RULES), agent)
        assert await robots.allows(f"https://a.example{path}", NOON) is allowed


async def test_robots_txt_is_fetched_once_a_day_for_any_number_of_pages():
    asked = site(RULES)
    robots = RobotsCache(asked)
    await asyncio.gather(*(robots.allows(f"https://a.example/{n}", NOON) for n in range(20)))
    assert asked.asked == ["https://a.example/robots.txt"]

    await robots.allows("https://a.example:8443/x", NOON)
    await robots.allows("https://a.example/x", NOON + timedelta(hours=25))
    assert asked.asked[1:] == ["https://a.example:8443/robots.txt", "https://a.example/robots.txt"]


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (FetchFailed("the server answered 404 (not found)", None, 404), True),
        (FetchFailed("the server answered 403 (forbidden)", None, 403), True),
        (Gone(), True),
        (FetchFailed("the server answered 503", None, 503), False),
        (FetchFailed("the server answered 429", None, 429), False),
        (FetchFailed("no connection to a.example could be made"), False),
        (Fetched("https://a.example/robots.txt", b"\xff\xfe\x00 garbage <html>"), True),
        (Fetched("https://a.example/robots.txt", b""), True),
    ],
)
async def test_missing_rules_allow_everything_and_a_server_error_nothing(answer: FetchResult, allowed: bool):
    assert await RobotsCache(Site(answer)).allows("https://a.example/x", NOON) is allowed


async def test_a_server_error_is_cached_for_an_hour():
    asked = Site(FetchFailed("busy", None, 503))
    robots = RobotsCache(asked)
    await robots.allows("https://a.example/x", NOON)
    asked.answer = Fetched("https://a.example/robots.txt", b"")

    assert await robots.allows("https://a.example/x", NOON + timedelta(minutes=61))


async def test_the_table_of_sites_is_limited():
    robots = RobotsCache(site(b""))
    for n in range(2_100):
        await robots.allows(f"https://{n}.example/x", NOON)

    assert len(robots._permissions) <= 2_000
