"""POST to a receiver: private addresses are refused before a connection, redirects are not followed."""

from __future__ import annotations

import asyncio

import pytest

from service.gather.http.post import post


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.1.2.3:{port}/",
        "http://192.168.0.1:6379/",
        "https://example.org:25/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://",
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_not_public(url: str):
    connections = []
    server = await asyncio.start_server(lambda *_: connections.append(1), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        status, problem = await post(url.format(port=port), b"{}", {})
    assert (status, connections) == (0, [])
    assert problem


async def test_an_allowed_private_address_is_asked_and_its_answer_is_bounded():
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"a" * 100_000)
        await writer.drain()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await post(f"http://127.0.0.1:{port}/", b"{}", {}, allow_private=("127.0.0.1",))
    assert found == (200, "")


async def test_an_answer_that_is_no_http_and_a_closed_port_are_sentences():
    async def nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        status, problem = await post(url, b"{}", {}, allow_private=("127.0.0.1",))
        assert (status, "the connection failed" in problem) == (0, True)
    status, problem = await post(url, b"{}", {}, allow_private=("127.0.0.1",))
    assert (status, "the connection failed" in problem) == (0, True)
