"""Fetching within limits: resources per server, allowed addresses, and our request headers."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.ports import Fetched, FetchFailed, Gone, NotModified
from tests.gather.conftest import HOME
from tests.gather.server import PACKED, Request, Server, Wire, raw, reply, reset, silent

MB = 1024 * 1024


async def failure(fetcher: HttpFetcher, url: str) -> str:
    answer = await fetcher.fetch(url)
    assert isinstance(answer, FetchFailed), answer
    return answer.reason


async def body_with(fetcher: HttpFetcher, url: str, etag: str) -> bytes:
    answer = await fetcher.fetch(url, etag=etag)
    assert isinstance(answer, Fetched), answer
    return answer.body


async def body(fetcher: HttpFetcher, url: str) -> bytes:
    answer = await fetcher.fetch(url)
    assert isinstance(answer, Fetched), answer
    return answer.body


async def test_a_response_has_the_validators_of_the_next_request(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply(
        "hello", etag='"x"', last_modified="yesterday", content_type="text/xml", cache_control="max-age=60"
    )

    answer = await fetcher.fetch(server.url())

    assert answer == Fetched(server.url(), b"hello", "text/xml", '"x"', "yesterday", None, 60)


async def test_a_request_has_our_user_agent_and_no_cookies(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply("hello", set_cookie="a=b")

    await fetcher.fetch(server.url())
    await fetcher.fetch(server.url(), etag='"x"', last_modified="yesterday")

    first, second = (request.headers for request in server.asked)
    assert first["user-agent"].startswith("Caveat/")
    assert first["accept-encoding"] == "gzip, deflate, br, zstd"
    assert "cookie" not in second
    assert (second["if-none-match"], second["if-modified-since"]) == ('"x"', "yesterday")


@pytest.mark.parametrize("etag", ['"x"\r\nX-Evil: 1', '"\x00"', '"\udcff"'])
async def test_an_etag_that_is_no_valid_header_is_not_sent(server: Server, fetcher: HttpFetcher, etag: str):
    server.routes["/feed"] = reply("hello")

    assert await body_with(fetcher, server.url(), etag) == b"hello"
    assert not {"x-evil", "if-none-match"} & set(server.asked[0].headers)


async def test_304_is_returned_with_its_freshness(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply("hello", etag='"x"', cache_control="max-age=5")

    assert await fetcher.fetch(server.url(), etag='"x"') == NotModified(fresh_seconds=5)


async def test_304_to_an_unconditional_request_is_a_failure(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply("", 304)

    assert "304" in await failure(fetcher, server.url())


async def test_410_is_gone_and_other_failures_have_status_and_retry_time(
    server: Server, fetcher: HttpFetcher
):
    server.routes["/gone"] = reply("", 410)
    server.routes["/busy"] = reply("", 503, retry_after="120")

    assert await fetcher.fetch(server.url("/gone")) == Gone()
    assert await fetcher.fetch(server.url("/busy")) == FetchFailed(
        "the server answered 503 (service unavailable)", 120, 503
    )


# --- redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "stored"), [(301, True), (308, True), (302, False), (303, False), (307, False)]
)
async def test_only_permanent_redirects_are_moves(
    server: Server, fetcher: HttpFetcher, status: int, stored: bool
):
    server.routes["/feed"] = reply("", status, location="/new")
    server.routes["/new"] = reply("hello")

    answer = await fetcher.fetch(server.url())

    assert isinstance(answer, Fetched)
    assert (answer.url, answer.body) == (server.url("/new"), b"hello")
    assert answer.moved_to == (server.url("/new") if stored else None)


async def test_a_move_ends_at_the_first_temporary_redirect(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply("", 301, location="/moved")
    server.routes["/moved"] = reply("", 302, location="/now")
    server.routes["/now"] = reply("", 301, location="/end")
    server.routes["/end"] = reply("hello", etag='"x"')

    answer = await fetcher.fetch(server.url(), etag='"x"')

    assert answer == NotModified(moved_to=server.url("/moved"))


async def test_the_number_of_redirects_is_limited(server: Server, fetcher: HttpFetcher):
    for n in range(20):
        server.routes[f"/{n}"] = reply("", 302, location=f"/{n + 1}")

    assert await failure(fetcher, server.url("/0")) == "the server redirects more than 6 times"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://10.0.0.1/", "10.0.0.1, a private address"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, a link-local address"),
        ("http://[::1]/", "::1, a private address"),
        ("http://[::ffff:10.0.0.1]/", "a private address"),
        ("http://[64:ff9b::a00:1]/", "a private address"),
        ("http://2130706433/", "not an IP address"),
        ("http://0x7f.1/", ""),
        ("ftp://example.org/", "only http and https are fetched"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "only http and https are fetched"),
        ("http://", ""),
        ("http://exa mple/", ""),
        ("http://a.example:99999/", ""),
    ],
)
async def test_a_redirect_to_a_refused_address_fails(
    server: Server, fetcher: HttpFetcher, location: str, reason: str
):
    server.routes["/feed"] = reply("", 302, location=location)

    assert reason in await failure(fetcher, server.url())


# --- addresses ---------------------------------------------------------------------------------


async def test_this_machine_gets_no_request_unless_the_operator_allows_it(server: Server):
    async with HttpFetcher() as careful:
        assert "127.0.0.1, a private address" in await failure(careful, server.url())
    assert server.asked == []


async def test_a_name_that_leads_to_this_machine_is_refused_when_the_connection_is_made(server: Server):
    async with HttpFetcher(FetchLimits(host_spacing=0)) as careful:
        for _ in range(5):
            reason = await failure(careful, f"http://localhost:{server.port}/feed")

    assert reason.startswith("localhost leads to")
    assert "list it under fetch.allow_private" in reason
    assert server.asked == []


async def test_an_allowed_name_may_lead_to_this_machine(server: Server):
    server.routes["/feed"] = reply("hello")
    async with HttpFetcher(FetchLimits(allow_private=("localhost",))) as careful:
        assert await body(careful, f"http://localhost:{server.port}/feed") == b"hello"


async def test_ports_of_other_services_are_refused():
    async with HttpFetcher() as careful:
        assert "port 25 does not serve the web" in await failure(careful, "http://93.184.216.34:25/")
        assert "port 6379" in await failure(careful, "http://example.org:6379/")


async def test_a_proxy_in_the_environment_is_ignored(server: Server, fetcher: HttpFetcher, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    server.routes["/feed"] = reply("hello")

    assert await body(fetcher, server.url()) == b"hello"


# --- sizes -------------------------------------------------------------------------------------


async def test_a_body_declared_too_large_is_not_read(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply(b"x" * 100, content_length=str(50 * MB))

    assert await failure(fetcher, server.url()) == "the response is larger than 8 MB"


async def test_an_undeclared_large_body_is_cut_off(server: Server, fetcher: HttpFetcher):
    sent = 0

    async def endless(_request: Request, wire: Wire) -> None:
        nonlocal sent
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 100 * MB and not wire.writer.is_closing():
            await wire.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent += 65_536

    server.routes["/feed"] = endless

    assert await failure(fetcher, server.url()) == "the response is larger than 8 MB"
    assert sent < 20 * MB


@pytest.mark.parametrize(
    "coding", ["gzip", "x-gzip", "deflate", "raw deflate", "two gzips", "br", "zstd", "identity"]
)
async def test_compressed_bodies_are_decoded(server: Server, fetcher: HttpFetcher, coding: str):
    raw_deflate = zlib.compressobj(wbits=-15)
    packed = {
        **{name: pack(b"hello") for name, pack in PACKED.items()},
        "x-gzip": gzip.compress(b"hello"),
        "raw deflate": raw_deflate.compress(b"hello") + raw_deflate.flush(),
        "two gzips": gzip.compress(b"he") + gzip.compress(b"llo"),
        "identity": b"hello",
    }[coding]
    server.routes["/feed"] = reply(packed, content_encoding=coding.rpartition(" ")[2].removesuffix("s"))

    assert await body(fetcher, server.url()) == b"hello"


@pytest.mark.parametrize("coding", PACKED)
async def test_a_decompression_bomb_is_cut_off_early(server: Server, fetcher: HttpFetcher, coding: str):
    bomb = PACKED[coding](bytes(40 * MB))
    assert len(bomb) < MB
    server.routes["/feed"] = reply(bomb, content_encoding=coding)

    assert await failure(fetcher, server.url()) == "the response decompresses to more than 16 MB"


@pytest.mark.parametrize("coding", ["gzip, gzip", "compress"])
async def test_content_codings_that_were_not_requested_are_refused(
    server: Server, fetcher: HttpFetcher, coding: str
):
    server.routes["/feed"] = reply(b"\x28\xb5\x2f\xfd....", content_encoding=coding)

    assert "which was not requested" in await failure(fetcher, server.url())


async def test_a_body_with_a_wrong_content_coding_is_refused(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reply(b"<rss>", content_encoding="gzip")
    server.routes["/half"] = reply(gzip.compress(b"hello" * 100)[:-10], content_encoding="gzip")

    assert await failure(fetcher, server.url()) == "the response is not valid gzip, which its headers declare"
    assert await failure(fetcher, server.url("/half")) == "the response ended early"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\nhello",
        b"HTTP/9.9 200\r\n\r\n",
        b"<html>this is no HTTP at all</html>",
    ],
    ids=["long header", "many headers", "bad length", "bad version", "no http"],
)
async def test_invalid_or_excessive_headers_are_refused(server: Server, fetcher: HttpFetcher, head: bytes):
    server.routes["/feed"] = raw(head)

    assert await failure(fetcher, server.url()) in (
        "the server's response is not valid HTTP",
        "the server closed the connection without a response",
    )


async def test_an_incomplete_body_is_refused(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")

    assert await failure(fetcher, server.url()) == "the response ended early"


# --- time --------------------------------------------------------------------------------------


async def test_a_server_that_never_responds_times_out(server: Server):
    server.routes["/feed"] = silent()
    async with HttpFetcher(FetchLimits(allow_private=HOME, total_seconds=0.2)) as hasty:
        assert await failure(hasty, server.url()) == "the server did not answer in full within 0.2 seconds"


async def test_requests_to_a_host_that_never_responds_are_paused(server: Server):
    server.routes |= {f"/{n}": silent() for n in range(6)}
    async with HttpFetcher(FetchLimits(allow_private=HOME, total_seconds=0.1, per_host=1)) as hasty:
        reasons = [await failure(hasty, server.url(f"/{n}")) for n in range(6)]

    assert reasons[:3] == ["the server did not answer in full within 0.1 seconds"] * 3
    assert reasons[3:] == ["127.0.0.1 did not respond 3 times in a row; requests are paused"] * 3
    assert len(server.asked) == 3


async def test_a_server_that_sends_byte_by_byte_times_out(server: Server):
    async def drip(_request: Request, wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not wire.writer.is_closing():
            await wire.send(b"x")
            await asyncio.sleep(0.02)

    server.routes["/feed"] = drip
    async with HttpFetcher(FetchLimits(allow_private=HOME, total_seconds=0.3)) as hasty:
        assert "did not answer in full" in await failure(hasty, server.url())


async def test_a_closed_keep_alive_connection_is_reopened(server: Server, fetcher: HttpFetcher):
    async def once(_request: Request, wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello")
        wire.writer.close()

    server.routes["/feed"] = once

    assert [await body(fetcher, server.url()) for _ in range(3)] == [b"hello"] * 3


async def test_a_reset_connection_gives_a_sentence(server: Server, fetcher: HttpFetcher):
    server.routes["/feed"] = reset()

    assert await failure(fetcher, server.url()) == "the server closed the connection without a response"


async def test_one_host_gets_few_requests_at_once(server: Server):
    at_once = most = 0

    async def slow(request: Request, wire: Wire) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        await reply("hello")(request, wire)

    server.routes["/feed"] = slow
    async with HttpFetcher(FetchLimits(allow_private=HOME, per_host=2)) as polite:
        await asyncio.gather(*(polite.fetch(server.url()) for _ in range(10)))

    assert most == 2


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "http://:80/", "file:///etc/passwd", "http://[::1", "//x/"]
)
async def test_an_invalid_address_gives_a_sentence(fetcher: HttpFetcher, url: str):
    assert await failure(fetcher, url)
