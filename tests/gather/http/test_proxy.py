"""Fetching through a proxy: the scripted server is the proxy and records its requests."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import pytest

from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.http.proxy import Proxy, resolve
from service.gather.ports import Fetched, FetchFailed
from tests.gather.server import Server, reply

NAMES = {
    "feeds.example": ["93.184.216.34", "2606:2800:220:1::1"],
    "inside.example": ["93.184.216.34", "10.0.0.7"],
    "metadata.example": ["169.254.169.254"],
    "wiki.intern": ["10.0.0.8"],
}


async def looked_up(host: str) -> Sequence[str]:
    return NAMES.get(host, [])


async def asked(server: Server, url: str, *, allowed: tuple[str, ...] = (), **proxy: object) -> str:
    """Fetch through the server; return the body or the reason of the failure."""
    through = Proxy(f"http://127.0.0.1:{server.port}", **{"resolve": looked_up, **proxy})  # type: ignore[arg-type]
    async with HttpFetcher(FetchLimits(proxy=through, allow_private=allowed, total_seconds=5.0)) as fetcher:
        answer = await fetcher.fetch(url)
    assert isinstance(answer, Fetched | FetchFailed)
    return answer.body.decode() if isinstance(answer, Fetched) else answer.reason


async def test_a_feed_comes_through_the_proxy(server: Server):
    server.routes["http://feeds.example/rss"] = reply("hello")

    assert await asked(server, "http://feeds.example/rss") == "hello"
    assert "proxy-authorization" not in server.asked[0].headers


async def test_credentials_go_to_the_proxy_only(server: Server):
    server.routes["http://feeds.example/rss"] = reply("hello")

    assert await asked(server, "http://feeds.example/rss", username="ann", password="pässword") == "hello"
    login = b64encode("ann:pässword".encode()).decode()
    assert server.asked[0].headers["proxy-authorization"] == f"Basic {login}"
    assert "authorization" not in server.asked[0].headers


async def test_https_goes_through_a_tunnel(server: Server):
    server.routes["feeds.example:443"] = reply("", 403)

    assert "the proxy (fetch.proxy) answered 403" in await asked(server, "https://feeds.example/rss")
    assert server.paths() == ["feeds.example:443"]
    await asked(server, "https://feeds.example/rss", username="ann", password="x")
    assert server.asked[1].headers["proxy-authorization"] == f"Basic {b64encode(b'ann:x').decode()}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://inside.example/", "inside.example leads to 10.0.0.7, a private address"),
        ("https://metadata.example/", "metadata.example leads to 169.254.169.254, a link-local address"),
        ("http://10.0.0.7/", "10.0.0.7, a private address"),
        ("http://[::1]/", "::1, a private address"),
        ("http://168.63.129.16/", "a cloud platform's own address"),
        (
            "http://nowhere.example/",
            "no address was found for the name nowhere.example; set fetch.proxy_resol",
        ),
        ("http://feeds.example:25/", "port 25 does not serve the web"),
        ("ftp://feeds.example/", "only http and https"),
    ],
)
async def test_the_proxy_gets_no_request_for_a_refused_host(server: Server, url: str, why: str):
    assert why in await asked(server, url)
    assert server.asked == []


async def test_a_redirect_is_checked_too(server: Server):
    server.routes["http://feeds.example/rss"] = reply("", 302, location="http://metadata.example/latest")

    assert "169.254.169.254" in await asked(server, "http://feeds.example/rss")
    assert server.paths() == ["http://feeds.example/rss"]


async def test_the_operator_may_allow_a_host_or_leave_names_to_the_proxy(server: Server):
    server.routes["http://wiki.intern/rss"] = server.routes["http://nowhere.example/"] = reply("hello")

    assert await asked(server, "http://wiki.intern/rss", allowed=("wiki.intern",)) == "hello"
    assert await asked(server, "http://nowhere.example/", resolves_names=True) == "hello"
    assert "a private address" in await asked(server, "http://10.0.0.7/", resolves_names=True)


async def test_an_unreachable_or_refusing_proxy_is_named(server: Server):
    server.routes["http://feeds.example/rss"] = reply("", 407)
    assert "407" in await asked(server, "http://feeds.example/rss")

    gone = Server(port=1)
    assert "no connection to the proxy (fetch.proxy)" in await asked(gone, "http://feeds.example/rss")


async def test_variables_of_the_environment_name_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    server.routes["/feed"] = reply("hello")
    async with HttpFetcher(FetchLimits(allow_private=("127.0.0.1",))) as fetcher:
        assert isinstance(await fetcher.fetch(server.url()), Fetched)


async def test_names_are_looked_up_by_this_machine():
    assert "127.0.0.1" in await resolve("localhost")
    assert await resolve("a" * 64 + ".invalid") == []
